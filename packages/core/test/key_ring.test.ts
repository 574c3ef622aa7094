/** Rotation of the signing keys: the next is published before it is used, the previous still counts, the revoked does not. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { migrate, openDatabase, openStore, openVault } from '@latchkey/store'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { ensureKeys, keyRing, readKeyRing, rotateKeys } from '../src/index.ts'
import { signJwt } from '../src/tokens/sign.ts'
import { verifyOwn } from '../src/tokens/verify.ts'
import { issuer, openWorld, type World } from './support/world.ts'

const worlds: World[] = []
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()))
})

async function world(): Promise<World> {
  const made = await openWorld()
  worlds.push(made)
  return made
}

const published = (jwks: Buffer) => (JSON.parse(jwks.toString()) as { keys: { kid: string; alg: string }[] }).keys
const kids = (jwks: Buffer) => published(jwks).map((key) => key.kid)

describe('RFC 7517 §5 the key ring', () => {
  test('the current key comes first, the next is published too, and nothing private is', async () => {
    const { store, ctx } = await world()
    const keys = (await store.signingKeys.list()).filter((key) => key.alg === 'ES256')
    const current = keys.find((key) => key.state === 'current')
    expect(keys.map((key) => key.state).toSorted()).toEqual(['current', 'next'])
    expect(kids(ctx.keys.jwks)[0]).toBe(current?.kid)
    expect(kids(ctx.keys.jwks)).toHaveLength(2)
    expect(ctx.keys.current('ES256').kid).toBe(current?.kid)
    expect(ctx.keys.algorithms).toEqual(['ES256'])
    expect(ctx.keys.jwks.toString()).not.toMatch(/"(d|p|q|dp|dq|qi|k)":/)
    expect(ctx.keys.jwks.toString()).not.toContain('PRIVATE')
    expect(() => ctx.keys.current('RS256')).toThrow(/no current signing key/)
    expect(ctx.keys.find('nobody')).toBeUndefined()
  })

  test('keys that are there are left alone; a new algorithm gets its two', async () => {
    const { store } = await world()
    const before = await store.signingKeys.list()
    await ensureKeys(store, ['ES256'], 'x', 0)
    expect(await store.signingKeys.list()).toEqual(before)
    await ensureKeys(store, ['ES256', 'EdDSA'], 'x', 0)
    expect((await store.signingKeys.list()).map((key) => `${key.alg} ${key.state}`).toSorted()).toEqual([
      'ES256 current',
      'ES256 next',
      'EdDSA current',
      'EdDSA next',
    ])
  })

  test('two that start at once make two keys, not four', async () => {
    const { store } = await world()
    await Promise.all([ensureKeys(store, ['EdDSA'], 'x', 0), ensureKeys(store, ['EdDSA'], 'x', 0)])
    expect((await store.signingKeys.list()).filter((key) => key.alg === 'EdDSA')).toHaveLength(2)
  })

  test('an empty ring publishes an empty list', () => {
    expect(keyRing([]).jwks.toString()).toBe('{"keys":[]}')
  })
})

describe('contract C7 rotation', () => {
  test('a verifier with yesterday’s key set reads today’s tokens, and today’s reads yesterday’s', async () => {
    const { store, reread } = await world()
    let ctx = await reread()
    const claims = { iss: issuer, exp: ctx.now() / 1000 + 60 }
    for (let round = 0; round < 3; round++) {
      const old = { ctx, token: await signJwt(ctx.keys, 'ES256', 'JWT', claims) }
      const version = await store.configuration.version()
      const kid = await rotateKeys(store, 'ES256', 'x', round)
      // Other processes see it by the version of the configuration.
      expect(await store.configuration.version()).toBe(version + 1)
      ctx = await reread()
      expect(ctx.keys.current('ES256').kid).toBe(kid)
      expect(kids(old.ctx.keys.jwks)).toContain(kid)
      const token = await signJwt(ctx.keys, 'ES256', 'JWT', claims)
      expect(await verifyOwn(old.ctx, token)).toEqual(claims)
      expect(await verifyOwn(ctx, old.token)).toEqual(claims)
    }
    const states = (await store.signingKeys.list()).map((key) => key.state).toSorted()
    expect(states).toEqual(['current', 'next', 'previous', 'revoked', 'revoked'])
  })

  test('a revoked key verifies nothing and is not published', async () => {
    const { store, reread } = await world()
    const before = await reread()
    const { kid } = before.keys.current('ES256')
    const token = await signJwt(before.keys, 'ES256', 'JWT', { iss: issuer, exp: before.now() / 1000 + 60 })
    await rotateKeys(store, 'ES256', 'x', 0)
    expect(await verifyOwn(await reread(), token)).toBeDefined()
    expect(await store.signingKeys.revoke(kid, 0)).toBe(true)
    const after = await reread()
    expect(await verifyOwn(after, token)).toBeUndefined()
    expect(after.keys.find(kid)).toBeUndefined()
    expect(kids(after.keys.jwks)).not.toContain(kid)
  })

  test('five at once in one process rotate once', async () => {
    const { store, ctx, reread } = await world()
    const next = kids(ctx.keys.jwks)[1]
    const done = await Promise.all(Array.from({ length: 5 }, () => rotateKeys(store, 'ES256', 'x', 0)))
    expect(done.filter((kid) => kid !== undefined)).toEqual([next])
    expect((await reread()).keys.current('ES256').kid).toBe(next)
  })

  test('an algorithm without keys cannot be rotated', async () => {
    const { store } = await world()
    await expect(rotateKeys(store, 'EdDSA', 'x', 0)).rejects.toThrow(/no keys for EdDSA/)
  })

  test('two processes that read the same keys and rotate at once: one rotation', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-keys-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const address = `sqlite:${join(directory, 'keys.sqlite')}`
    const secret = 's'.repeat(32)
    const db = openDatabase(address)
    await migrate(db)
    const store = openStore(db, 'tenant', openVault([secret]))
    await store.configuration.ensureTenant(0)
    await ensureKeys(store, ['ES256'], 'x', 0)
    const before = await readKeyRing(store)
    const script = fileURLToPath(new URL('support/rotate.ts', import.meta.url))
    const rotate = () => promisify(execFile)(process.execPath, [script, address, secret])
    // Both get to the write lock, which is held here until both have read.
    const [one, two] = await store.atomically(async () => {
      const running = [rotate(), rotate()] as const
      await delay(2500)
      return running
    })
    const answers = [JSON.parse((await one).stdout), JSON.parse((await two).stdout)]
    const after = await readKeyRing(store)
    expect(answers.filter((kid) => kid !== null)).toEqual([kids(before.jwks)[1]])
    expect(after.current('ES256').kid).toBe(kids(before.jwks)[1])
    expect(kids(after.jwks)).toHaveLength(3)
    await db.destroy()
  })
})
