/** Sessions: how they begin, what they live on, and when they are over whatever the cookie says. */
import type { TenantSettings } from '@latchkey/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { beginSession, findSession, type IdentityContext, silentSecret } from '../src/index.ts'
import { openWorld, start, type World } from './support/world.ts'

const minute = 60_000
const hour = 60 * minute

let world: World
let user_id: string
beforeEach(async () => {
  world = await openWorld()
  ;({ user_id } = await world.addUser())
})
afterEach(() => world.close())

const begin = (ctx: IdentityContext = world.ctx) => beginSession(ctx, user_id, ['pwd'])
const find = (secret: string | undefined, ctx: IdentityContext = world.ctx) => findSession(ctx, secret, 'session')
const seenAt = async (secret: string) => (await world.ctx.store.sessions.find(secret, world.ctx.now()))?.session.seen_at

describe('contract E3 the life of a session', () => {
  test('begins with a secret of 256 bits that nobody else knows', async () => {
    const [one, two] = [await begin(), await begin()]
    expect(one.secret).toMatch(/^[\w-]{43}$/)
    expect(new Set([one.secret, two.secret, one.session_id, two.session_id]).size).toBe(4)
    expect(one.ends_at).toBe(start + 168 * hour)
    const found = await find(one.secret)
    expect(found?.session).toMatchObject({ session_id: one.session_id, auth_time: start / 1000, amr: ['pwd'] })
    expect(found?.user.user_id).toBe(user_id)
  })

  test('idle for three days it is over; each visit begins them anew, for a week at most', async () => {
    const { secret } = await begin()
    world.advance(72 * hour - 1)
    expect(await find(secret)).toBeDefined()
    world.advance(72 * hour - 1)
    expect(await find(secret)).toBeDefined()
    world.advance(24 * hour)
    expect(await find(secret)).toBeDefined()
    world.advance(2)
    expect(await find(secret)).toBeUndefined()
    const idle = await begin()
    world.advance(72 * hour)
    expect(await find(idle.secret)).toBeUndefined()
  })

  test('the absolute end comes to the millisecond, however busy it was', async () => {
    const { secret } = await begin()
    for (let day = 1; day < 7; day++) {
      world.advance(24 * hour)
      expect(await find(secret)).toBeDefined()
    }
    world.advance(24 * hour - 1)
    expect(await find(secret)).toBeDefined()
    world.advance(1)
    expect(await find(secret)).toBeUndefined()
  })

  test('activity is written at most once a minute', async () => {
    const { secret } = await begin()
    world.advance(minute)
    await find(secret)
    expect(await seenAt(secret)).toBe(start)
    world.advance(1)
    await find(secret)
    expect(await seenAt(secret)).toBe(start + minute + 1)
    world.advance(minute / 2)
    await Promise.all(Array.from({ length: 20 }, () => find(secret)))
    expect(await seenAt(secret)).toBe(start + minute + 1)
  })

  test('a cookie for this browser session alone has no end of its own; the session has', async () => {
    const ctx = await world.configure({ session_cookie: { mode: 'non-persistent' } })
    const { secret, ends_at } = await begin(ctx)
    expect(ends_at).toBeUndefined()
    world.advance(72 * hour)
    expect(await find(secret, ctx)).toBeUndefined()
  })
})

describe('contract E3.1 lifetimes that are changed', () => {
  const settings = (session_lifetime: number, idle_session_lifetime: number): TenantSettings => ({
    ...{ session_lifetime, idle_session_lifetime },
  })

  test('shortened: running sessions too', async () => {
    const { secret } = await begin()
    world.advance(2 * hour)
    const shorter = await world.configure(settings(168, 1))
    expect(await find(secret, shorter)).toBeUndefined()
    const other = await begin()
    world.advance(hour + 1)
    expect(await find(other.secret, await world.configure(settings(1, 1)))).toBeUndefined()
  })

  test('shortened: activity moves the end by the shorter time', async () => {
    const { secret } = await begin()
    const shorter = await world.configure(settings(168, 2))
    world.advance(hour)
    expect((await find(secret, shorter))?.session).toBeDefined()
    world.advance(2 * hour + 1)
    expect(await find(secret, shorter)).toBeUndefined()
    // Not even where the setting is taken back.
    expect(await find(secret, await world.configure(settings(168, 72)))).toBeUndefined()
  })

  test('lengthened: only sessions that begin afterwards, the idle time too', async () => {
    const short = await world.configure(settings(10, 1))
    const { secret } = await begin(short)
    const longer = await world.configure(settings(100, 50))
    world.advance(30 * minute)
    expect(await find(secret, longer)).toBeDefined()
    world.advance(hour)
    expect(await find(secret, longer)).toBeUndefined()

    const before = await begin(await world.configure(settings(10, 10)))
    await world.configure(settings(100, 50))
    world.advance(9 * hour)
    expect(await find(before.secret, longer)).toBeDefined()
    world.advance(hour)
    expect(await find(before.secret, longer)).toBeUndefined()
    const after = await begin(longer)
    world.advance(49 * hour)
    expect(await find(after.secret, longer)).toBeDefined()
  })

  test('an idle time longer than the whole life ends with it', async () => {
    const ctx = await world.configure(settings(2, 50))
    const { secret } = await begin(ctx)
    world.advance(hour)
    expect(await find(secret, ctx)).toBeDefined()
    world.advance(hour)
    expect(await find(secret, ctx)).toBeUndefined()
  })
})

describe('the twin cookie of silent authentication', () => {
  test('is derived, finds the same session, and is worth nothing as the other one', async () => {
    const { secret } = await begin()
    const twin = await silentSecret(world.ctx, secret)
    expect(twin).toMatch(/^[\w-]{43}$/)
    expect((await findSession(world.ctx, twin, 'silent'))?.user.user_id).toBe(user_id)
    expect(await findSession(world.ctx, twin, 'session')).toBeUndefined()
    expect(await findSession(world.ctx, secret, 'silent')).toBeUndefined()
  })

  test('silent visits are activity too', async () => {
    const { secret } = await begin()
    world.advance(70 * hour)
    expect(await findSession(world.ctx, await silentSecret(world.ctx, secret), 'silent')).toBeDefined()
    world.advance(70 * hour)
    expect(await find(secret)).toBeDefined()
  })
})

describe('what is no session', () => {
  test.each([undefined, '', 'x', 'x'.repeat(42), 'x'.repeat(43), 'x'.repeat(44), '\0'.repeat(43), 'é'.repeat(43)])(
    '%j',
    async (secret) => {
      expect(await find(secret)).toBeUndefined()
    },
  )

  test('one that was ended', async () => {
    const { secret, session_id } = await begin()
    await world.ctx.store.sessions.end(session_id, world.ctx.now())
    expect(await find(secret)).toBeUndefined()
    expect(await findSession(world.ctx, await silentSecret(world.ctx, secret), 'silent')).toBeUndefined()
  })
})
