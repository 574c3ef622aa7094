/** Owns the pushed requests that are kept: under a reference, for a while, and answered once. */
import { OAuthError, type Parameters } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { MeantRequest } from './authorization_request.ts'
import type { Context } from './context.ts'

const prefix = 'urn:ietf:params:oauth:request_uri:'

/** Seconds in which a pushed request is to be begun. */
const lasts = 90
/** Milliseconds that a person may take to answer one that was begun: as long as a trip lives, and a little more. */
const keptFor = 2 * 3_600_000

export interface PushedAnswer {
  readonly request_uri: string
  /** Seconds. */
  readonly expires_in: number
}

interface Kept {
  readonly parameters: readonly (readonly [string, string])[]
  readonly signed?: true
}

/** @spec RFC 9126 §2.2 */
export async function keepPushedRequest(
  ctx: Context,
  { client_id }: Client,
  parameters: Parameters,
  signed: true | undefined,
): Promise<PushedAnswer> {
  const reference = ctx.random(32)
  const now = ctx.now()
  const kept: Kept = { parameters: [...parameters], ...(signed === undefined ? {} : { signed }) }
  const ends_at = now + lasts * 1000
  const row = { client_id, request: JSON.stringify(kept), ends_at, kept_until: ends_at + keptFor }
  await ctx.store.pushedRequests.create(reference, row, now)
  return { request_uri: `${prefix}${reference}`, expires_in: lasts }
}

export function isPushedReference(request_uri: string): boolean {
  return request_uri.startsWith(prefix)
}

/**
 * The request that a client pushed; what stands beside the reference does not count. It can be begun again until it is answered,
 * because browsers load pages twice.
 * @throws OAuthError `invalid_request_uri` when there is none: never pushed, another client's, over, or answered
 * @spec RFC 9126 §4
 */
export async function findPushedRequest(ctx: Context, client: Client, request_uri: string): Promise<MeantRequest> {
  const reference = request_uri.slice(prefix.length)
  const found = await ctx.store.pushedRequests.peek(reference, client.client_id, ctx.now())
  if (found === undefined)
    throw new OAuthError('invalid_request_uri', 'request_uri is not known, is over, or has been answered', {
      explanation: {
        summary: `${client.name} has no pushed request under this reference: each lasts ${lasts} seconds and is answered once.`,
        fix: 'Push the request again and send the browser with the new request_uri.',
      },
    })
  const { parameters, signed } = JSON.parse(found.request) as Kept
  return { parameters: new Map(parameters), origin: { pushed: found.key, ...(signed ? { signed } : {}) } }
}

/**
 * Ends a request with its answer.
 * @throws OAuthError `invalid_request_uri` for everybody but the first
 * @spec RFC 9126 §7.3
 */
export async function takePushedRequest(ctx: Context, pushed: string | undefined): Promise<void> {
  if (pushed === undefined || (await ctx.store.pushedRequests.take(pushed, ctx.now()))) return
  throw new OAuthError('invalid_request_uri', 'The pushed request has been answered already')
}
