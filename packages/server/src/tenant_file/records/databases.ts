/** Owns the database connections of a tenant file, and sets aside connections of other kinds. */
import type { Connection } from '@latchkey/store'
import { type Static, Type } from 'typebox'
import { merged } from '../change.ts'
import { clientsNamed, type Draft, nameOnce, put } from '../draft.ts'
import { newConnectionId } from '../ids.ts'
import { defineRecord, type Entry } from './record.ts'

const Switch = Type.Object({ enable: Type.Boolean() })

const DatabaseRecord = Type.Object({
  name: Type.String({
    pattern: '^[A-Za-z0-9]([A-Za-z0-9-]{0,126}[A-Za-z0-9])?$',
    must_be: '1 to 128 letters, digits and hyphens, with a letter or digit at both ends',
  }),
  strategy: Type.Optional(Type.String()),
  enabled_clients: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
  is_domain_connection: Type.Optional(Type.Boolean()),
  options: Type.Optional(
    Type.Object({
      disable_signup: Type.Optional(Type.Boolean()),
      requires_username: Type.Optional(Type.Boolean()),
      brute_force_protection: Type.Optional(Type.Boolean()),
      passwordPolicy: Type.Optional(Type.Enum(['none', 'low', 'fair', 'good', 'excellent'])),
      password_complexity_options: Type.Optional(
        Type.Object({ min_length: Type.Optional(Type.Integer({ minimum: 1, maximum: 128 })) }),
      ),
      password_history: Type.Optional(
        Type.Object({ enable: Type.Boolean(), size: Type.Optional(Type.Integer({ minimum: 0, maximum: 24 })) }),
      ),
      password_dictionary: Type.Optional(
        Type.Object({
          enable: Type.Boolean(),
          dictionary: Type.Optional(Type.Array(Type.String({ maxLength: 50 }), { maxItems: 2000 })),
        }),
      ),
      password_no_personal_info: Type.Optional(Switch),
      enabledDatabaseCustomization: Type.Optional(Type.Boolean()),
      mfa: Type.Optional(Type.Object({ active: Type.Optional(Type.Boolean()) })),
    }),
  ),
})

type Given = Static<typeof DatabaseRecord>

export const databases = defineRecord({
  key: 'databases',
  schema: DatabaseRecord,
  names: ['name'],
  plan: planConnection,
})

/** An export lists every other kind of connection here. */
export const connections = defineRecord({
  key: 'connections',
  schema: DatabaseRecord,
  names: ['name'],
  plan(entry, draft) {
    if (entry.value.strategy === 'auth0') return planConnection(entry, draft)
    draft.broken.add(entry.value.name)
    entry.ignored([])
  },
})

function planConnection(entry: Entry<Given>, draft: Draft): void {
  const { strategy = 'auth0', enabled_clients, ...given } = entry.value
  if (strategy !== 'auth0') {
    entry.problem(['strategy'], `A database has the strategy auth0, not ${strategy}: move it to connections.`)
    return
  }
  if (!nameOnce(draft, 'connection', given.name)) {
    entry.problem(['name'], `The file has two connections named ${given.name}: give each its own name.`)
    return
  }
  const { enabledDatabaseCustomization, mfa, ...options } = given.options ?? {}
  if (enabledDatabaseCustomization === true)
    entry.warning(['options', 'enabledDatabaseCustomization'], 'Scripts are not run: users must be imported here.')
  if (mfa?.active === true) entry.warning(['options', 'mfa'], 'Multi-factor authentication is not supported yet.')
  const before = draft.connections.get(given.name)
  const base: Connection = before ?? {
    ...{ id: newConnectionId(draft.random), name: given.name, strategy },
    is_domain_connection: false,
    options: { brute_force_protection: true },
  }
  const enabled = enabled_clients?.flatMap((name, index) => clientIds(entry, draft, name, index))
  const after = merged(base, {
    ...given,
    options,
    // In one order, so that another order in the file is no change.
    ...(enabled === undefined ? {} : { enabled_clients: [...new Set(enabled)].toSorted() }),
  })
  draft.connections.set(after.name, after)
  put(draft, {
    ...{ kind: 'connection', name: after.name, id: after.id, before, after },
    write: ({ configuration }, now) => configuration.saveConnection(after, now),
  })
}

function clientIds(entry: Entry<Given>, draft: Draft, name: string, index: number): readonly string[] {
  const found = clientsNamed(draft, name)
  if (found.length === 0 && !draft.broken.has(name))
    entry.problem(
      ['enabled_clients', index],
      `There is no client named ${name}: add it to clients, or correct the name.`,
    )
  return found.map((one) => one.client_id)
}
