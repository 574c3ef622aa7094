/** Owns the trips through login: what was asked, how far the browser has come, and that one trip yields one answer. */
import type { Selectable } from 'kysely'
import type { TransactionTable } from './schema.ts'
import type { Scope } from './scope.ts'

export interface StoredTransaction {
  /** The authorization request, as its owner wrote it. */
  readonly request: string
  /** What is done, each by the session that did it: a step taken by one person counts for nobody else. */
  readonly authenticated?: string
  readonly account_chosen?: string
  readonly consented?: string
  /** What the rules said, as its owner wrote it. */
  readonly rules?: string
  readonly created_at: number
}

export type TransactionStep = 'authenticated' | 'account_chosen' | 'consented'

export type TransactionStore = ReturnType<typeof transactionStore>

/** A trip is found by its handle and the secret of the browser that began it; the one is worth nothing without the other. */
export function transactionStore({ db, tenant, vault }: Scope) {
  const stateHash = (state: string) => vault.hashes('transaction', state)
  const browserHash = (browser: string) => vault.hashes('browser', browser)

  const open = (state: string, browser: string, now: number) =>
    db
      .selectFrom('transactions')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('state_hash', 'in', stateHash(state))
      .where('browser_hash', 'in', browserHash(browser))
      .where('taken_at', 'is', null)
      .where('ends_at', '>', now)

  return {
    async create(
      trip: { state: string; browser: string; request: string; rules?: string; ends_at: number },
      now: number,
    ): Promise<void> {
      await db
        .insertInto('transactions')
        .values({
          tenant,
          state_hash: vault.hash('transaction', trip.state),
          browser_hash: vault.hash('browser', trip.browser),
          request: trip.request,
          rules: trip.rules ?? null,
          created_at: now,
          ends_at: trip.ends_at,
        })
        .execute()
    },

    async find(state: string, browser: string, now: number): Promise<StoredTransaction | undefined> {
      const row = await open(state, browser, now).executeTakeFirst()
      return row === undefined ? undefined : transactionOf(row)
    },

    /** Writes down that a session took a step. @returns false when the trip has ended meanwhile */
    async advance(
      state: string,
      browser: string,
      step: TransactionStep,
      session_id: string,
      now: number,
    ): Promise<boolean> {
      const result = await db
        .updateTable('transactions')
        .set({ [step]: session_id })
        .where('tenant', '=', tenant)
        .where('state_hash', 'in', stateHash(state))
        .where('browser_hash', 'in', browserHash(browser))
        .where('taken_at', 'is', null)
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    /** Writes down what the rules said. @returns false when the trip has ended meanwhile */
    async saveRules(state: string, browser: string, rules: string, now: number): Promise<boolean> {
      const result = await db
        .updateTable('transactions')
        .set({ rules })
        .where('tenant', '=', tenant)
        .where('state_hash', 'in', stateHash(state))
        .where('browser_hash', 'in', browserHash(browser))
        .where('taken_at', 'is', null)
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    /** Ends the trip; only the first caller gets it. */
    async take(state: string, browser: string, now: number): Promise<boolean> {
      const rows = await db
        .updateTable('transactions')
        .set({ taken_at: now })
        .where('tenant', '=', tenant)
        .where('state_hash', 'in', stateHash(state))
        .where('browser_hash', 'in', browserHash(browser))
        .where('taken_at', 'is', null)
        .where('ends_at', '>', now)
        .returning('state_hash')
        .execute()
      return rows.length > 0
    },
  }
}

function transactionOf(row: Selectable<TransactionTable>): StoredTransaction {
  return {
    request: row.request,
    created_at: row.created_at,
    ...(row.authenticated === null ? {} : { authenticated: row.authenticated }),
    ...(row.account_chosen === null ? {} : { account_chosen: row.account_chosen }),
    ...(row.consented === null ? {} : { consented: row.consented }),
    ...(row.rules === null ? {} : { rules: row.rules }),
  }
}
