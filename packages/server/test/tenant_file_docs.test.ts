import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { openFixture, passwords } from './tenant_file_fixture.ts'

const page = readFileSync(new URL('../../../docs/tenant_file.md', import.meta.url), 'utf8')
const samples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text)

afterAll(() => passwords.close())

describe('docs/tenant_file.md', () => {
  test('has samples', () => expect(samples.length).toBeGreaterThanOrEqual(3))

  test.each(samples)('sample %# can be applied', async (text) => {
    const [, pairs = ''] = /^# keywords: (.*)$/m.exec(text) ?? []
    const keywords = Object.fromEntries(
      pairs
        .split(' ')
        .filter((pair) => pair !== '')
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    )
    const { db, apply } = await openFixture()
    const { changes, ignored, warnings } = await apply(text, { keywords })
    expect(changes.length).toBeGreaterThan(0)
    expect({ ignored, warnings }).toEqual({ ignored: [], warnings: [] })
    expect((await apply(text, { keywords })).changes).toEqual([])
    await db.destroy()
  })
})
