/** Owns the rules of a tenant: the functions that an administrator lets run at every authorization, and the settings they read. */
import type { Scope } from './scope.ts'

/** Names are those of Auth0's Management API. */
export interface Rule {
  readonly id: string
  readonly name: string
  /** The source text of a JavaScript function. */
  readonly script: string
  /** Lower runs earlier. */
  readonly order: number
  readonly enabled: boolean
  readonly stage: 'login_success'
}

export interface RulesConfig {
  readonly key: string
  readonly value: string
}

export type RuleStore = ReturnType<typeof ruleStore>

export function ruleStore({ db, tenant, vault }: Scope) {
  return {
    /** Every rule, in the order they run. */
    async list(): Promise<readonly Rule[]> {
      const rows = await db.selectFrom('rules').selectAll().where('tenant', '=', tenant).orderBy('name').execute()
      return rows
        .map((row) => ({ ...JSON.parse(row.settings), id: row.id, name: row.name }) as Rule)
        .toSorted((a, b) => a.order - b.order)
    },

    async listConfigs(): Promise<readonly RulesConfig[]> {
      const rows = await db
        .selectFrom('rules_configs')
        .select(['config_key', 'sealed_value'])
        .where('tenant', '=', tenant)
        .orderBy('config_key')
        .execute()
      return rows.map((row) => ({ key: row.config_key, value: vault.open(row.sealed_value) }))
    },

    async save({ id, name, ...settings }: Rule, now: number): Promise<void> {
      const body = JSON.stringify(settings)
      await db
        .insertInto('rules')
        .values({ tenant, id, name, settings: body, created_at: now, updated_at: now })
        .onConflict((c) => c.columns(['tenant', 'id']).doUpdateSet({ name, settings: body, updated_at: now }))
        .execute()
    },

    async saveConfig({ key, value }: RulesConfig, now: number): Promise<void> {
      const sealed_value = vault.seal(value)
      await db
        .insertInto('rules_configs')
        .values({ tenant, config_key: key, sealed_value, created_at: now, updated_at: now })
        .onConflict((c) => c.columns(['tenant', 'config_key']).doUpdateSet({ sealed_value, updated_at: now }))
        .execute()
    },
  }
}
