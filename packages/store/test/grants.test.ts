/** The remembered yes: it grows, it is one user's for one client at one API, and it goes when revoked. */
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

describe.each(kinds)('grants over %s', (kind) => {
  const opened = useStore(kind)
  const grant = (scope: readonly string[], user_id = fresh('auth0|')) => ({
    ...{ grant_id: fresh(), user_id, client_id: 'client', audience: 'https://api/', scope },
  })

  test('nobody was asked, asked for nothing, asked for something: three answers', async () => {
    const { grants } = opened.store
    const one = grant([])
    expect(await grants.scope(one.user_id, 'client', 'https://api/')).toBeUndefined()
    await grants.allow(one, now)
    expect(await grants.scope(one.user_id, 'client', 'https://api/')).toEqual([])
    await grants.allow({ ...one, scope: ['b', 'a'] }, now)
    expect(await grants.scope(one.user_id, 'client', 'https://api/')).toEqual(['b', 'a'])
  })

  test('a new yes is added to the old one, under the same id', async () => {
    const { grants } = opened.store
    const one = grant(['openid', 'read:a'])
    await grants.allow(one, now)
    await grants.allow({ ...grant(['read:b', 'openid'], one.user_id) }, now + 1)
    expect(await grants.list(one.user_id)).toEqual([{ ...one, scope: ['openid', 'read:a', 'read:b'] }])
  })

  test('a hundred at once lose no scope', async () => {
    const one = grant([])
    await atOnce(100, (index) => opened.store.grants.allow({ ...grant([`s${index}`], one.user_id) }, now))
    const scope = await opened.store.grants.scope(one.user_id, 'client', 'https://api/')
    expect(new Set(scope)).toEqual(new Set(Array.from({ length: 100 }, (_, index) => `s${index}`)))
    expect(await opened.store.grants.list(one.user_id)).toHaveLength(1)
  })

  test('another user, client, API or tenant has not said yes', async () => {
    const { grants } = opened.store
    const one = grant(['a'])
    await grants.allow(one, now)
    expect(await grants.scope(fresh(), 'client', 'https://api/')).toBeUndefined()
    expect(await grants.scope(one.user_id, 'Client', 'https://api/')).toBeUndefined()
    expect(await grants.scope(one.user_id, 'client', 'https://api')).toBeUndefined()
    expect(await opened.storeOf('two').grants.scope(one.user_id, 'client', 'https://api/')).toBeUndefined()
    expect(await opened.storeOf('two').grants.list(one.user_id)).toEqual([])
  })

  test('is revoked by its id, once', async () => {
    const { grants } = opened.store
    const one = grant(['a'])
    await grants.allow(one, now)
    expect(await opened.storeOf('two').grants.revoke(one.grant_id)).toBeUndefined()
    expect((await atOnce(20, () => grants.revoke(one.grant_id))).filter((gone) => gone)).toHaveLength(1)
    expect(await grants.scope(one.user_id, 'client', 'https://api/')).toBeUndefined()
    await grants.allow({ ...one, scope: ['b'] }, now)
    expect(await grants.scope(one.user_id, 'client', 'https://api/')).toEqual(['b'])
  })
})
