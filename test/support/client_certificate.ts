/** Owns the certificates of clients in tests: an authority, what it issues, and what signs itself, with every part open to change. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface KeyedCertificate {
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
  readonly der: Buffer
  readonly public_jwk: Readonly<Record<string, unknown>>
}

export interface CertificateChange {
  /** Relative names in the order of the certificate, each `type=value`. */
  readonly subject?: readonly string[]
  /** `dns:`, `uri:`, `email:` or `ip:` (four numbers) and the name. */
  readonly names?: readonly string[]
  readonly ca?: boolean
  /** The extended key usage; none by default. */
  readonly usage?: 'clientAuth' | 'serverAuth'
  /** Milliseconds since 1970. */
  readonly from?: number
  readonly to?: number
  /** Whoever signs it; itself by default. */
  readonly issuer?: KeyedCertificate & { readonly subject: readonly string[] }
  /** The key to certify; a new one by default. */
  readonly of?: KeyedCertificate
}

export type Authority = KeyedCertificate & { readonly subject: readonly string[] }

const hour = 3_600_000

export function makeCertificateOf(change: CertificateChange = {}): Authority {
  const { subject = ['O=Example', 'CN=client'], issuer, from = Date.now() - hour, to = Date.now() + 24 * hour } = change
  const privateKey =
    change.of === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : createPrivateKey(change.of.key)
  const publicKey = createPublicKey(privateKey)
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key)
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer?.subject ?? subject),
    sequence(time(from), time(to)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(change))),
  )
  const signature = sign('sha256', body, signer)
  const der = sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    ...{ subject, der, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) },
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    public_jwk: { ...publicKey.export({ format: 'jwk' }) },
  }
}

export const makeAuthority = (name = 'Test authority') => makeCertificateOf({ subject: [`CN=${name}`], ca: true })

function extensions({ names = [], ca = false, usage }: CertificateChange): Buffer[] {
  const list = [extension('2.5.29.19', sequence(...(ca ? [Buffer.from([1, 1, 0xff])] : [])))]
  if (usage !== undefined)
    list.push(extension('2.5.29.37', sequence(oid(`1.3.6.1.5.5.7.3.${usage === 'clientAuth' ? 2 : 1}`))))
  if (names.length > 0) list.push(extension('2.5.29.17', sequence(...names.map(alternativeName))))
  return list
}

const alternativeTags: Readonly<Record<string, number>> = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 }

function alternativeName(text: string): Buffer {
  const [kind = ''] = text.split(':')
  const name = text.slice(kind.length + 1)
  const bytes = kind === 'ip' ? Buffer.from(name.split('.').map(Number)) : Buffer.from(name, 'latin1')
  return tagged(alternativeTags[kind] ?? 0, bytes)
}

const types: Readonly<Record<string, string>> = {
  ...{ CN: '2.5.4.3', C: '2.5.4.6', L: '2.5.4.7', O: '2.5.4.10', OU: '2.5.4.11' },
  DC: '0.9.2342.19200300.100.1.25',
}

function nameOf(subject: readonly string[]): Buffer {
  const relative = subject.map((one) => {
    const [type = '', value = ''] = one.split(/=(.*)/s)
    return tagged(0x31, sequence(oid(types[type] ?? type), tagged(0x0c, Buffer.from(value))))
  })
  return sequence(...relative)
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tagged(0x04, value))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function time(milliseconds: number): Buffer {
  return tagged(0x18, Buffer.from(`${new Date(milliseconds).toISOString().replace(/[-:T]|\..*/g, '')}Z`))
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128)
  return digits
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
