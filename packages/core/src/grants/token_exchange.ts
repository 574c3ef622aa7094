/** Owns the grant of token exchange: a service that got a token gets another one, to call the next service with. */
import { OAuthError, type Parameters, words } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Context } from '../context.ts'
import { defineGrant, type Granted } from '../grant.ts'
import { accessTokenType, type Party, readParty } from '../token_exchange/party.ts'
import { actorOf, checkSubject, scopeOf, targetOf } from '../token_exchange/policy.ts'

/**
 * @spec RFC 8693 §2.1
 * @spec RFC 8693 §2.2.1
 */
export const tokenExchange = defineGrant({
  type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  where_listed: true,
  async authorize(ctx, client, { parameters }) {
    checkClient(client)
    const requested = parameters.get('requested_token_type') ?? accessTokenType
    if (requested !== accessTokenType)
      throw new OAuthError('invalid_request', `Unsupported requested_token_type. Supported: ${accessTokenType}`)
    const api = targetOf(ctx, client, parameters)
    const subject = await readSubject(ctx, client, parameters)
    const actor = await readActor(ctx, client, parameters)
    const act = actorOf(ctx, client, subject, actor)
    const asked = parameters.get('scope')
    const scope = scopeOf(client, subject, api, asked)
    const user = subject.user_id === undefined ? undefined : await ctx.store.users.find(subject.user_id)
    return {
      authorization: {
        ...{ client, scope, response_type: [], tell_auth_time: false },
        audience: { api, grant_audience: api.identifier },
        ...(user === undefined ? { sub: subject.sub } : { user }),
        ...(act === undefined ? {} : { act }),
        lineage: subject.lineage,
        ends_at: subject.exp,
      },
      asked: words(asked),
      parameters: { issued_token_type: accessTokenType },
      ...takeOf(subject, actor),
    }
  },
})

/** What counts once is taken with what it yields. */
function takeOf(...parties: readonly (Party | undefined)[]): Pick<Granted, 'take'> {
  const once = parties.flatMap((party) => (party?.take === undefined ? [] : [party.take]))
  if (once.length === 0) return {}
  return {
    async take(store) {
      for (const take of once) await take(store)
    },
  }
}

function checkClient({ name, token_exchange, token_endpoint_auth_method }: Client): void {
  if (token_endpoint_auth_method === 'none')
    throw new OAuthError('unauthorized_client', 'A public client cannot exchange tokens: anybody could be it')
  if (token_exchange !== undefined) return
  throw new OAuthError('unauthorized_client', 'The client may not exchange tokens', {
    explanation: {
      summary: `Nothing says what ${name} may exchange.`,
      fix: 'Say which kinds of exchange it may make, and for which APIs.',
      setting: 'clients[].token_exchange',
    },
  })
}

async function readSubject(ctx: Context, client: Client, parameters: Parameters): Promise<Party> {
  const token = parameters.get('subject_token')
  if (token === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: subject_token')
  const subject = await readParty(ctx, client, 'subject_token', token, parameters.get('subject_token_type'))
  checkSubject(client, subject)
  return subject
}

/** @spec RFC 8693 §2.1 */
async function readActor(ctx: Context, client: Client, parameters: Parameters): Promise<Party | undefined> {
  const token = parameters.get('actor_token')
  const type = parameters.get('actor_token_type')
  if (token !== undefined) return readParty(ctx, client, 'actor_token', token, type)
  if (type !== undefined) throw new OAuthError('invalid_request', 'actor_token_type was sent without an actor_token')
  return undefined
}
