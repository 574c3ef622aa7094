/** Owns the store of one tenant: every aggregate, over one database. */
import { accessTokenStore } from './access_tokens.ts'
import { codeStore } from './codes.ts'
import { configurationStore } from './configuration.ts'
import { counterStore } from './counters.ts'
import { type Database, inTransaction } from './database.ts'
import { deviceCodeStore } from './device_codes.ts'
import { formerPasswordStore } from './former_passwords.ts'
import { grantStore } from './grants.ts'
import { mailStore } from './mails.ts'
import { pushedRequestStore } from './pushed_requests.ts'
import { refreshTokenStore } from './refresh_tokens.ts'
import { registrationTokenStore } from './registration_tokens.ts'
import { revocationStore } from './revocations.ts'
import { ruleStore } from './rules.ts'
import type { Scope } from './scope.ts'
import { sessionClientStore } from './session_clients.ts'
import { sessionStore } from './sessions.ts'
import { signingKeyStore } from './signing_keys.ts'
import { subjectStore } from './subjects.ts'
import { ticketStore } from './tickets.ts'
import { tokenClaimStore } from './token_claims.ts'
import { transactionStore } from './transactions.ts'
import { upkeepStore } from './upkeep.ts'
import { usedIdStore } from './used_ids.ts'
import { userStore } from './users.ts'
import type { Vault } from './vault.ts'

export type Store = ReturnType<typeof openStore>

/** The store of one tenant. Inside `atomically` the same aggregates work on one database transaction. */
export function openStore(db: Database, tenant: string, vault: Vault) {
  return {
    ...aggregates({ db, tenant, vault }),
    vault,
    /** Runs `work` in one database transaction: all of it is written, or nothing. */
    atomically<T>(work: (store: Aggregates) => Promise<T>): Promise<T> {
      return inTransaction(db, (trx) => work(aggregates({ db: trx, tenant, vault })))
    },
    /** @throws when the database does not answer */
    async ping(): Promise<void> {
      await db.selectFrom('tenants').select('tenant').limit(1).execute()
    },
  }
}

export type Aggregates = ReturnType<typeof aggregates>

function aggregates(scope: Scope) {
  return {
    configuration: configurationStore(scope),
    rules: ruleStore(scope),
    users: userStore(scope),
    subjects: subjectStore(scope),
    formerPasswords: formerPasswordStore(scope),
    sessions: sessionStore(scope),
    sessionClients: sessionClientStore(scope),
    grants: grantStore(scope),
    transactions: transactionStore(scope),
    accessTokens: accessTokenStore(scope),
    tokenClaims: tokenClaimStore(scope),
    codes: codeStore(scope),
    pushedRequests: pushedRequestStore(scope),
    refreshTokens: refreshTokenStore(scope),
    revocations: revocationStore(scope),
    usedIds: usedIdStore(scope),
    registrationTokens: registrationTokenStore(scope),
    deviceCodes: deviceCodeStore(scope),
    tickets: ticketStore(scope),
    signingKeys: signingKeyStore(scope),
    counters: counterStore(scope),
    mails: mailStore(scope),
    upkeep: upkeepStore(scope),
  }
}
