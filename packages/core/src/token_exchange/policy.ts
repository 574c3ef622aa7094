/** Owns what a client may exchange: nothing, unless its `token_exchange` says so. */
import { OAuthError, type Parameters, words } from '@latchkey/oauth'
import type { Client, ResourceServer } from '@latchkey/store'
import type { Context } from '../context.ts'
import type { Actor, Party } from './party.ts'

/** Exchanges in a row. */
const longestChain = 5

/**
 * The API that the new token is for.
 * @throws OAuthError `invalid_target`
 * @spec RFC 8693 §2.1
 */
export function targetOf(ctx: Context, client: Client, parameters: Parameters): ResourceServer {
  const audience = parameters.get('audience')
  const resource = parameters.get('resource')
  if (audience !== undefined && resource !== undefined && audience !== resource)
    throw new OAuthError('invalid_target', 'audience and resource name different APIs: ask for one token each')
  const asked = audience ?? resource
  if (asked === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: audience')
  const api = ctx.configuration.resourceServer(asked)
  if (api !== undefined && client.token_exchange?.audiences?.includes(asked) === true) return api
  throw new OAuthError('invalid_target', 'The client may not exchange tokens for this audience', {
    explanation: {
      summary: `${client.name} asked for a token for ${asked.slice(0, 300)}.`,
      fix: 'List the identifier of a configured API there, exactly.',
      setting: 'clients[].token_exchange.audiences',
    },
  })
}

/**
 * A token counts from whoever got it: the client that it was issued to, or the one that is the API that it is for.
 * @throws OAuthError `invalid_request`
 */
export function checkSubject(client: Client, { client_id, audience, lineage }: Party): void {
  const { resource_server_identifier: api, token_exchange } = client
  const isOwn = client_id === client.client_id
  const isForIt = api !== undefined && audience.includes(api)
  if (!isOwn && !isForIt && token_exchange?.subject_clients?.includes(client_id) !== true) {
    throw new OAuthError('invalid_request', 'The subject_token was neither issued to this client nor for its API', {
      explanation: {
        summary: `${client.name} presented a token of the client ${client_id}.`,
        fix: 'Name the API that the client is in resource_server_identifier, or the other client in subject_clients.',
        setting: 'clients[].token_exchange.subject_clients',
      },
    })
  }
  if (lineage.split('.').length > longestChain + 1)
    throw new OAuthError('invalid_request', 'The subject_token has been exchanged too often already')
}

/**
 * Who acts, as the new token says it: nobody where the subject is impersonated. Who acted before stays told.
 * @throws OAuthError `unauthorized_client` or `invalid_request`
 * @spec RFC 8693 §4.1
 * @spec RFC 8693 §4.4
 */
export function actorOf(ctx: Context, client: Client, subject: Party, actor: Party | undefined): Actor | undefined {
  const kind = actor === undefined ? 'impersonation' : 'delegation'
  if (client.token_exchange?.allowed?.includes(kind) !== true) {
    throw new OAuthError('unauthorized_client', `The client may not exchange tokens by ${kind}`, {
      explanation: {
        summary: `${client.name} sent ${actor === undefined ? 'no' : 'an'} actor_token, which makes it ${kind}.`,
        fix: `Add ${kind} there, if the client is to do that.`,
        setting: 'clients[].token_exchange.allowed',
      },
    })
  }
  const acting = actor ?? { sub: `${client.client_id}@clients`, client_id: client.client_id }
  if (subject.may_act !== undefined && !isNamed(ctx, subject, acting))
    throw new OAuthError('invalid_request', 'The subject_token names in may_act somebody else who may act')
  if (actor === undefined) return subject.act
  return { sub: actor.sub, ...(subject.act === undefined ? {} : { act: subject.act }) }
}

/** Every member must fit; what we cannot judge fits nobody. */
function isNamed(
  ctx: Context,
  { may_act = {}, foreign }: Party,
  { sub, client_id }: Pick<Party, 'sub' | 'client_id'>,
): boolean {
  const members = Object.entries(may_act)
  return (
    members.length > 0 &&
    members.every(([name, value]) => {
      // What another issuer calls somebody is a name of its own, unless it says whose.
      if (name === 'sub') return value === sub && (foreign !== true || may_act.iss !== undefined)
      if (name === 'client_id') return value === client_id
      return name === 'iss' && ctx.issuers.some((issuer) => issuer === value)
    })
  )
}

/**
 * The scopes of the new token: those of the subject's token that the API defines, and what the client may add.
 * @throws OAuthError `invalid_scope`
 * @spec RFC 8693 §2.2.2
 */
export function scopeOf(
  client: Client,
  subject: Party,
  api: ResourceServer,
  asked: string | undefined,
): readonly string[] {
  const defined = api.scopes.map(({ value }) => value)
  const added = client.token_exchange?.scope ?? []
  const possible = defined.filter((word) => subject.scope.includes(word) || added.includes(word))
  const wanted = words(asked)
  if (wanted.length === 0) return possible.filter((word) => subject.scope.includes(word))
  if (wanted.every((word) => possible.includes(word))) return wanted
  throw new OAuthError('invalid_scope', 'scope must not exceed that of the subject_token', {
    explanation: {
      summary: `${client.name} asked for scopes that the token it presented does not have at this API.`,
      fix: 'Ask for less, or list there what the client may add.',
      setting: 'clients[].token_exchange.scope',
    },
  })
}
