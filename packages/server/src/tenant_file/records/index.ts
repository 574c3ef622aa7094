/** Owns the list of the kinds of records that a tenant file may hold, in the order in which they can refer to each other. */
import { clientGrants } from './client_grants.ts'
import { clients } from './clients.ts'
import { connections, databases } from './databases.ts'
import type { AnyRecordKind } from './record.ts'
import { resourceServers } from './resource_servers.ts'
import { rules, rulesConfigs } from './rules.ts'
import { branding, tenant } from './tenant.ts'
import { users } from './users.ts'

export const recordKinds: readonly AnyRecordKind[] = [
  clients,
  resourceServers,
  databases,
  connections,
  clientGrants,
  rules,
  rulesConfigs,
  branding,
  tenant,
  users,
]
