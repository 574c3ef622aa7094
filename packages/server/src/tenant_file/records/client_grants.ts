/** Owns the client grants of a tenant file: which client may ask which API for what, on its own behalf. */
import type { ClientGrant } from '@latchkey/store'
import { Type } from 'typebox'
import { clientsNamed, grantKey, nameOnce, put } from '../draft.ts'
import { newClientGrantId } from '../ids.ts'
import { defineRecord } from './record.ts'

const ClientGrantRecord = Type.Object({
  client_id: Type.String({ minLength: 1 }),
  audience: Type.String({ minLength: 1 }),
  scope: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 280 }), { maxItems: 1000 })),
})

export const clientGrants = defineRecord({
  key: 'clientGrants',
  schema: ClientGrantRecord,
  plan(entry, draft) {
    const { client_id: name, audience, scope = [] } = entry.value
    const [client, ...others] = clientsNamed(draft, name)
    if (others.length > 0)
      return entry.problem(['client_id'], `The tenant has several clients named ${name}: give the client_id.`)
    const api = draft.resource_servers.get(audience)
    // The Management API is not among the tenant's own, so grants for it wait.
    if (api === undefined && audience.endsWith('/api/v2/')) return entry.ignored([])
    if (client === undefined && !draft.broken.has(name))
      entry.problem(['client_id'], `There is no client named ${name}: add it to clients, or correct the name.`)
    if (api === undefined && !draft.broken.has(audience))
      entry.problem(
        ['audience'],
        `There is no API with the identifier ${audience}: add it to resourceServers; a trailing slash counts.`,
      )
    if (client === undefined || api === undefined) return
    const defined = new Set(api.scopes.map(({ value }) => value))
    for (const [index, word] of scope.entries()) {
      if (!defined.has(word))
        entry.problem(['scope', index], `The API ${api.name} has no scope ${word}: add it there, or remove it here.`)
    }
    const key = grantKey(client.client_id, audience)
    if (!nameOnce(draft, 'client grant', key))
      return entry.problem([], `The file grants ${name} this API twice: merge the two.`)
    const before = draft.client_grants.get(key)
    const after: ClientGrant = {
      id: before?.id ?? newClientGrantId(draft.random),
      client_id: client.client_id,
      audience,
      scope: [...new Set(scope)].toSorted(),
    }
    draft.client_grants.set(key, after)
    put(draft, {
      ...{ kind: 'client grant', name: `${client.name} for ${api.name}`, id: after.id, before, after },
      write: ({ configuration }, now) => configuration.saveClientGrant(after, now),
    })
  },
})
