/** Owns the development tenant: its file, and the password of its one user, which is made at the first start and kept. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '@latchkey/store'
import { alphanumeric } from '../tenant_file/ids.ts'
import { type PasswordWork, planTenant } from '../tenant_file/index.ts'
import { logoAddresses } from './logos.ts'

/** What `seed.yaml` says and other programs need to know. */
export const demo = {
  client_id: 'LatchkeyDemoSinglePageApp0000001',
  react_client_id: 'LatchkeyDemoReactApp000000000001',
  mobile_client_id: 'LatchkeyDemoMobileApp00000000001',
  television_client_id: 'LatchkeyDemoTelevision0000000001',
  connection: 'Username-Password-Authentication',
  email: 'demo@example.com',
  scope: 'read:messages write:messages read:contacts write:contacts',
} as const

/** The identifier of the demo API, which is also its address. */
export function demoAudience(api_port: number): string {
  return `http://localhost:${api_port}/`
}

export interface SeedOptions {
  readonly store: Store
  readonly passwords: PasswordWork
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Random bytes as base64url. */
  readonly random: (bytes: number) => string
  /** The canonical name of the server, with its slash. */
  readonly issuer: string
  readonly app_port: number
  readonly api_port: number
  /** Where the password is kept; undefined keeps it nowhere. */
  readonly directory?: string | undefined
}

export interface Seeded {
  readonly email: string
  /** Undefined when the user has chosen another password meanwhile, or the file with it is gone. */
  readonly password: string | undefined
}

/** Brings the tenant to what `seed.yaml` says. The user is made once and then left alone. */
export async function seedTenant(options: SeedOptions): Promise<Seeded> {
  const { store, passwords, now, random, issuer, app_port, api_port, directory } = options
  const kept = directory === undefined ? undefined : readPassword(directory)
  const password = kept ?? `Demo${alphanumeric(random, 12)}7`
  // On the disk before it is in the database: a start that is broken off must not leave a password nobody knows.
  if (kept === undefined && directory !== undefined) writePassword(directory, password)
  const plan = await planTenant(readFileSync(new URL('./seed.yaml', import.meta.url), 'utf8'), {
    ...{ file: 'seed.yaml', store, passwords, now, random, existing_users: 'keep' },
    keywords: { APP_PORT: app_port, API_PORT: api_port, DEMO_PASSWORD: password, ...logoAddresses(issuer) },
  })
  await plan.apply()
  const user = await store.users.findByEmail(demo.connection, demo.email)
  const isCurrent =
    plan.changes.some(({ kind }) => kind === 'user') ||
    (user?.password_hash !== undefined && (await passwords.verify(user.password_hash, password)).ok)
  return { email: demo.email, password: isCurrent ? password : undefined }
}

const passwordFile = (directory: string) => join(directory, 'demo_password')

function readPassword(directory: string): string | undefined {
  const file = passwordFile(directory)
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  return text === '' ? undefined : text
}

function writePassword(directory: string, password: string): void {
  mkdirSync(directory, { recursive: true })
  const file = passwordFile(directory)
  writeFileSync(file, `${password}\n`, { mode: 0o600 })
  chmodSync(file, 0o600)
}
