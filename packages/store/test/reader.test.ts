/** The second connection of a file: hot reads see what is committed, and wait for nothing. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migrate, openDatabase, openStore } from '../src/index.ts'
import { fresh, now, temporaryDirectory, useStore, vault } from './support/stores.ts'

describe('hot reads', () => {
  const opened = useStore('a file')
  const newUser = () => ({ user_id: fresh('auth0|'), connection: 'db', email_verified: false, profile: {} })

  test('see a row when its transaction has committed, and not before; the transaction itself sees it at once', async () => {
    const user = newUser()
    const { users } = opened.store
    await opened.store.atomically(async (trx) => {
      await trx.users.create(user, now)
      expect(await trx.users.find(user.user_id)).toMatchObject(user)
      // Were it to wait for the transaction, this would never end.
      expect(await users.find(user.user_id)).toBeUndefined()
    })
    expect(await users.find(user.user_id)).toMatchObject(user)
  })

  test('never see what was rolled back', async () => {
    const user = newUser()
    const failing = opened.store.atomically(async (trx) => {
      await trx.users.create(user, now)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await opened.store.users.find(user.user_id)).toBeUndefined()
  })

  test('see every change that was acknowledged', async () => {
    const user = newUser()
    const { users } = opened.store
    await users.create(user, now)
    for (let change = 1; change <= 50; change++) {
      await users.update(user.user_id, { profile: { name: `n${change}` } }, now)
      expect((await users.find(user.user_id))?.profile.name).toBe(`n${change}`)
    }
  })
})

describe('a closed database', () => {
  test('is read no more', async () => {
    const directory = temporaryDirectory()
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const db = openDatabase(`sqlite:${join(directory, 'latchkey.sqlite')}`)
    await migrate(db)
    const { users } = openStore(db, 'one', vault)
    expect(await users.find('auth0|nobody')).toBeUndefined()
    await db.destroy()
    await expect(users.find('auth0|nobody')).rejects.toThrow(/closed/)
  })
})
