/** Owns the tokens of client registration. An initial one lets so many clients register; each client has one of its own to change itself. */
import type { Scope } from './scope.ts'

/** Milliseconds since 1970: the registration token of a client lives as long as the client. */
const never = 253_402_300_799_000

export type RegistrationTokenStore = ReturnType<typeof registrationTokenStore>

export function registrationTokenStore({ db, tenant, vault }: Scope) {
  const initial = (token: string) => vault.hashes('registration initial', token)
  const own = (token: string) => vault.hashes('registration client', token)
  return {
    async createInitial(token: string, uses_left: number, ends_at: number, now: number): Promise<void> {
      await db
        .insertInto('registration_tokens')
        .values({
          ...{ tenant, kind: 'initial', token_hash: vault.hash('registration initial', token) },
          ...{ uses_left, created_at: now, ends_at },
        })
        .execute()
    },

    /** Uses an initial token once. @returns false when it has no use left, is over, or is none */
    async useInitial(token: string, now: number): Promise<boolean> {
      const rows = await db
        .updateTable('registration_tokens')
        .set((eb) => ({ uses_left: eb('uses_left', '-', 1) }))
        .where('tenant', '=', tenant)
        .where('token_hash', 'in', initial(token))
        .where('kind', '=', 'initial')
        .where('uses_left', '>', 0)
        .where('ends_at', '>', now)
        .returning('token_hash')
        .execute()
      return rows.length > 0
    },

    async createForClient(token: string, client_id: string, now: number): Promise<void> {
      await db
        .insertInto('registration_tokens')
        .values({
          ...{ tenant, kind: 'client', token_hash: vault.hash('registration client', token), client_id },
          ...{ created_at: now, ends_at: never },
        })
        .execute()
    },

    /** The client that a token belongs to. */
    async clientOf(token: string): Promise<string | undefined> {
      const row = await db
        .selectFrom('registration_tokens')
        .select('client_id')
        .where('tenant', '=', tenant)
        .where('token_hash', 'in', own(token))
        .where('kind', '=', 'client')
        .executeTakeFirst()
      return row?.client_id ?? undefined
    },

    /** How many clients have registered themselves. */
    async count(): Promise<number> {
      const { count } = await db
        .selectFrom('registration_tokens')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tenant', '=', tenant)
        .where('kind', '=', 'client')
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    async endForClient(client_id: string): Promise<void> {
      await db
        .deleteFrom('registration_tokens')
        .where('tenant', '=', tenant)
        .where('kind', '=', 'client')
        .where('client_id', '=', client_id)
        .execute()
    },
  }
}
