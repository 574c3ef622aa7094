/** Owns the checking of JWTs that clients sign: assertions that prove them, and request objects. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { OAuthError } from '@latchkey/oauth'
import type { JWTPayload, ProtectedHeaderParameters } from 'jose'
import { compactVerify } from 'jose/jws/compact/verify'
import { type ClientKey, clientKeys, type KeyHolder } from './client_keys.ts'
import { type Context, seconds } from './context.ts'
import { FetchError } from './outbound.ts'
import { algorithms } from './tokens/algorithms.ts'
import { isCompactJwt } from './tokens/verify.ts'

/** Seconds by which clocks may differ. */
export const clockSkew = 30

/** Algorithms that a client may sign with: ours, and the newer name of one of them. @spec RFC 9864 §2.2 */
export const clientSigningAlgs: readonly string[] = [...algorithms.keys(), 'Ed25519']

export interface ClientJwt {
  readonly header: ProtectedHeaderParameters
  readonly claims: JWTPayload
}

/** Header and claims as they stand, nothing of them checked; undefined for what is no JWT. */
export function peekJwt(jwt: string): ClientJwt | undefined {
  if (!isCompactJwt(jwt)) return undefined
  const [header, claims] = jwt.split('.').map(jsonObject)
  return header === undefined || claims === undefined ? undefined : { header, claims }
}

/** The first two parts of a JWT are objects; of anything else there is nothing to say. */
export function jsonObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/**
 * Verifies a JWT by the keys of the client that is said to have signed it, or by its secret.
 * @param algs those that count here
 * @returns undefined when it is not signed so
 * @spec RFC 7515 §5.2
 * @spec OpenID Connect Core §10.1
 */
export async function verifyClientJwt(
  ctx: Context,
  client: KeyHolder,
  jwt: string,
  algs: readonly string[],
): Promise<ClientJwt | undefined> {
  const seen = peekJwt(jwt)
  const { alg, kid } = seen?.header ?? {}
  if (seen === undefined || typeof alg !== 'string' || !algs.includes(alg) || !clientSigningAlgs.includes(alg))
    return undefined
  const verified =
    alg === 'HS256' ? await bySecret(ctx, client, jwt) : await byKeys(ctx, client, jwt, alg, kid as string | undefined)
  return verified ? seen : undefined
}

async function bySecret(ctx: Context, client: KeyHolder, jwt: string): Promise<boolean> {
  const secret = await ctx.store.configuration.clientSecret(client.client_id)
  return secret !== undefined && isSignedBy(jwt, 'HS256', createSecretKey(secret, 'utf8'))
}

async function byKeys(ctx: Context, client: KeyHolder, jwt: string, alg: string, kid: string | undefined) {
  const fits = (one: ClientKey) => isFor(alg, one) && (kid === undefined || one.kid === kid)
  try {
    const known = await clientKeys(ctx, client)
    if (await isSignedByOne(jwt, alg, known.keys.filter(fits))) return true
    // The client may have changed its keys since; a key that was there and did not fit will not fit better.
    if (known.document === undefined || (kid !== undefined && known.keys.some(fits))) return false
    const renewed = await clientKeys(ctx, client, known)
    return renewed.document !== known.document && (await isSignedByOne(jwt, alg, renewed.keys.filter(fits)))
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    ctx.log.warn({ err: error, client_id: client.client_id }, 'the keys of a client cannot be fetched')
    return false
  }
}

/** Two names of one algorithm, as long as no other curve is served. */
const edwards: ReadonlySet<string> = new Set(['EdDSA', 'Ed25519'])

/** The key decides what it is used for, never the JWT alone. @spec RFC 8725 §3.1 */
function isFor(alg: string, { kty, use, alg: own, key }: ClientKey): boolean {
  if (use === 'enc' || (own !== undefined && own !== alg && !(edwards.has(alg) && edwards.has(own)))) return false
  if (alg === 'ES256') return kty === 'EC' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  if (edwards.has(alg)) return kty === 'OKP' && key.asymmetricKeyType === 'ed25519'
  return kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
}

async function isSignedByOne(jwt: string, alg: string, keys: readonly ClientKey[]): Promise<boolean> {
  for (const { key } of keys) if (await isSignedBy(jwt, alg, key)) return true
  return false
}

async function isSignedBy(jwt: string, alg: string, key: KeyObject): Promise<boolean> {
  try {
    await compactVerify(jwt, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

export interface TimeRules {
  readonly exp_required: boolean
  /** Seconds that `exp` may lie ahead. */
  readonly longest?: number
}

/**
 * @returns what is wrong with the times of a JWT, to go on after its name; undefined when nothing is
 * @spec RFC 7519 §4.1.4
 * @spec RFC 7519 §4.1.5
 */
export function timeProblem(
  ctx: Context,
  claims: JWTPayload,
  { exp_required, longest }: TimeRules,
): string | undefined {
  const now = seconds(ctx.now())
  const { exp, nbf, iat }: Readonly<Record<string, unknown>> = claims
  for (const [name, value] of Object.entries({ exp, nbf, iat }))
    if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value)))
      return `has a ${name} that is no number of seconds`
  if (exp === undefined && exp_required) return 'has no exp'
  if (typeof exp === 'number' && exp <= now - clockSkew) return 'is over: exp has passed'
  if (typeof exp === 'number' && longest !== undefined && exp > now + longest + clockSkew)
    return `lasts too long: exp may lie ${longest} seconds ahead`
  if (typeof nbf === 'number' && nbf > now + clockSkew) return 'is not valid yet: nbf lies ahead'
  if (typeof iat === 'number' && iat > now + clockSkew) return 'was made in the future: iat lies ahead'
  return undefined
}

/** A media type in `typ`, without the part that may be left out. @spec RFC 7515 §4.1.9 */
export function jwtType(header: ProtectedHeaderParameters): string {
  return typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : 'jwt'
}

/** A refusal whose cause a client's developer may know, because the client has proved itself. */
export function refusedJwt(
  code: 'invalid_client' | 'invalid_request_object',
  what: string,
  problem: string,
): OAuthError {
  return new OAuthError(code, `${what} ${problem}`)
}
