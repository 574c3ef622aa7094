/** Owns request objects: an authorization request as a JWT, judged and turned into parameters. */
import { OAuthError, type Parameters, parametersFromObject, sameWords, words } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import {
  type ClientJwt,
  clientSigningAlgs,
  clockSkew,
  jsonObject,
  jwtType,
  peekJwt,
  refusedJwt,
  timeProblem,
  verifyClientJwt,
} from './client_jwt.ts'
import { type Context, seconds } from './context.ts'
import { decrypt, isEncrypted } from './tokens/decryption.ts'

export interface ReadObject {
  /** Those inside, and `client_id`. */
  readonly parameters: Parameters
  readonly signed: boolean
}

/** Seconds that a request object of a client whose requests must be signed may last. */
const longest = 3600

/**
 * @param outside the request that carried it
 * @param by how it came, which is the word of the refusal
 * @throws OAuthError `invalid_request_object`, or that of `by` where the client has not allowed what it sends
 * @spec RFC 9101 §6
 * @spec OpenID Connect Core §6.1
 */
export async function readRequestObject(
  ctx: Context,
  client: Client,
  text: string,
  outside: Parameters,
  by: 'request' | 'request_uri',
): Promise<ReadObject> {
  const jwt = isEncrypted(text) ? await opened(ctx, client, text) : text
  const bare = unsignedClaims(jwt)
  const { header, claims } =
    bare === undefined ? await verified(ctx, client, jwt) : allowedUnsigned(client, { header: {}, claims: bare }, by)
  if (!['jwt', 'oauth-authz-req+jwt'].includes(jwtType(header))) throw refuse(`has the type ${String(header.typ)}`)
  checkIdentity(ctx, client, claims)
  const strict = client.require_signed_request_object === true
  const wrong = timeProblem(ctx, claims, { exp_required: strict, ...(strict ? { longest } : {}) })
  if (wrong !== undefined) throw refuse(wrong)
  if (strict) checkStrictly(ctx, claims)
  return { parameters: parametersOf(client, claims, outside), signed: bare === undefined }
}

/** What is encrypted is a JWT again, which has to prove itself as any other. @spec OpenID Connect Core §10.2 */
async function opened(ctx: Context, client: Client, jwe: string): Promise<string> {
  const jwt = client.request_object_encryption_alg === undefined ? undefined : await decrypt(ctx, jwe)
  if (jwt !== undefined) return jwt
  throw new OAuthError('invalid_request_object', 'The request object cannot be decrypted', {
    explanation: {
      summary: `The request object of ${client.name} is not encrypted with a published key of this server, or the client has not registered that it encrypts.`,
      fix: 'Register the algorithm, and encrypt with the key of use enc from the key set, without compression.',
      setting: 'clients[].request_object_encryption_alg',
    },
  })
}

function refuse(problem: string): OAuthError {
  return refusedJwt('invalid_request_object', 'The request object', problem)
}

/** The claims of a JWT that says it has no signature, and has none. @spec RFC 7519 §6.1 */
function unsignedClaims(jwt: string): Record<string, unknown> | undefined {
  const [header, claims] = /^([\w-]+)\.([\w-]+)\.$/.exec(jwt)?.slice(1) ?? []
  if (header === undefined || claims === undefined || jsonObject(header)?.alg !== 'none') return undefined
  return jsonObject(claims)
}

/** @spec RFC 9101 §6.2 */
async function verified(ctx: Context, client: Client, jwt: string): Promise<ClientJwt> {
  if (peekJwt(jwt) === undefined) throw refuse('is not a signed JWT')
  const { request_object_signing_alg: registered } = client
  const algs = registered === undefined ? clientSigningAlgs : [registered]
  const found = await verifyClientJwt(ctx, client, jwt, algs)
  if (found !== undefined) return found
  throw new OAuthError('invalid_request_object', 'The signature of the request object cannot be verified', {
    explanation: {
      summary: `No key of ${client.name} fits the request object, or its algorithm is not ${algs.join(' or ')}.`,
      fix: 'Register the public key that signs it, under the kid that its header names.',
      setting: 'clients[].jwks_uri',
    },
  })
}

/** A client that registered itself and named no algorithm may use any, `none` among them. @spec OpenID Connect Registration §2 */
function allowedUnsigned(client: Client, jwt: ClientJwt, by: 'request' | 'request_uri'): ClientJwt {
  const { request_object_signing_alg: registered, require_signed_request_object: required } = client
  const any = registered === undefined && client.registration?.by === 'itself'
  if (required !== true && (registered === 'none' || any)) return jwt
  const code =
    registered === undefined && required !== true ? (`${by}_not_supported` as const) : 'invalid_request_object'
  throw new OAuthError(code, 'The request object must be signed', {
    explanation: {
      summary: `${client.name} may not send unsigned request objects.`,
      fix: 'Sign it with a registered key, or allow unsigned ones with the value none.',
      setting: 'clients[].request_object_signing_alg',
    },
  })
}

/** @spec RFC 9101 §4 @spec RFC 9101 §10.8 */
function checkIdentity(ctx: Context, client: Client, { iss, sub, aud, client_id, ...rest }: ClientJwt['claims']): void {
  if (iss !== undefined && iss !== client.client_id) throw refuse('has another iss than the client_id')
  if (client_id !== undefined && client_id !== client.client_id) throw refuse('has another client_id than the request')
  if (aud !== undefined && !isForUs(ctx, aud)) throw refuse(`is not for this server: aud must be ${ctx.issuer}`)
  // A client assertion must not pass for a request.
  if (sub === client.client_id) throw refuse('must not have the client as sub')
  if (rest.request !== undefined || rest.request_uri !== undefined) throw refuse('must not hold another one')
}

function isForUs(ctx: Context, aud: unknown): boolean {
  return (Array.isArray(aud) ? aud : [aud]).some((one) => one === ctx.issuer || one === ctx.issuer.slice(0, -1))
}

/** Who says that every request is signed means that none can be kept and sent later. */
function checkStrictly(ctx: Context, { iss, aud, exp = 0, nbf }: ClientJwt['claims']): void {
  if (iss === undefined) throw refuse('has no iss')
  if (aud === undefined) throw refuse('has no aud')
  if (nbf === undefined) throw refuse('has no nbf')
  if (nbf < seconds(ctx.now()) - longest - clockSkew) throw refuse(`is too old: nbf may lie ${longest} seconds back`)
  if (exp > nbf + longest) throw refuse(`lasts too long: exp may lie ${longest} seconds after nbf`)
}

/** Of the JWT itself, not of the request in it. */
const aboutTheJwt = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'])

/**
 * Only what is inside counts; what is also outside must not contradict it.
 * @spec RFC 9101 §6.3
 */
function parametersOf(client: Client, claims: ClientJwt['claims'], outside: Parameters): Parameters {
  const inside = Object.entries(claims).filter(([name]) => !aboutTheJwt.has(name))
  const parameters = new Map(readInside(Object.fromEntries(inside.map(([name, value]) => [name, asText(name, value)]))))
  for (const name of ['scope', 'redirect_uri'])
    if (outside.has(name) && !parameters.has(name)) throw refuse(`lacks ${name}, which the request has outside of it`)
  const asked = outside.get('response_type')
  if (asked !== undefined && !sameWords(words(asked), words(parameters.get('response_type'))))
    throw refuse('has another response_type than the request')
  return parameters.set('client_id', client.client_id)
}

function readInside(body: Readonly<Record<string, unknown>>): Parameters {
  try {
    return parametersFromObject(body)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw new OAuthError('invalid_request_object', error.description, { cause: error })
  }
}

/** Parameters whose value is JSON stand in the object as it is. @spec OpenID Connect Core §6.1 */
function asText(name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  // A list of them is read as such.
  if (name === 'resource') return value
  if (name === 'claims' || name === 'authorization_details') return JSON.stringify(value)
  throw refuse(`has a ${name} that is no text`)
}
