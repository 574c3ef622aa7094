/** Pairwise subjects as rows: one name of a person in a sector, whoever writes it down at the same time. */
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

describe.each(kinds)('OpenID Connect Core §8.1 subjects over %s', (kind) => {
  const opened = useStore(kind)

  test('fifty at once, each with another name: one of them counts for all', async () => {
    const { subjects } = opened.storeOf(fresh())
    const subject = { sector: 'a.example.com', user_id: 'auth0|1' }
    const names = await atOnce(50, (index) => subjects.create(subject, `name ${index}`, now))
    expect(new Set(names).size).toBe(1)
    expect(await subjects.subOf(subject)).toBe(names[0])
    expect(await subjects.find(names[0] ?? '')).toEqual(subject)
  })

  test('another sector, another person and another tenant have their own', async () => {
    const { subjects } = opened.storeOf(fresh())
    await subjects.create({ sector: 'a', user_id: 'u' }, 'one', now)
    for (const other of [
      { sector: 'b', user_id: 'u' },
      { sector: 'a', user_id: 'v' },
    ])
      expect(await subjects.subOf(other)).toBeUndefined()
    expect(await subjects.find('two')).toBeUndefined()
    expect(await opened.storeOf(fresh()).subjects.find('one')).toBeUndefined()
  })
})
