/** Owns the list of migrations, in the order they run. */
import type { Migration } from 'kysely/migration'
import * as first from './0001_first.ts'
import * as rules from './0002_rules.ts'
import * as formerPasswords from './0003_former_passwords.ts'
import * as tokenEndpoint from './0004_token_endpoint.ts'
import * as usedIds from './0005_used_ids.ts'
import * as pushedRequests from './0007_pushed_requests.ts'
import * as subjects from './0009_subjects.ts'
import * as sessionClients from './0010_session_clients.ts'
import * as deviceCodes from './0011_device_codes.ts'
import * as registration from './0012_registration.ts'

export const migrations: Record<string, Migration> = {
  '0001_first': first,
  '0002_rules': rules,
  '0003_former_passwords': formerPasswords,
  '0004_token_endpoint': tokenEndpoint,
  '0005_used_ids': usedIds,
  '0007_pushed_requests': pushedRequests,
  '0009_subjects': subjects,
  '0010_session_clients': sessionClients,
  '0011_device_codes': deviceCodes,
  '0012_registration': registration,
}
