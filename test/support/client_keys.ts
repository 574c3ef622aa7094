/** Owns the keys of clients in tests: made, published by a server of the client's own, and used to sign. No code of the server's is in it. */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { createServer } from 'node:http'

export type Alg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly private_key: KeyObject
  readonly jwk: JsonWebKey & { readonly kid: string }
}

export function makeKey(alg: Alg, kid: string = randomBytes(6).toString('hex')): SigningKey {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { kid, alg, private_key: privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } }
}

type Claims = Readonly<Record<string, unknown>>

const encode = (value: Claims) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT signed by a key. A header of `undefined` is left out. */
export function signJwt(key: SigningKey, claims: Claims, header: Claims = {}): string {
  const input = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  const how = { key: key.private_key, dsaEncoding: 'ieee-p1363' as const, ...(key.alg === 'PS256' ? pss : {}) }
  const signature = sign(key.alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), how)
  return `${input}.${signature.toString('base64url')}`
}

export function signWithSecret(secret: string, claims: Claims, header: Claims = {}): string {
  const input = `${encode({ alg: 'HS256', ...header })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export const unsignedJwt = (claims: Claims) => `${encode({ alg: 'none' })}.${encode(claims)}.`

export interface ClientServer {
  /** With its trailing slash. */
  readonly address: string
  /** What is answered at a path: by default the keys at `jwks.json`, and 404 elsewhere. */
  publish(path: string, body: string, content_type: string, status?: number): void
  publishKeys(keys: readonly SigningKey[]): void
  /** The paths that were asked for. */
  readonly asked: readonly string[]
  close(): void
}

/** A server of a client: it publishes its keys and its request objects. */
export async function startClientServer(): Promise<ClientServer> {
  const documents = new Map<string, { body: string; content_type: string; status: number }>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const found = documents.get(request.url ?? '')
    if (found === undefined) response.writeHead(404).end()
    else response.writeHead(found.status, { 'content-type': found.content_type }).end(found.body)
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const publish: ClientServer['publish'] = (path, body, content_type, status = 200) => {
    documents.set(`/${path}`, { body, content_type, status })
  }
  return {
    ...{ address: `http://localhost:${port}/`, publish, asked },
    publishKeys: (keys) =>
      publish('jwks.json', JSON.stringify({ keys: keys.map((key) => key.jwk) }), 'application/json'),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
