/** The brakes on guessing: counted before they are judged, by person and address, and lifted by a password or a mail. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Attempt,
  clearFailures,
  countAttempt,
  countFailure,
  mayMail,
  maySignUp,
  tripDelay,
  unblock,
} from '../src/limits.ts'
import { openWorld, type World } from './support/world.ts'

const minute = 60_000
const day = 86_400_000
const ada = { connection: 'db', identifier: 'ada@example.com', ip: '192.0.2.1' }

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

/** One wrong password. */
async function fail(attempt: Attempt = ada, protection = true): Promise<string> {
  const refusal = await countAttempt(world.ctx, attempt, protection)
  if (refusal !== undefined) return refusal
  return (await countFailure(world.ctx, attempt)) ? 'blocks' : 'counted'
}

async function failTimes(count: number, attempt: Attempt = ada, protection = true): Promise<readonly string[]> {
  const answers: string[] = []
  for (let index = 0; index < count; index++) answers.push(await fail(attempt, protection))
  return answers
}

describe('contract M17 wrong passwords of one person from one address', () => {
  test('ten are judged, the tenth blocks, the eleventh is refused', async () => {
    expect(await failTimes(12)).toEqual([
      ...Array(9).fill('counted'),
      'blocks',
      'too_many_attempts',
      'too_many_attempts',
    ])
  })

  test('however slowly they come, the block holds for thirty days', async () => {
    for (let index = 0; index < 10; index++) {
      world.advance(2 * minute)
      await fail()
    }
    world.advance(29 * day)
    expect(await fail()).toBe('too_many_attempts')
    world.advance(2 * day)
    expect(await fail()).toBe('counted')
  })

  test('a hundred at once are still ten', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => countAttempt(world.ctx, ada, true)))
    expect(answers.filter((one) => one === undefined)).toHaveLength(10)
  })

  test('fifty at once tell that they block, so that the person hears of it', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => fail()))
    expect(answers.filter((one) => one === 'blocks').length).toBeGreaterThan(0)
    expect(answers.filter((one) => one === 'blocks' || one === 'counted')).toHaveLength(10)
  })

  test('another person, another address and another connection are not blocked', async () => {
    await failTimes(10)
    expect(await fail({ ...ada, identifier: 'eve@example.com' })).toBe('counted')
    expect(await fail({ ...ada, ip: '192.0.2.2' })).toBe('counted')
    expect(await fail({ ...ada, connection: 'other' })).toBe('counted')
  })

  test('the same person in other letters, and the same network in another address, are the same', async () => {
    const [v6, sameNetwork] = ['2001:db8::1', '2001:DB8:0:0:ffff::2']
    await failTimes(10, { ...ada, ip: v6 })
    for (const identifier of ['ADA@example.com', ' ada@example.com ', 'Ada@Example.COM'])
      expect(await fail({ connection: 'db', identifier, ip: sameNetwork })).toBe('too_many_attempts')
    expect(await fail({ ...ada, ip: '2001:db8:0:1::1' })).toBe('counted')
  })

  test('a person is one person, whatever name is typed', async () => {
    const user_id = 'auth0|ada'
    for (let index = 0; index < 5; index++) {
      expect(await fail({ ...ada, user_id })).toBe('counted')
      expect(await fail({ ...ada, user_id, identifier: 'ada' })).toBe(index < 4 ? 'counted' : 'blocks')
    }
    expect(await fail({ ...ada, user_id })).toBe('too_many_attempts')
    await clearFailures(world.ctx, { ...ada, user_id, identifier: 'ada' })
    expect(await fail({ ...ada, user_id })).toBe('counted')
  })

  test('a right password forgets them, and only those of this address', async () => {
    const elsewhere = { ...ada, ip: '192.0.2.9' }
    await failTimes(9)
    await failTimes(9, elsewhere)
    await clearFailures(world.ctx, ada)
    expect((await failTimes(9)).at(-1)).toBe('counted')
    expect(await fail(elsewhere)).toBe('blocks')
  })

  test('lifting a block lifts it everywhere, and for nobody else', async () => {
    const user = await world.addUser({ email: 'ada@example.com', username: 'ada' })
    const named = { ...ada, user_id: user.user_id }
    const attempts = [named, { ...named, ip: '192.0.2.9' }]
    const others = [
      { ...ada, identifier: 'ada@example.co' },
      { ...ada, user_id: `${user.user_id}0` },
    ]
    for (const attempt of [...attempts, ...others]) await failTimes(11, attempt)
    world.advance(2 * minute)
    await unblock(world.ctx, user)
    for (const attempt of attempts) expect(await fail(attempt)).toBe('counted')
    for (const attempt of others) expect(await fail(attempt)).toBe('too_many_attempts')
  })

  test('without the protection nothing blocks, but twenty a minute are enough', async () => {
    expect(await failTimes(22, ada, false)).toEqual([
      ...Array(20).fill('counted'),
      'too_many_logins',
      'too_many_logins',
    ])
    world.advance(minute)
    expect(await fail(ada, false)).toBe('counted')
  })

  test('what was typed is not kept: it may have been a password', async () => {
    const typed = 'Hunter2-in-the-wrong-field'
    await fail({ ...ada, identifier: typed })
    const rows = JSON.stringify(await world.db.selectFrom('counters').selectAll().execute())
    expect(rows).toContain('failures ')
    expect(rows.toLowerCase()).not.toContain('hunter2')
  })
})

describe('wrong passwords of one address', () => {
  const person = (index: number) => ({ ...ada, identifier: `person${index}@example.com` })

  test('fifty in a day, whoever they were for; then nobody may try from there until the day is over', async () => {
    for (let index = 0; index < 50; index++) expect(await fail(person(index))).toBe('counted')
    expect(await fail(person(99))).toBe('too_many_attempts')
    expect(await fail({ ...person(99), ip: '192.0.2.2' })).toBe('counted')
    world.advance(day)
    expect(await fail(person(99))).toBe('counted')
  })

  test('do not count where addresses are not counted', async () => {
    for (let index = 0; index < 60; index++) {
      const ctx = { ...world.ctx, per_address: undefined }
      expect(await countAttempt(ctx, person(index), true)).toBeUndefined()
      await countFailure(ctx, person(index))
    }
    expect(await fail(person(99))).toBe('counted')
  })
})

describe('other limits', () => {
  test('sign-ups of an address: as many as set in a minute, also when all come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => maySignUp(world.ctx, '2001:db8::1')))
    expect(answers.filter((one) => one)).toHaveLength(5)
    expect(await maySignUp(world.ctx, '2001:db8::2')).toBe(false)
    expect(await maySignUp(world.ctx, '2001:db8:0:1::2')).toBe(true)
    world.advance(minute)
    expect(await maySignUp(world.ctx, '2001:db8::1')).toBe(true)
    expect(await maySignUp({ ...world.ctx, per_address: undefined }, '2001:db8::1')).toBe(true)
  })

  test('trips of an address: as many as set in an hour, counted with what they are counted for or not at all', async () => {
    const begin = () =>
      world.ctx.store
        .atomically(async ({ counters }) => {
          const delay = await tripDelay(world.ctx, counters, '2001:db8::1')
          if (delay !== undefined) throw new Error(String(delay))
        })
        .then(
          () => 'begun',
          (error: Error) => error.message,
        )
    const counted = () => world.db.selectFrom('counters').select('count').execute()
    world.advance(1)
    for (let index = 0; index < 4; index++) expect(await begin()).toBe('begun')
    world.advance(10 * minute)
    expect([await begin(), await begin()]).toEqual(['3000', '3000'])
    expect(await counted()).toEqual([{ count: 4 }])
    world.advance(50 * minute)
    expect(await begin()).toBe('begun')
  })

  test('mails while the newest link works: three, and those that are not sent do not count', async () => {
    let works = true
    const may = () => mayMail(world.ctx.store, 'reset_password', 'u', async () => works, world.ctx.now())
    const answers: boolean[] = []
    for (let index = 0; index < 30; index++) answers.push(await may())
    works = false
    for (let index = 0; index < 20; index++) answers.push(await may())
    expect(answers).toEqual([
      ...Array(3).fill(true),
      ...Array(27).fill(false),
      ...Array(17).fill(true),
      false,
      false,
      false,
    ])
  })

  test('mails of a kind to a person: so many in an hour', async () => {
    const may = (kind: string, user_id: string, works = false, per_hour?: number) =>
      mayMail(world.ctx.store, kind, user_id, async () => works, world.ctx.now(), per_hour)
    const answers = await Promise.all(Array.from({ length: 50 }, () => may('reset_password', 'u')))
    expect(answers.filter((one) => one)).toHaveLength(20)
    expect(await may('verify_email', 'u')).toBe(true)
    expect(await may('reset_password', 'v')).toBe(true)
    expect([await may('x', 'u', false, 1), await may('x', 'u', false, 1)]).toEqual([true, false])
    world.advance(60 * minute)
    expect(await may('reset_password', 'u')).toBe(true)
  })
})
