import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { filesBeside, formatPlan } from '../src/tenant_file/index.ts'
import { type Fixture, openFixture, passwords } from './tenant_file_fixture.ts'

let fixture: Fixture
beforeEach(async () => {
  fixture = await openFixture()
  return () => fixture.db.destroy()
})
afterAll(() => passwords.close())

const body = 'function (user, context, callback) { callback(null, user, context) }'
const read = () => fixture.store.configuration.read()

describe('rules of a tenant file', () => {
  test('the script of an export is a path beside the file, and its keywords are replaced', async () => {
    await fixture.apply('rules: [{ name: Add country, script: "./rules/Add country.js", stage: login_success }]', {
      keywords: { ENVIRONMENT: 'test' },
    })
    const { rules } = await read()
    expect(rules).toEqual([
      {
        id: expect.stringMatching(/^rul_[A-Za-z0-9]{16}$/),
        name: 'Add country',
        script: expect.stringContaining("'https://test.acme.example/country'"),
        order: 1,
        enabled: true,
        stage: 'login_success',
      },
    ])
  })

  test('the script may stand in the file; order and switch are kept; a second time changes nothing', async () => {
    const file = `
rules:
  - name: Second
    order: 20
    script: |
      ${body}
  - { name: First, order: 10, enabled: false, script: "${body}" }
  - { name: Last, script: "${body}" }
`
    const { changes } = await fixture.apply(file)
    expect(changes.map(({ kind, action }) => `${action} ${kind}`)).toEqual(Array(3).fill('create rule'))
    expect((await read()).rules.map(({ name, order, enabled }) => [name, order, enabled])).toEqual([
      ['First', 10, false],
      ['Second', 20, true],
      ['Last', 21, true],
    ])
    expect((await fixture.apply(file)).changes).toEqual([])
  })

  test('a change names what changed; the script and the settings are not shown', async () => {
    await fixture.apply(`
rules: [{ name: A, script: "${body}" }]
rulesConfigs: [{ key: KEY, value: first }]
`)
    const plan = await fixture.apply(`
rules: [{ name: A, enabled: false, script: "${body.replace('user', 'person')}" }]
rulesConfigs: [{ key: KEY, value: second }]
`)
    expect(formatPlan(plan)).toMatch(
      /^~ rule "A" \(rul_\w+\)\n {4}script: changed\n {4}enabled: true → false\n~ rules config "KEY"\n {4}value: changed/,
    )
    expect((await read()).rules_configs).toEqual([{ key: 'KEY', value: 'second' }])
  })

  test('settings are sealed in the database', async () => {
    await fixture.apply('rulesConfigs: [{ key: KEY, value: hidden-value }]')
    const rows = await fixture.db.selectFrom('rules_configs').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain('hidden-value')
    expect((await read()).rules_configs).toEqual([{ key: 'KEY', value: 'hidden-value' }])
  })

  test('a setting without a value is kept if there is one, and named if there is none', async () => {
    await fixture.apply('rulesConfigs: [{ key: KEY, value: one }]')
    const plan = await fixture.apply('rulesConfigs: [{ key: KEY }, { key: OTHER }]')
    expect(plan.changes).toEqual([])
    expect(plan.warnings).toMatchObject([{ path: 'rulesConfigs[1]', sentence: expect.stringContaining('OTHER') }])
  })

  test('rules of another stage are set aside by name', async () => {
    const plan = await fixture.plan(`rules: [{ name: A, stage: user_registration, script: "${body}" }]`)
    expect(plan.ignored.map(({ path }) => path)).toEqual(['rules[0]'])
    expect(plan.changes).toEqual([])
  })

  test('two rules with one order run by name, which is said', async () => {
    const plan = await fixture.plan(
      `rules: [{ name: A, order: 1, script: "${body}" }, { name: B, order: 1, script: "${body}" }]`,
    )
    expect(plan.warnings).toMatchObject([{ path: 'rules[1].order' }])
  })

  test.each([
    ['rules: [{ name: A }]', 'script is missing'],
    ['rules: [{ name: A, script: ./rules/gone.js }]', 'no such file beside the tenant file'],
    ['rules: [{ name: A, script: "function (user" }]', 'This is not one function (Unexpected'],
    [`rules: [{ name: A, script: "${body}" }, { name: A, script: "${body}" }]`, 'two rules named A'],
    ['rules: [{ name: "A", script: "./rules/Add country.js" }]', 'The keyword ENVIRONMENT has no value'],
    ['rulesConfigs: [{ key: "a b", value: x }]', 'letters, digits'],
    ['rulesConfigs: [{ key: A, value: x }, { key: A, value: y }]', 'named A'],
    ['rules: { name: A }', 'must be a list'],
  ])('%s', async (file, problem) => {
    expect(await fixture.problems(file)).toEqual([expect.stringContaining(problem)])
  })

  test('where files cannot be read, a path is a problem that says so', async () => {
    const { store, now } = fixture
    const { planTenant } = await import('../src/tenant_file/index.ts')
    const random = () => 'a'.repeat(40)
    const planned = planTenant('rules: [{ name: A, script: a.js }]', {
      ...{ keywords: {}, store, passwords, random, now: () => now },
    })
    await expect(planned).rejects.toThrow('put the text of the script in its place')
  })

  test('paths are relative to the file, wherever the command runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-rules-'))
    writeFileSync(join(folder, 'a.js'), body)
    await fixture.apply('rules: [{ name: A, script: a.js }]', { read_file: filesBeside(join(folder, 'tenant.yaml')) })
    rmSync(folder, { recursive: true })
    expect((await read()).rules[0]?.script).toBe(body)
  })
})
