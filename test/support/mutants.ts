/** Owns what attackers make of a good JWT and of a registered address. Whatever comes out is another text than what went in. */
import { createHmac, createPublicKey, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { makeKey, signJwt } from './client_keys.ts'

type Json = Readonly<Record<string, unknown>>

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
function partsOf(jwt: string) {
  const [header = '', claims = '', signature = ''] = jwt.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json
  return { header: read(header), claims: read(claims), signature, texts: { header, claims } }
}

const letters = 'ABCXYZabcxyz0189-_.=+/ ~'
const strangers = Object.fromEntries((['RS256', 'PS256', 'ES256', 'EdDSA'] as const).map((alg) => [alg, makeKey(alg)]))
const stranger = (pick: number) => Object.values(strangers)[pick % 4] ?? makeKey('ES256')

/** What a good JWT may be put together with: another one, and the public key that is known for it. */
export interface Known {
  readonly other?: string
  readonly publicKey?: KeyObject
}

type Attack = (jwt: string, at: number, pick: number, known: Known) => string

const changed = (value: unknown, pick: number): unknown =>
  [`${String(value)}x`, undefined, null, 0, 9_999_999_999, [value], { value }, '', true, 'https://evil.example/'][
    pick % 10
  ]
const claimNames = [
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'azp',
  'scope',
  'client_id',
  'permissions',
  'act',
  'cnf',
]
const claimOf = (claims: Json, at: number) => {
  const names = [...new Set([...Object.keys(claims), ...claimNames])]
  return names[at % names.length] ?? 'sub'
}

/** By a stranger's key: with a header that says it is ours, or that brings the key along. */
const forge = (jwt: string, pick: number, claims: Json): string => {
  const { header } = partsOf(jwt)
  const key = stranger(pick)
  const brought = [
    {},
    { jwk: key.jwk },
    { jku: 'https://evil.example/jwks' },
    { x5u: 'https://evil.example/' },
    { x5c: ['MIIB'] },
    { kid: key.kid },
  ]
  return signJwt(key, claims, { ...header, alg: key.alg, ...brought[pick % brought.length] })
}

const attacks: readonly Attack[] = [
  // The text.
  (jwt, at) => jwt.slice(0, at) + jwt.slice(at + 1),
  (jwt, at, pick) => jwt.slice(0, at) + letters[pick % letters.length] + jwt.slice(at),
  (jwt, at, pick) => jwt.slice(0, at) + letters[pick % letters.length] + jwt.slice(at + 1),
  (jwt, at) => jwt.slice(0, at) + (jwt[at + 1] ?? '') + (jwt[at] ?? '') + jwt.slice(at + 2),
  (jwt, at) => jwt.slice(0, at),
  (jwt, at, pick) => jwt.slice(0, at) + jwt.slice(at, at + (pick % 20)) + jwt.slice(at),
  (jwt) => `${jwt}.`,
  (jwt) => `.${jwt}`,
  (jwt) => `${jwt}=`,
  (jwt) => `${jwt}.${jwt}`,
  (jwt) => jwt.replaceAll('-', '+').replaceAll('_', '/'),
  (jwt) => jwt.toLowerCase(),
  (jwt) => `${jwt},${jwt}`,
  // The header, above the old signature.
  (jwt, at, pick) => {
    const { header, texts, signature } = partsOf(jwt)
    const name = ['alg', 'kid', 'typ', 'crit', 'b64', 'zip', 'cty', 'enc'][at % 8] ?? 'alg'
    return `${encode({ ...header, [name]: changed(header[name], pick) })}.${texts.claims}.${signature}`
  },
  // A claim, above the old signature.
  (jwt, at, pick) => {
    const { claims, texts, signature } = partsOf(jwt)
    const name = claimOf(claims, at)
    return `${texts.header}.${encode({ ...claims, [name]: changed(claims[name], pick) })}.${signature}`
  },
  // No signature.
  (jwt, at, pick) => {
    const { header, texts } = partsOf(jwt)
    const alg = ['none', 'None', 'NONE', 'nOnE', '', 'HS0'][pick % 6]
    return `${encode({ ...header, alg })}.${texts.claims}.${['', 'AA', partsOf(jwt).signature][at % 3]}`
  },
  // Signed with what everybody knows.
  (jwt, at, pick, { publicKey }) => {
    const { header, texts } = partsOf(jwt)
    const pem = publicKey?.export({ type: 'spki', format: 'pem' }) ?? 'secret'
    const der = publicKey?.export({ type: 'spki', format: 'der' }) ?? ''
    const jwk = JSON.stringify(publicKey?.export({ format: 'jwk' }) ?? {})
    const secrets = [pem, der, jwk, '', String(header.kid ?? ''), '\0', String(pem).trim()]
    const input = `${encode({ ...header, alg: ['HS256', 'HS384', 'HS512'][at % 3] })}.${texts.claims}`
    const digest = ['sha256', 'sha384', 'sha512'][at % 3] ?? 'sha256'
    const signature = createHmac(digest, secrets[pick % secrets.length] ?? '').update(input)
    return `${input}.${signature.digest('base64url')}`
  },
  // Signed by somebody else, as it is or with a claim changed.
  (jwt, _, pick) => forge(jwt, pick, partsOf(jwt).claims),
  (jwt, at, pick) => {
    const { claims } = partsOf(jwt)
    const name = claimOf(claims, at)
    return forge(jwt, pick, { ...claims, [name]: changed(claims[name], at) })
  },
  // Signatures that hold for everything where a verifier is careless.
  (jwt, at, pick) => {
    const { texts } = partsOf(jwt)
    const bytes = Buffer.alloc([64, 256, 32, 70][pick % 4] ?? 64, [0, 0xff, 1][at % 3])
    return `${texts.header}.${texts.claims}.${bytes.toString('base64url')}`
  },
  // Pieces of another good one.
  (jwt, at, _, { other = jwt }) => {
    const [one, two] = [jwt.split('.'), other.split('.')]
    return one.map((part, index) => ((at >> index) % 2 === 0 ? part : (two[index] ?? part))).join('.')
  },
  // Another serialization, and one inside another.
  (jwt) => {
    const { texts, signature } = partsOf(jwt)
    return JSON.stringify({ protected: texts.header, payload: texts.claims, signature })
  },
  (jwt, _, pick) => signJwt(stranger(pick), { jwt }, { cty: 'JWT' }),
]

/** One text made of a good JWT: never that one itself, nor the whole of the other, nor nothing, which is a parameter left out. */
export const mutantOf = (jwt: string, known: Known = {}): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(attacks.length - 1), fc.nat(jwt.length - 1), fc.nat(999))
    .map(([which, at, pick]) => attacks[which]?.(jwt, at, pick, known) ?? jwt)
    .filter((text) => text !== '' && text !== jwt && text !== known.other)

export const publicKeyOf = (jwk: object): KeyObject => createPublicKey({ key: { ...jwk }, format: 'jwk' })

const hosts = [
  'evil.example',
  '127.0.0.1',
  'localhost',
  '[::1]',
  'app.example.com.evil.example',
  '127.0.0.1.evil.example',
  '2130706433',
  'localhost.',
]
const marks = 'abZ09.:/@?#%\\*-_[] \t\né'
const shape = /^([a-z.]+:\/\/)([^/?#]*)(.*)$/
const part = (text: string, index: number) => shape.exec(text)?.[index] ?? ''
const joined = (text: string, host: string) => part(text, 1) + host + part(text, 3)
const host = (pick: number) => hosts[pick % hosts.length] ?? 'evil.example'

const changes: readonly ((text: string, at: number, pick: number) => string)[] = [
  (text) => text,
  (text, at) => text.slice(0, at) + text.slice(at + 1),
  (text, at, pick) => text.slice(0, at) + marks[pick % marks.length] + text.slice(at),
  (text, at, pick) => text.slice(0, at) + marks[pick % marks.length] + text.slice(at + 1),
  (text, at) => text.slice(0, at) + (text[at] ?? '').toUpperCase() + text.slice(at + 1),
  (text, at) => `${text.slice(0, at)}%${text.charCodeAt(at).toString(16).padStart(2, '0')}${text.slice(at + 1)}`,
  (text, at, pick) => joined(text, `${part(text, 2).replace(/:\d+$/, '')}:${(at * 1000 + pick) % 70_000}`),
  (text, _, pick) => joined(text, host(pick)),
  (text, _, pick) => joined(text, `${part(text, 2)}@${host(pick)}`),
  (text, _, pick) => joined(text, `${host(pick)}@${part(text, 2)}`),
  (text, _, pick) => joined(text, `${part(text, 2)}.${host(pick)}`),
  (text, _, pick) => joined(text, `${host(pick)}/${part(text, 2)}`),
  (text, _, pick) => joined(text, `${host(pick)}\\${part(text, 2)}`),
  (text) => text.replace('https:', 'http:'),
  (text) => text.replace('://', ':///'),
  (text) => `${text}/`,
  (text) => `${text}/..`,
  (text) => `${text}?x=1`,
  (text) => `${text}#x`,
  (text, at) => `${text}${' \t\n\0\u3000'[at % 5]}`,
  (text) => text.replaceAll('.', '。'),
  (text) => text.replace('a', 'а'),
]

/** An address made of a registered one by up to three changes; often the registered one itself. */
export const addressLike = (registered: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...registered),
      fc.array(fc.tuple(fc.nat(changes.length - 1), fc.nat(60), fc.nat(999)), { maxLength: 3 }),
    )
    .map(([first, list]) =>
      list.reduce((text, [which, at, pick]) => changes[which]?.(text, at % (text.length + 1), pick) ?? text, first),
    )
