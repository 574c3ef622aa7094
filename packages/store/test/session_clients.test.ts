/** Who is to hear of the end of a session: remembered once, told by one worker, until each has heard. */
import { describe, expect, test } from 'vitest'
import type { Store } from '../src/index.ts'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

const hour = 3_600_000
const issuer = 'https://login.example.com/'

async function begin(store: Store, user_id: string, ends_at = now + hour): Promise<string> {
  const session_id = fresh()
  await store.sessions.create(
    {
      ...{ session_id, secret: fresh(), silent_secret: fresh(), user_id, auth_time: 0, amr: [] },
      ...{ idle_ends_at: ends_at, ends_at },
    },
    now,
  )
  return session_id
}

async function allDue(store: Store, at: number): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const notice = await store.sessionClients.takeDue(at, at + 60_000)
    if (notice === undefined) return found.toSorted()
    found.push(`${notice.client_id} ${notice.sid}`)
  }
}

describe.each(kinds)('clients of a session over %s', (kind) => {
  const opened = useStore(kind)
  const storeOf = () => opened.storeOf(fresh('tenant'))

  test('are remembered once, and only for a session there is', async () => {
    const store = storeOf()
    const session = await begin(store, 'ada')
    await atOnce(20, () => store.sessionClients.remember(session, 'a', issuer, now))
    await store.sessionClients.remember('gone', 'a', issuer, now)
    const facts = { sid: session, client_id: 'a', user_id: 'ada', issuer }
    expect(await store.sessionClients.list(session)).toEqual([facts])
    expect(await store.sessionClients.list('gone')).toEqual([])
    expect(await allDue(store, now + hour)).toEqual([])
  })

  test('become due when the session ends, each taken by one worker, again after a failure, no more once told', async () => {
    const store = storeOf()
    const session = await begin(store, 'ada')
    for (const client of ['a', 'b']) await store.sessionClients.remember(session, client, issuer, now)
    await store.sessions.end(session, now)
    expect(await store.sessionClients.list(session)).toEqual([])
    const taken = (await atOnce(10, () => store.sessionClients.takeDue(now, now + 60_000))).filter(Boolean)
    expect(taken.map((one) => one?.client_id).toSorted()).toEqual(['a', 'b'])
    await store.sessionClients.told(session, 'a')
    await store.sessionClients.failed(session, 'b', 'no answer', now + 5000)
    expect(await allDue(store, now + 4999)).toEqual([])
    expect(await store.sessionClients.takeDue(now + 5000, now + 60_000)).toMatchObject({ client_id: 'b', attempts: 2 })
    expect(await allDue(store, now + 25 * hour)).toEqual([])
    await store.upkeep.sweep(now + 25 * hour)
    expect(await store.sessionClients.takeDue(now + 2 * hour, now)).toBeUndefined()
  })

  test('of every session of a user become due when all of them end, of nobody else', async () => {
    const store = storeOf()
    const [one, two, other] = [await begin(store, 'ada'), await begin(store, 'ada'), await begin(store, 'eve')]
    for (const session of [one, two, other]) await store.sessionClients.remember(session, 'a', issuer, now)
    await store.sessions.endAllOf('ada', now)
    expect(await allDue(store, now)).toEqual([`a ${one}`, `a ${two}`].toSorted())
    expect(await store.sessionClients.list(other)).toHaveLength(1)
  })

  test('go on with the session that replaces theirs, under the sid they know', async () => {
    const store = storeOf()
    const old = await begin(store, 'ada')
    const next = await begin(store, 'ada', now + 9 * hour)
    await store.sessionClients.remember(old, 'a', issuer, now)
    await store.sessions.replace(old, next)
    await store.sessionClients.remember(next, 'a', issuer, now)
    expect(await store.sessions.isLive(old, now)).toBe(false)
    expect((await store.sessionClients.list(next)).map(({ sid }) => sid).toSorted()).toEqual([old, next].toSorted())
    await store.upkeep.sweep(now + 2 * hour)
    await store.sessions.end(next, now + 3 * hour)
    expect(await allDue(store, now + 3 * hour)).toEqual([`a ${old}`, `a ${next}`].toSorted())
  })

  test('a session that was not ended is over without a notice', async () => {
    const store = storeOf()
    const session = await begin(store, 'ada')
    await store.sessionClients.remember(session, 'a', issuer, now)
    await store.upkeep.sweep(now + 2 * hour)
    expect(await store.sessionClients.list(session)).toEqual([])
  })
})

describe.each(kinds)('refresh tokens of a session over %s', (kind) => {
  const opened = useStore(kind)

  test('end with it, live on with the one that replaces it, and leave the others alone', async () => {
    const store = opened.storeOf(fresh('tenant'))
    const family = (session_id?: string) => ({
      ...{ family_id: fresh(), lineage: fresh(), client_id: 'c', user_id: 'ada', authorization: '{}' },
      ...{ idle_ends_at: now + hour, ends_at: now + hour },
      ...(session_id === undefined ? {} : { session_id }),
    })
    const old = await begin(store, 'ada')
    const next = await begin(store, 'ada')
    const [bound, free] = [family(old), family()]
    for (const one of [bound, free]) await store.refreshTokens.create(one, 't', now)
    await store.sessions.replace(old, next)
    expect(await store.refreshTokens.find(bound.family_id, 't')).toMatchObject({ session_id: next, revoked: false })
    await store.sessions.end(next, now)
    expect(await store.refreshTokens.find(bound.family_id, 't')).toMatchObject({ revoked: true })
    expect(await store.refreshTokens.find(free.family_id, 't')).toMatchObject({ revoked: false })
    const another = family(await begin(store, 'ada'))
    await store.refreshTokens.create(another, 't', now)
    await store.sessions.endAllOf('ada', now)
    expect(await store.refreshTokens.find(another.family_id, 't')).toMatchObject({ revoked: true })
    expect(await store.refreshTokens.find(free.family_id, 't')).toMatchObject({ revoked: false })
  })
})
