/** Owns a small issuer for the tests: a real HTTP server with a real key set, and the signing of good and bad tokens. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { addressOf, close } from './listen.ts'

export const audience = 'https://api.example.com/'
export const subject = 'auth0|58454fc1'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function makeKey(kid: string, alg = 'RS256', modulusLength = 2048): SigningKey {
  if (alg === 'ES256') return { kid, alg, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
  if (alg === 'EdDSA') return { kid, alg, ...generateKeyPairSync('ed25519') }
  return { kid, alg, ...generateKeyPairSync('rsa', { modulusLength }) }
}

export function publicJwk(key: SigningKey, change: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: key.alg, use: 'sig', ...change }
}

export type Part = Record<string, unknown> | string

export function encode(part: Part): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** Signs a compact token; header and payload may be text, to hold what JSON.stringify would never write. */
export function signToken(key: SigningKey, header: Part, payload: Part): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signatureOf(key, input)}`
}

function signatureOf(key: SigningKey, input: string): string {
  const data = Buffer.from(input)
  const { privateKey } = key
  if (key.alg === 'EdDSA') return sign(null, data, privateKey).toString('base64url')
  if (key.alg === 'ES256')
    return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  if (key.alg !== 'PS256') return sign('sha256', data, privateKey).toString('base64url')
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return sign('sha256', data, { key: privateKey, ...padding }).toString('base64url')
}

export function hmacToken(secret: string | Buffer, header: Part, payload: Part): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function seconds(fromNow = 0): number {
  return Math.floor(Date.now() / 1000) + fromNow
}

export interface Issuer {
  readonly issuer: string
  readonly jwks_uri: string
  /** How often the key set was asked for. */
  fetches: number
  /** What the key set endpoint does. */
  respond: (request: IncomingMessage, response: ServerResponse) => void
  /** Publishes exactly these keys from now on. */
  publish(...keys: readonly (SigningKey | Record<string, unknown>)[]): void
  /** The claims of a good access token, with changes; `undefined` takes a claim away. */
  claims(change?: Record<string, unknown>): Record<string, unknown>
  token(key: SigningKey, change?: Record<string, unknown>, header?: Record<string, unknown>): string
  close(): Promise<void>
}

export async function startIssuer(...keys: readonly SigningKey[]): Promise<Issuer> {
  const server = createServer((request, response) => {
    if (request.url !== '/.well-known/jwks.json') return response.writeHead(404).end()
    self.fetches++
    return self.respond(request, response)
  })
  const issuer = `${await addressOf(server)}/`
  const self: Issuer = {
    issuer,
    jwks_uri: `${issuer}.well-known/jwks.json`,
    fetches: 0,
    respond: () => undefined,
    publish: (...published) => {
      const set = { keys: published.map((key) => ('privateKey' in key && isSigningKey(key) ? publicJwk(key) : key)) }
      self.respond = (_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(set))
    },
    claims: (change = {}) => ({
      iss: issuer,
      sub: subject,
      aud: audience,
      azp: 'client-of-the-test',
      iat: seconds(),
      exp: seconds(600),
      scope: 'read:messages write:messages',
      ...change,
    }),
    token: (key, change, header) =>
      signToken(key, { alg: key.alg, typ: 'JWT', kid: key.kid, ...header }, self.claims(change)),
    close: () => close(server),
  }
  self.publish(...keys)
  return self
}

function isSigningKey(key: object): key is SigningKey {
  return 'privateKey' in key && 'publicKey' in key
}

/** The public key in the form in which it lies around in files: what a forger would use as HMAC secret. */
export function pem(key: SigningKey): string {
  return createPublicKey(createPrivateKey(key.privateKey.export({ format: 'pem', type: 'pkcs8' })))
    .export({ format: 'pem', type: 'spki' })
    .toString()
}
