/** Owns the making of a development certificate authority and of the certificate it gives localhost. Loaded only when one is made. */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

/** A certificate with its private key, both as PEM. */
export interface KeyedCertificate {
  readonly cert: string
  readonly key: string
}

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 5 * 365
/** Clocks of the machines that share a disk differ. */
const BACKDATED_MS = 3_600_000

/**
 * Makes an authority that can vouch for this machine's own names and for nothing else, even if its key is stolen.
 * @param now milliseconds since 1970
 * @spec RFC 5280 §4.2.1.10
 */
export async function makeAuthority(now: number): Promise<KeyedCertificate> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Latchkey development CA ${new Date(now).toISOString().slice(0, 10)}`,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(NAME_CONSTRAINTS, true, onlyThisMachine()),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) }
}

/**
 * Makes a certificate for localhost, 127.0.0.1 and ::1.
 * @param now milliseconds since 1970
 * @param days how long it is good
 */
export async function makeLeaf(authority: KeyedCertificate, now: number, days: number): Promise<KeyedCertificate> {
  const issuer = new x509.X509Certificate(authority.cert)
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: issuer.subject,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + days * DAY_MS),
    signingAlgorithm: SIGNING,
    signingKey: await importKey(authority.key),
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) }
}

async function makeKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(SIGNING, true, ['sign', 'verify'])
}

async function exportKey(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

async function importKey(pem: string): Promise<CryptoKey> {
  return await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), SIGNING, false, ['sign'])
}

const NAME_CONSTRAINTS = '2.5.29.30'
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87
const SEQUENCE = 0x30
const PERMITTED = 0xa0

/** The value of the name constraints: localhost and what is under it, 127.0.0.0/8, ::1. The library has no class for it. */
function onlyThisMachine(): Uint8Array<ArrayBuffer> {
  const loopback4 = [127, 0, 0, 0, 255, 0, 0, 0]
  const loopback6 = [...Array(15).fill(0), 1, ...Array(16).fill(255)]
  const permitted = [
    der(SEQUENCE, der(DNS_NAME, [...Buffer.from('localhost', 'ascii')])),
    der(SEQUENCE, der(IP_ADDRESS, loopback4)),
    der(SEQUENCE, der(IP_ADDRESS, loopback6)),
  ]
  return new Uint8Array(der(SEQUENCE, der(PERMITTED, permitted.flat())))
}

/** One element of DER; enough for contents under 128 bytes, which have a length of one byte. */
function der(tag: number, content: readonly number[]): number[] {
  return [tag, content.length, ...content]
}
