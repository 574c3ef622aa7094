/** Mailed tickets: each does one thing, once, for the address it was sent to, and only the newest. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  beginSession,
  findSession,
  peekTicket,
  resetPassword,
  sendPasswordReset,
  sendVerification,
  unblockByTicket,
  verifyEmail,
} from '../src/index.ts'
import { countAttempt } from '../src/limits.ts'
import { sendUnblock } from '../src/tickets.ts'
import { database, openWorld, type World } from './support/world.ts'

const hour = 3_600_000
const good = 'Correct-Horse-7'

let world: World
beforeAll(async () => {
  world = await openWorld([database(), database({ password_history: { enable: true, size: 2 } }, 'history')])
})
afterAll(() => world.close())
afterEach(() => void world.mails.splice(0))

const last = () => world.mails.at(-1)?.ticket ?? ''
const fresh = async (user_id: string) => {
  const user = await world.ctx.store.users.find(user_id)
  if (user === undefined) throw new Error('gone')
  return user
}

describe('verifying an address', () => {
  test('the mail leads to a page of ours and its ticket works once', async () => {
    const user = await world.addUser()
    await sendVerification(world.ctx, user)
    expect(world.mails).toEqual([
      {
        kind: 'verify_email',
        to: user.email,
        path: `u/verify-email?ticket=${last()}`,
        ticket: expect.stringMatching(/^[\w-]{43}$/),
      },
    ])
    expect((await peekTicket(world.ctx, 'verify_email', last()))?.user_id).toBe(user.user_id)
    expect((await fresh(user.user_id)).email_verified).toBe(false)
    const done = await Promise.all(Array.from({ length: 20 }, () => verifyEmail(world.ctx, last())))
    expect(done.filter((one) => one)).toHaveLength(1)
    expect((await fresh(user.user_id)).email_verified).toBe(true)
    expect(await peekTicket(world.ctx, 'verify_email', last())).toBeUndefined()
  })

  test('an address that has changed since is not verified by it', async () => {
    const user = await world.addUser()
    await sendVerification(world.ctx, user)
    await world.ctx.store.users.update(user.user_id, { email: `new-${user.email}` }, 0)
    expect(await verifyEmail(world.ctx, last())).toBe(false)
    expect((await fresh(user.user_id)).email_verified).toBe(false)
  })

  test('only the newest works, for five days', async () => {
    const user = await world.addUser()
    await sendVerification(world.ctx, user)
    const old = last()
    await sendVerification(world.ctx, user)
    expect(await verifyEmail(world.ctx, old)).toBe(false)
    world.advance(5 * 24 * hour - 1)
    expect(await peekTicket(world.ctx, 'verify_email', last())).toBeDefined()
    world.advance(1)
    expect(await verifyEmail(world.ctx, last())).toBe(false)
  })

  test('twenty mails an hour are enough, whatever becomes of their links', async () => {
    const user = await world.addUser()
    for (let index = 0; index < 25; index++) {
      await sendVerification(world.ctx, user)
      await verifyEmail(world.ctx, last())
    }
    expect(world.mails).toHaveLength(20)
  })
})

describe('a new password', () => {
  test('ends every session and token, verifies the address, lifts the block, once', async () => {
    const user = await world.addUser()
    const session = await beginSession(world.ctx, user.user_id, ['pwd'])
    const token = {
      client_id: 'c',
      user_id: user.user_id,
      audience: [],
      scope: '',
      issued_at: 0,
      ends_at: Number.MAX_SAFE_INTEGER,
    }
    await world.ctx.store.accessTokens.create('token', token)
    const attempt = { connection: 'db', identifier: user.email ?? '', user_id: user.user_id, ip: '192.0.2.1' }
    for (let index = 0; index < 11; index++) await countAttempt(world.ctx, attempt, true)
    expect(await countAttempt(world.ctx, attempt, true)).toBe('too_many_attempts')
    await sendPasswordReset(world.ctx, user)
    const done = await Promise.all([1, 2, 3].map(() => resetPassword(world.ctx, last(), good)))
    expect(done.filter((one) => one)).toHaveLength(1)
    const after = await fresh(user.user_id)
    expect(after.email_verified).toBe(true)
    expect(await world.ctx.passwords.verify(after.password_hash, good)).toMatchObject({ ok: true })
    expect(await findSession(world.ctx, session.secret, 'session')).toBeUndefined()
    expect(await world.ctx.store.accessTokens.find('token', world.ctx.now())).toBeUndefined()
    expect(await countAttempt(world.ctx, attempt, true)).toBeUndefined()
    expect(await resetPassword(world.ctx, last(), 'Another-Horse-8')).toBe(false)
  })

  test('a ticket of another kind, of an older address, after its day, or made up, sets none', async () => {
    const user = await world.addUser({ password_hash: 'before' })
    await sendVerification(world.ctx, user)
    const tickets = [last(), 'x', '']
    await sendPasswordReset(world.ctx, user)
    const late = last()
    expect(await peekTicket(world.ctx, 'reset_password', late)).toBeDefined()
    world.advance(24 * hour)
    for (const ticket of [...tickets, late]) expect(await resetPassword(world.ctx, ticket, good)).toBe(false)
    await sendPasswordReset(world.ctx, user)
    await world.ctx.store.users.update(user.user_id, { email: `x-${user.email}` }, 0)
    expect(await resetPassword(world.ctx, last(), good)).toBe(false)
    expect((await fresh(user.user_id)).password_hash).toBe('before')
  })

  test('of a connection with a history is remembered', async () => {
    const user = await world.addUser({ connection: 'history', password_hash: 'first' })
    await sendPasswordReset(world.ctx, user)
    expect(await resetPassword(world.ctx, last(), good)).toBe(true)
    expect(await world.ctx.store.formerPasswords.list(user.user_id, 5)).toEqual(['first'])
  })
})

describe('lifting a block', () => {
  test('by the mail, which goes out once an hour, to people who have an address', async () => {
    const user = await world.addUser()
    const attempt = { connection: 'db', identifier: user.email ?? '', user_id: user.user_id, ip: '192.0.2.7' }
    for (let index = 0; index < 11; index++) await countAttempt(world.ctx, attempt, true)
    await Promise.all(Array.from({ length: 5 }, () => sendUnblock(world.ctx, user)))
    expect(world.mails.map((mail) => mail.kind)).toEqual(['blocked_account'])
    expect(await unblockByTicket(world.ctx, 'x')).toBe(false)
    expect(await unblockByTicket(world.ctx, last())).toBe(true)
    expect(await countAttempt(world.ctx, attempt, true)).toBeUndefined()
    expect(await unblockByTicket(world.ctx, last())).toBe(false)
    const { email: _, ...nameless } = user
    await sendUnblock(world.ctx, { ...nameless, user_id: 'auth0|other' })
    expect(world.mails).toHaveLength(1)
  })
})

describe('contract B11 mails that a stranger asks for', () => {
  const kinds = [
    ['reset_password', sendPasswordReset],
    ['verify_email', sendVerification],
  ] as const

  test.each(kinds)(
    '%s: after three in an hour the newest link stays valid, and nothing is sent',
    async (kind, send) => {
      const user = await world.addUser()
      for (let index = 0; index < 50; index++) await send(world.ctx, user)
      expect(world.mails).toHaveLength(3)
      const works = await Promise.all(world.mails.map(({ ticket }) => peekTicket(world.ctx, kind, ticket)))
      expect(works.map((one) => one?.user_id)).toEqual([undefined, undefined, user.user_id])
      world.advance(hour)
      await send(world.ctx, user)
      expect(world.mails).toHaveLength(4)
      expect((await peekTicket(world.ctx, kind, last()))?.user_id).toBe(user.user_id)
    },
  )

  test('100 at once are three mails, of which one link works', async () => {
    const user = await world.addUser()
    await Promise.all(Array.from({ length: 100 }, () => sendPasswordReset(world.ctx, user)))
    expect(world.mails).toHaveLength(3)
    const works = await Promise.all(world.mails.map(({ ticket }) => peekTicket(world.ctx, 'reset_password', ticket)))
    expect(works.filter((one) => one !== undefined)).toHaveLength(1)
  })

  test('once the link is used, over, or of a former address, the next mail is sent', async () => {
    const user = await world.addUser()
    for (let index = 0; index < 10; index++) await sendPasswordReset(world.ctx, user)
    expect(await resetPassword(world.ctx, last(), good)).toBe(true)
    await sendPasswordReset(world.ctx, user)
    expect(world.mails).toHaveLength(4)
    await world.ctx.store.users.update(user.user_id, { email: `new-${user.email}` }, 0)
    await sendPasswordReset(world.ctx, await fresh(user.user_id))
    expect(world.mails).toHaveLength(5)
    expect(world.mails.at(-1)?.to).toBe(`new-${user.email}`)
  })
})
