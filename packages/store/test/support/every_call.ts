/** Owns one call of every method of every aggregate, so that each of their statements is sent once. */
import type { Aggregates, Store } from '../../src/index.ts'
import { now } from './stores.ts'

type Calls = {
  readonly [Name in keyof Aggregates]: { readonly [Method in keyof Aggregates[Name]]: (s: Store) => unknown }
}

const user = { user_id: 'u', connection: 'db', email: 'a@example.com', email_verified: false, profile: {} }
const key = { kid: 'k', alg: 'ES256', state: 'current', public_jwk: {}, private_key: 'p', created_at: now } as const
const session = { session_id: 's', secret: 'x', silent_secret: 'y', user_id: 'u', auth_time: 0, amr: [] }
const mail = {
  mail_id: 'm',
  recipient: 'a',
  kind: 'k',
  subject: 's',
  text: 't',
  html: 'h',
  created_at: now,
  attempts: 0,
}
const family = {
  ...{ family_id: 'f', lineage: 'l', client_id: 'c', user_id: 'u', authorization: '{}' },
  ...{ idle_ends_at: now + 9, ends_at: now + 9 },
}
const rule = { id: 'r', name: 'n', script: '', order: 1, enabled: true, stage: 'login_success' } as const
const client = { client_id: 'c', name: 'C' } as Parameters<Aggregates['configuration']['saveClient']>[0]
const api = { id: 'i', identifier: 'a', signing_secret: 's' } as Parameters<
  Aggregates['configuration']['saveResourceServer']
>[0]
const connection = { id: 'i', name: 'db', strategy: 'auth0', is_domain_connection: false, options: {} }

const calls: Calls = {
  configuration: {
    ensureTenant: (s) => s.configuration.ensureTenant(now),
    version: (s) => s.configuration.version(),
    touch: (s) => s.configuration.touch(now),
    read: (s) => s.configuration.read(),
    saveSettings: (s) => s.configuration.saveSettings({}, now),
    saveClient: (s) => s.configuration.saveClient(client, now),
    saveClientSecret: (s) => s.configuration.saveClientSecret('c', 's', now),
    deleteClient: (s) => s.configuration.deleteClient('c'),
    clientSecret: (s) => s.configuration.clientSecret('c'),
    hasClientSecret: (s) => s.configuration.hasClientSecret('c', 's'),
    saveResourceServer: (s) => s.configuration.saveResourceServer(api, now),
    saveConnection: (s) => s.configuration.saveConnection(connection, now),
    saveClientGrant: (s) => s.configuration.saveClientGrant({ id: 'g', client_id: 'c', audience: 'a', scope: [] }, now),
  },
  rules: {
    list: (s) => s.rules.list(),
    listConfigs: (s) => s.rules.listConfigs(),
    save: (s) => s.rules.save(rule, now),
    saveConfig: (s) => s.rules.saveConfig({ key: 'k', value: 'v' }, now),
  },
  users: {
    create: (s) => s.users.create(user, now),
    find: (s) => s.users.find('u'),
    findByEmail: (s) => s.users.findByEmail('db', 'a'),
    findByUsername: (s) => s.users.findByUsername('db', 'a'),
    list: (s) => s.users.list(5, 'a'),
    update: (s) => s.users.update('u', { ...user, username: 'n', password_hash: 'h', blocked: false }, now),
    rehash: (s) => s.users.rehash('u', 'a', 'b'),
    recordLogin: (s) => s.users.recordLogin('u', 'ip', now),
  },
  subjects: {
    create: (s) => s.subjects.create({ sector: 's', user_id: 'u' }, 'x', now),
    subOf: (s) => s.subjects.subOf({ sector: 's', user_id: 'u' }),
    find: (s) => s.subjects.find('x'),
  },
  formerPasswords: {
    list: (s) => s.formerPasswords.list('u', 5),
    add: (s) => s.formerPasswords.add('u', 'h', 5, now),
  },
  sessions: {
    create: (s) => s.sessions.create({ ...session, idle_ends_at: now + 9, ends_at: now + 9 }, now),
    find: (s) => s.sessions.find('x', now),
    findSilent: (s) => s.sessions.findSilent('y', now),
    isLive: (s) => s.sessions.isLive('s', now),
    see: (s) => s.sessions.see('s', now, now),
    end: (s) => s.sessions.end('s', now),
    endAllOf: (s) => s.sessions.endAllOf('u', now),
    replace: (s) => s.sessions.replace('s', 't'),
  },
  sessionClients: {
    remember: (s) => s.sessionClients.remember('s', 'c', 'i', now),
    list: (s) => s.sessionClients.list('s'),
    carryOver: (s) => s.sessionClients.carryOver('s', 't'),
    end: (s) => s.sessionClients.end('t', now),
    endAllOf: (s) => s.sessionClients.endAllOf('u', now),
    takeDue: (s) => s.sessionClients.takeDue(now, now + 1),
    failed: (s) => s.sessionClients.failed('s', 'c', 'why', now),
    told: (s) => s.sessionClients.told('s', 'c'),
  },
  deviceCodes: {
    create: (s) =>
      s.deviceCodes.create(
        { device_code: 'd', user_code: 'u' },
        { client_id: 'c', request: '{}', ends_at: now + 9, kept_until: now + 9, poll_interval: 5 },
        now,
      ),
    findByUserCode: (s) => s.deviceCodes.findByUserCode('u', now),
    findPending: (s) => s.deviceCodes.findPending('d', now),
    poll: (s) => s.deviceCodes.poll('d', now),
    peek: (s) => s.deviceCodes.peek('d'),
    decide: (s) => s.deviceCodes.decide('d', { decision: 'allowed', authorization: '{}' }, now),
    take: (s) => s.deviceCodes.take('d', now),
  },
  grants: {
    allow: (s) => s.grants.allow({ grant_id: 'g', user_id: 'u', client_id: 'c', audience: 'a', scope: [] }, now),
    scope: (s) => s.grants.scope('u', 'c', 'a'),
    list: (s) => s.grants.list('u'),
    revoke: (s) => s.grants.revoke('g'),
  },
  transactions: {
    create: (s) => s.transactions.create({ state: 's', browser: 'b', request: '{}', ends_at: now + 9 }, now),
    find: (s) => s.transactions.find('s', 'b', now),
    advance: async (s) => {
      for (const step of ['authenticated', 'account_chosen', 'consented'] as const)
        await s.transactions.advance('s', 'b', step, 'x', now)
    },
    saveRules: (s) => s.transactions.saveRules('s', 'b', '{}', now),
    take: (s) => s.transactions.take('s', 'b', now),
  },
  accessTokens: {
    create: (s) =>
      s.accessTokens.create('t', {
        ...{ client_id: 'c', user_id: 'u', audience: [], scope: '', issued_at: now, ends_at: now + 9 },
      }),
    find: (s) => s.accessTokens.find('t', now),
    revoke: (s) => s.accessTokens.revoke('t'),
    revokeLineage: (s) => s.accessTokens.revokeLineage('l'),
    revokeAllOf: (s) => s.accessTokens.revokeAllOf('u'),
  },
  codes: {
    create: (s) =>
      s.codes.create(
        'c',
        { lineage: 'l', client_id: 'c', authorization: '{}', ends_at: now + 9, kept_until: now + 9 },
        now,
      ),
    peek: (s) => s.codes.peek('c'),
    take: (s) => s.codes.take('c', now),
  },
  pushedRequests: {
    create: (s) =>
      s.pushedRequests.create('p', { client_id: 'c', request: '{}', ends_at: now + 9, kept_until: now + 9 }, now),
    peek: (s) => s.pushedRequests.peek('p', 'c', now),
    take: (s) => s.pushedRequests.take('p', now),
  },
  refreshTokens: {
    create: (s) => s.refreshTokens.create(family, 'a', now),
    find: (s) => s.refreshTokens.find('f', 'a'),
    rotate: (s) => s.refreshTokens.rotate('f', 'a', 'b', { idle_ends_at: now + 9 }, now),
    see: (s) => s.refreshTokens.see('f', 't', now + 9, now),
    revokeOfSession: (s) => s.refreshTokens.revokeOfSession('s', now),
    revokeOfSessionsOf: (s) => s.refreshTokens.revokeOfSessionsOf('u', now),
    carryOver: (s) => s.refreshTokens.carryOver('s', 't'),
    listOf: (s) => s.refreshTokens.listOf('u', 'c'),
    revokeFamily: (s) => s.refreshTokens.revokeFamily('f', now),
    revokeLineage: (s) => s.refreshTokens.revokeLineage('l', now),
    revokeAllOf: async (s) => {
      await s.refreshTokens.revokeAllOf('u', undefined, now)
      await s.refreshTokens.revokeAllOf('u', 'c', now)
    },
  },
  registrationTokens: {
    createInitial: (s) => s.registrationTokens.createInitial('t', 1, now + 9, now),
    useInitial: (s) => s.registrationTokens.useInitial('t', now),
    createForClient: (s) => s.registrationTokens.createForClient('o', 'c', now),
    clientOf: (s) => s.registrationTokens.clientOf('o'),
    count: (s) => s.registrationTokens.count(),
    endForClient: (s) => s.registrationTokens.endForClient('c'),
  },
  usedIds: { take: (s) => s.usedIds.take('k', 'i', now + 9) },
  revocations: {
    add: (s) => s.revocations.add('r', now + 9),
    has: (s) => s.revocations.has('r', 'l'),
  },
  tokenClaims: {
    create: (s) => s.tokenClaims.create('t', {}, now + 9),
    find: (s) => s.tokenClaims.find('t', now),
  },
  tickets: {
    create: (s) => s.tickets.create('unblock', 't', { user_id: 'u', details: {} }, now + 9, now),
    endAllOf: (s) => s.tickets.endAllOf('u', now),
    peek: (s) => s.tickets.peek('unblock', 't', now),
    newest: (s) => s.tickets.newest('u', 'unblock', now),
    take: (s) => s.tickets.take('unblock', 't', now),
  },
  signingKeys: {
    list: (s) => s.signingKeys.list(),
    algorithmsSince: (s) => s.signingKeys.algorithmsSince(now),
    addIfMissing: (s) => s.signingKeys.addIfMissing(key, now),
    rotate: (s) => s.signingKeys.rotate('ES256', 'k', { ...key, kid: 'n', state: 'next' }, now),
    revoke: (s) => s.signingKeys.revoke('k', now),
  },
  counters: {
    add: (s) => s.counters.add('k', 1000, now),
    takeBack: (s) => s.counters.takeBack('k'),
    read: (s) => s.counters.read('k', now),
    clear: (s) => s.counters.clear('k'),
    clearAll: (s) => s.counters.clearAll('k'),
  },
  mails: {
    add: (s) => s.mails.add(mail),
    takeDue: (s) => s.mails.takeDue(now, now + 1),
    sent: (s) => s.mails.sent('m', now),
    failed: (s) => s.mails.failed('m', 'why', now),
    list: (s) => s.mails.list(5),
    find: (s) => s.mails.find('m'),
  },
  upkeep: {
    sweep: (s) => s.upkeep.sweep(now),
    countUse: (s) => s.upkeep.countUse('c', 'token', '2026-01-01', 1),
    usage: (s) => s.upkeep.usage('c'),
  },
}

/** Calls every method. @returns those that have no call here */
export async function callEvery(store: Store): Promise<readonly string[]> {
  const uncalled: string[] = []
  for (const [name, aggregate] of Object.entries(store)) {
    if (typeof aggregate !== 'object' || name === 'vault') continue
    const known: Readonly<Record<string, (s: Store) => unknown>> = calls[name as keyof Calls] ?? {}
    for (const method of Object.keys(aggregate)) {
      const call = known[method]
      if (call === undefined) uncalled.push(`${name}.${method}`)
      else await call(store)
    }
  }
  return uncalled
}
