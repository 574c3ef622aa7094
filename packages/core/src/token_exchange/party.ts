/** Owns who stands behind a token that is presented for an exchange: the one it is about, or the one who acts. */
import { OAuthError } from '@latchkey/oauth'
import type { Aggregates, Client } from '@latchkey/store'
import type { Context } from '../context.ts'
import { exchangedId } from '../lineage.ts'
import { userOfSubject } from '../subjects.ts'
import { readAccessToken } from '../tokens/read_access_token.ts'
import { verifyOwn } from '../tokens/verify.ts'
import { isFromTrustedIssuer, readAssertion } from '../trusted_issuer.ts'

/** An actor, and who acted before him. @spec RFC 8693 §4.1 */
export interface Actor {
  readonly sub: string
  readonly act?: Actor
}

/** What a presented token says. */
export interface Party {
  readonly sub: string
  /** Absent where a client acts for itself. */
  readonly user_id?: string
  /** Whom the token was issued to. */
  readonly client_id: string
  readonly audience: readonly string[]
  readonly scope: readonly string[]
  /** Seconds since 1970. */
  readonly exp: number
  /** What revoking the token goes by: what it is exchanged for goes with it. */
  readonly lineage: string
  readonly act?: Actor
  /** Who alone may act for the subject. */
  readonly may_act?: Readonly<Record<string, unknown>>
  /** Another issuer said so. */
  readonly foreign?: true
  /** Takes what counts once. */
  take?(store: Aggregates): Promise<void>
}

const prefix = 'urn:ietf:params:oauth:token-type:'

/** @spec RFC 8693 §3 */
export const accessTokenType = `${prefix}access_token`

type Reader = (ctx: Context, token: string, client: Client) => Promise<Party | undefined>

/** By the kind of token. */
const readers: Readonly<Record<string, Reader>> = {
  [accessTokenType]: readAccess,
  [`${prefix}jwt`]: readJwt,
  [`${prefix}id_token`]: readId,
}

/**
 * @param role the name of the parameter, such as `subject_token`
 * @throws OAuthError `invalid_request` for a token that does not count, as RFC 8693 has it
 * @spec RFC 8693 §2.1
 * @spec RFC 8693 §2.2.2
 */
export async function readParty(
  ctx: Context,
  client: Client,
  role: 'subject_token' | 'actor_token',
  token: string,
  type: string | undefined,
): Promise<Party> {
  if (type === undefined) throw new OAuthError('invalid_request', `Missing required parameter: ${role}_type`)
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined
  if (read === undefined)
    throw new OAuthError('invalid_request', `Unsupported ${role}_type. Supported: ${Object.keys(readers).join(', ')}`)
  const party = await read(ctx, token, client)
  if (party === undefined || !(await isAround(ctx, party)))
    throw new OAuthError('invalid_request', `The ${role} is not valid, or it has expired or was revoked`)
  if (role === 'actor_token') checkActor(client, party)
  return party
}

async function readAccess(ctx: Context, token: string): Promise<Party | undefined> {
  const facts = await readAccessToken(ctx, token)
  if (facts === undefined) return undefined
  const { sub, user_id, client_id, audience, scope, exp, claims } = facts
  return {
    ...{ sub, client_id, audience, scope, exp, lineage: exchangedId(ctx, facts, token) },
    ...(user_id === undefined ? {} : { user_id }),
    ...actors(claims),
  }
}

/** One of our own; or an assertion of an issuer that the tenant trusts, whose person that is for whoever may bring it. */
async function readJwt(ctx: Context, token: string, client: Client): Promise<Party | undefined> {
  if (!isFromTrustedIssuer(ctx, token)) return readAccess(ctx, token)
  const { user, claims, take } = await readAssertion(ctx, client, token).catch((error: unknown) => {
    // RFC 8693 §2.2.2 has another code for a token that does not count.
    if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') throw error
    throw new OAuthError('invalid_request', error.description, { cause: error })
  })
  const own = { sub: user.user_id, user_id: user.user_id, client_id: client.client_id, audience: [], scope: [] }
  return { ...own, exp: claims.exp ?? 0, lineage: exchangedId(ctx, {}, token), take, foreign: true, ...actors(claims) }
}

/** An ID token lets in whoever holds it only as long as its session lasts. */
async function readId(ctx: Context, token: string): Promise<Party | undefined> {
  const { sub, aud, exp, iat, sid, events, jti, ...claims } = (await verifyOwn(ctx, token)) ?? {}
  const isOne = sub !== undefined && typeof aud === 'string' && exp !== undefined && iat !== undefined
  // What else is signed here for a client has an id, or events, or no end.
  if (!isOne || jti !== undefined || events !== undefined || ctx.configuration.client(aud) === undefined)
    return undefined
  if (typeof sid === 'string' && !(await ctx.store.sessions.isLive(sid, ctx.now()))) return undefined
  const user_id = await userOfSubject(ctx, aud, sub)
  if (user_id === undefined) return undefined
  const lineage = exchangedId(ctx, {}, token)
  return { sub, user_id, client_id: aud, audience: [], scope: [], exp, lineage, ...actors(claims) }
}

function actors(claims: Readonly<Record<string, unknown>> = {}): Pick<Party, 'act' | 'may_act'> {
  const { act, may_act } = claims
  return {
    ...(isObject(act) && typeof act.sub === 'string' ? { act: act as unknown as Actor } : {}),
    ...(isObject(may_act) ? { may_act } : {}),
  }
}

/** A person who is blocked or gone, and a client that is gone, get no new tokens. */
async function isAround(ctx: Context, { user_id, client_id }: Party): Promise<boolean> {
  if (user_id === undefined) return ctx.configuration.client(client_id) !== undefined
  const user = await ctx.store.users.find(user_id)
  return user !== undefined && !user.blocked
}

/** Somebody acts who is known to this client: the token of the actor was issued to it, and is no borrowed one. */
function checkActor(client: Client, { client_id, act }: Party): void {
  if (client_id !== client.client_id)
    throw new OAuthError('invalid_request', 'The actor_token was issued to another client')
  if (act !== undefined) throw new OAuthError('invalid_request', 'The actor_token is itself one of a delegation')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
