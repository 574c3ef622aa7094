/** Signing keys as rows: one current and one next of each algorithm, whoever else starts or rotates at the same time. */
import { describe, expect, test } from 'vitest'
import { openVault, type SigningKey } from '../src/index.ts'
import { atOnce, fresh, kinds, now, secrets, useStore } from './support/stores.ts'

const key = (state: SigningKey['state'], alg = 'ES256', created_at = now): SigningKey => ({
  ...{ kid: fresh('kid-'), alg, state, public_jwk: { kty: 'EC' }, private_key: 'PRIVATE', created_at },
})

describe.each(kinds)('signing keys over %s', (kind) => {
  const opened = useStore(kind)
  const tenantKeys = () => opened.storeOf(fresh()).signingKeys

  test('what is added is read; the private key lies sealed', async () => {
    const tenant = fresh()
    const { signingKeys } = opened.storeOf(tenant)
    const one = key('current')
    expect(await signingKeys.addIfMissing(one, now)).toBe(true)
    expect(await signingKeys.list()).toEqual([one])
    const row = await opened.db.selectFrom('signing_keys').selectAll().where('tenant', '=', tenant).executeTakeFirst()
    expect(JSON.stringify(row)).not.toContain('PRIVATE')
    await expect(opened.storeOf(tenant, openVault([secrets.other])).signingKeys.list()).rejects.toThrow(
      /LATCHKEY_SECRET/,
    )
    expect(await opened.storeOf(fresh()).signingKeys.list()).toEqual([])
  })

  test('fifty processes start at once: one key of each algorithm and state', async () => {
    const keys = tenantKeys()
    const added = await atOnce(50, (index) =>
      keys.addIfMissing(key(index % 2 === 0 ? 'current' : 'next', index % 4 < 2 ? 'ES256' : 'RS256'), now),
    )
    expect(added.filter((one) => one)).toHaveLength(4)
    expect(new Set((await keys.list()).map((one) => `${one.alg} ${one.state}`)).size).toBe(4)
  })

  test('a rotation moves every key one place on; what was previous is revoked', async () => {
    const keys = tenantKeys()
    const [a, b, c, d] = [key('current'), key('next'), key('next'), key('next')]
    const other = key('current', 'RS256')
    for (const one of [a, b, other]) await keys.addIfMissing(one, now)
    const states = async () => Object.fromEntries((await keys.list()).map((one) => [one.kid, one.state]))
    expect(await keys.rotate('ES256', a.kid, c, now)).toBe(true)
    expect(await states()).toEqual({ [a.kid]: 'previous', [b.kid]: 'current', [c.kid]: 'next', [other.kid]: 'current' })
    expect(await keys.rotate('ES256', b.kid, d, now)).toBe(true)
    expect(await states()).toMatchObject({
      [a.kid]: 'revoked',
      [b.kid]: 'previous',
      [c.kid]: 'current',
      [d.kid]: 'next',
    })
  })

  test('twenty rotate at once: one rotation', async () => {
    const keys = tenantKeys()
    const [a, b] = [key('current'), key('next')]
    for (const one of [a, b]) await keys.addIfMissing(one, now)
    const rotated = await atOnce(20, () => keys.rotate('ES256', a.kid, key('next'), now))
    expect(rotated.filter((one) => one)).toHaveLength(1)
    const list = await keys.list()
    expect(list.map((one) => one.state).toSorted()).toEqual(['current', 'next', 'previous'])
    expect(list.find((one) => one.state === 'current')?.kid).toBe(b.kid)
  })

  test('only a previous key can be revoked, once', async () => {
    const keys = tenantKeys()
    const [a, b] = [key('current'), key('next')]
    for (const one of [a, b]) await keys.addIfMissing(one, now)
    expect(await keys.revoke(a.kid, now)).toBe(false)
    expect(await keys.revoke(b.kid, now)).toBe(false)
    expect(await keys.revoke('nobody', now)).toBe(false)
    await keys.rotate('ES256', a.kid, key('next'), now)
    expect(await tenantKeys().revoke(a.kid, now)).toBe(false)
    expect(await keys.revoke(a.kid, now)).toBe(true)
    expect(await keys.revoke(a.kid, now)).toBe(false)
    expect((await keys.list()).find((one) => one.kid === a.kid)?.state).toBe('revoked')
  })
})
