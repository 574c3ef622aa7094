/** Owns the checking of a JWT as a client or an API does it: by the published keys, with nothing of the server's own code. */
import { createHash, createHmac, createPublicKey, type JsonWebKey, verify } from 'node:crypto'

export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

export interface PublishedKey extends JsonWebKey {
  readonly kid: string
  readonly alg: string
  readonly use: string
}

export async function publishedKeys(issuer: string): Promise<readonly PublishedKey[]> {
  const answer = await fetch(`${issuer}.well-known/jwks.json`)
  return ((await answer.json()) as { keys: PublishedKey[] }).keys
}

/** Header and claims of a token whose signature is right. @throws Error when it is not, or its key is not published */
export async function verified(issuer: string, jwt: string | undefined): Promise<Jwt> {
  const { header, claims, input, signature } = split(jwt)
  const key = (await publishedKeys(issuer)).find(({ kid }) => kid === header.kid)
  if (key === undefined) throw new Error(`The key ${String(header.kid)} is not published`)
  if (key.alg !== header.alg) throw new Error(`The key ${key.kid} is for ${key.alg}, not for ${String(header.alg)}`)
  const publicKey = createPublicKey({ key, format: 'jwk' })
  const dsaEncoding = 'ieee-p1363'
  const digest = key.kty === 'OKP' ? null : 'sha256'
  if (!verify(digest, input, { key: publicKey, dsaEncoding }, signature)) throw new Error('The signature is wrong')
  return { header, claims }
}

/** The same for a token that is signed with a shared secret. */
export function verifiedBySecret(secret: string, jwt: string | undefined): Jwt {
  const { header, claims, input, signature } = split(jwt)
  if (header.alg !== 'HS256') throw new Error(`The algorithm is ${String(header.alg)}`)
  if (!createHmac('sha256', secret).update(input).digest().equals(signature)) throw new Error('The signature is wrong')
  return { header, claims }
}

/** What `at_hash` must be for an access token, where the ID token is signed with SHA-256. */
export function atHash(access_token: string | undefined): string {
  return createHash('sha256')
    .update(access_token ?? '')
    .digest()
    .subarray(0, 16)
    .toString('base64url')
}

/** The token with one bit of its signature or another part turned. */
export function tampered(jwt: string, part: 0 | 1 | 2 = 2): string {
  const parts = jwt.split('.')
  const bytes = Buffer.from(parts[part] ?? '', 'base64url')
  bytes[5] = (bytes[5] ?? 0) ^ 1
  return parts.with(part, bytes.toString('base64url')).join('.')
}

/** A token of the same claims that says it needs no signature. */
export function unsigned(jwt: string): string {
  const [, claims = ''] = jwt.split('.')
  return `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')}.${claims}.`
}

function split(jwt = '') {
  const [header = '', claims = '', signature = '', ...more] = jwt.split('.')
  if (signature === '' || more.length > 0) throw new Error(`Not a JWT: ${jwt.slice(0, 60)}`)
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  return {
    header: parse(header),
    claims: parse(claims),
    input: Buffer.from(`${header}.${claims}`),
    signature: Buffer.from(signature, 'base64url'),
  }
}
