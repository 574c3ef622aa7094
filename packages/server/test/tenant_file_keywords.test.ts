import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadKeywords } from '../src/config.ts'
import { type Fixture, openFixture, passwords } from './tenant_file_fixture.ts'

let fixture: Fixture
beforeEach(async () => {
  fixture = await openFixture()
  return () => fixture.db.destroy()
})
afterAll(() => passwords.close())

async function nameOfTenant(value: string, keywords: Record<string, unknown>): Promise<unknown> {
  await fixture.apply(`tenant:\n  friendly_name: ${value}\n`, { keywords })
  return (await fixture.store.configuration.read()).settings.friendly_name
}

describe('##NAME## stands for a text as it is', () => {
  test.each([
    ['alone', '##A##', 'Acme'],
    ['in quotes', '"##A##"', 'Acme'],
    ['among other text', '"The ##A## of ##B##"', 'The Acme of 5'],
    ['among text without quotes', 'The ##A##', 'The Acme'],
    ['in quotes a number stays text', '"##B##"', '5'],
  ])('%s', async (_name, text, expected) => {
    expect(await nameOfTenant(text, { A: 'Acme', B: 5 })).toBe(expected)
  })

  test('without quotes a number is a number', async () => {
    await fixture.apply('tenant: { session_lifetime: ##HOURS## }', { keywords: { HOURS: '200' } })
    expect((await fixture.store.configuration.read()).settings.session_lifetime).toBe(200)
  })

  test('as several entries of a list, as in the documentation of the Deploy CLI', async () => {
    await fixture.apply('clients: [{ name: A, app_type: spa, web_origins: [ "https://a.example", ##MORE## ] }]', {
      keywords: { MORE: '"https://b.example", "https://c.example"' },
    })
    expect((await fixture.store.configuration.read()).clients[0]?.web_origins).toEqual([
      'https://a.example',
      'https://b.example',
      'https://c.example',
    ])
  })

  test('a list is refused, and the other form named', async () => {
    expect(await fixture.problems('tenant: { friendly_name: ##A## }', { keywords: { A: ['x'] } })).toEqual([
      'tenant.yaml:1:26: The value of A is a list or an object: write @@A@@ in place of ##A##.',
    ])
  })
})

describe('@@NAME@@ stands for a value as JSON', () => {
  const urls = ['https://a.example/', 'https://b.example/']
  test.each([
    ['without quotes', '@@URLS@@', urls],
    ['in double quotes', '"@@URLS@@"', urls],
    ['in single quotes', "'@@URLS@@'", urls],
    ['from text that is JSON', '@@URLS@@', JSON.stringify(urls)],
  ])('%s', async (_name, text, value) => {
    await fixture.apply(`tenant: { allowed_logout_urls: ${text} }`, { keywords: { URLS: value } })
    expect((await fixture.store.configuration.read()).settings.allowed_logout_urls).toEqual(urls)
  })

  test('text stays text, whatever it holds', async () => {
    expect(await nameOfTenant('@@A@@', { A: 'a: "b" # c' })).toBe('a: "b" # c')
  })

  test('a value may hold text keywords', async () => {
    await fixture.apply('tenant: { allowed_logout_urls: @@URLS@@ }', {
      keywords: { URLS: ['https://##ENV##.example/'], ENV: 'test' },
    })
    expect((await fixture.store.configuration.read()).settings.allowed_logout_urls).toEqual(['https://test.example/'])
  })
})

describe('a keyword without a value', () => {
  test.each([
    ['##NONE##', 3],
    ['"x ##NONE##"', 6],
    ['@@NONE@@', 3],
    ['"@@NONE@@"', 3],
  ])('%s is named with its place', async (text, column) => {
    const [problem, ...more] = await fixture.problems(`tenant:\n  friendly_name:\n  ${text}\n`)
    expect(more).toEqual([])
    expect(problem).toContain(`tenant.yaml:3:${column}: The keyword NONE has no value`)
    expect(problem).toContain('--define NONE=')
  })

  test('does no harm in a comment', async () => {
    expect(await fixture.problems('# about ##NONE## and @@NONE@@\ntenant: { friendly_name: A } # ##NONE##\n')).toEqual(
      [],
    )
  })

  test('names of the language are no keywords', async () => {
    expect(await fixture.problems('tenant: { friendly_name: "##constructor##" }')).toHaveLength(1)
  })
})

describe('places', () => {
  test('are those of the file, not of the text after replacement', async () => {
    const text = 'tenant: { friendly_name: ##LONG##, support_email: no }\nclients: [{ name: ##LONG##, app_type: 5 }]\n'
    expect(await fixture.problems(text, { keywords: { LONG: 'x'.repeat(90) } })).toEqual([
      'tenant.yaml:1:51: tenant.support_email: This must be an e-mail address.',
      'tenant.yaml:2:39: clients[0].app_type: This must be text; put it in quotes where YAML reads something else.',
    ])
  })

  test('a YAML that cannot be read', async () => {
    const problems = await fixture.problems('tenant:\n  friendly_name: "open\nclients: []\n')
    expect(problems[0]).toMatch(/^tenant\.yaml:\d+:\d+: This is not YAML: /)
  })

  test('a key twice', async () => {
    expect((await fixture.problems('tenant: {}\ntenant: {}\n'))[0]).toMatch(/^tenant\.yaml:2:1: This is not YAML: /)
  })

  test('references that multiply are refused', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 8; level++)
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
    expect((await fixture.problems(lines.join('\n')))[0]).toContain('This YAML cannot be used')
  })

  test.each(['[]', '5', 'text'])('%s is no tenant file', async (text) => {
    expect((await fixture.problems(text))[0]).toContain('A tenant file is a mapping')
  })

  test('an empty file changes nothing', async () => {
    expect((await fixture.apply('')).changes).toEqual([])
  })

  test('anchors and merged mappings work', async () => {
    await fixture.apply(`
clients:
  - &base { name: A, app_type: spa, description: Same }
  - { <<: *base, name: B }
`)
    const { clients } = await fixture.store.configuration.read()
    expect(clients.map(({ description }) => description)).toEqual(['Same', 'Same'])
  })
})

describe('where keywords come from', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-keywords-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function file(name: string, text: string): string {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  test('a later source wins: environment, mappings, files, definitions', () => {
    const environment = {
      A: '1',
      B: '1',
      C: '1',
      D: '1',
      AUTH0_KEYWORD_REPLACE_MAPPINGS: '{"B":"2","C":"2","D":["2"]}',
    }
    const env = [file('one.env', 'C=3\n# D=3\nE="3 x"\n'), file('two.json', '{ "E": ["4"], "F": 4 }')]
    const keywords = loadKeywords({ env, define: ['F=5=five', 'G='] }, environment)
    expect(keywords).toMatchObject({ A: '1', B: '2', C: '3', D: ['2'], E: ['4'], F: '5=five', G: '' })
  })

  test('a configuration of the Deploy CLI', () => {
    const env = [
      file('config.json', '{"AUTH0_DOMAIN":"x","AUTH0_KEYWORD_REPLACE_MAPPINGS":{"ENV":"dev","URLS":["a"]}}'),
    ]
    expect(loadKeywords({ env, define: [] }, {})).toEqual({ AUTH0_DOMAIN: 'x', ENV: 'dev', URLS: ['a'] })
  })

  test("this server's secrets are no keywords", () => {
    const environment = { LATCHKEY_SECRET: 's'.repeat(40), LATCHKEY_SMTP: 'smtp://u:p@x', LATCHKEY_PORT: '1' }
    expect(loadKeywords({ env: [], define: [] }, environment)).toEqual({ LATCHKEY_PORT: '1' })
  })

  test('a source that cannot be read is named, and what it holds is not', () => {
    const broken = file('broken.json', '{ "PASSWORD": "hunter2"')
    expect(() => loadKeywords({ env: [broken], define: [] }, {})).toThrow(/broken\.json is not a JSON object/)
    expect(() => loadKeywords({ env: [broken], define: [] }, {})).not.toThrow(/hunter2/)
    const environment = { AUTH0_KEYWORD_REPLACE_MAPPINGS: '[]' }
    expect(() => loadKeywords({ env: [], define: [] }, environment)).toThrow(/AUTH0_KEYWORD_REPLACE_MAPPINGS/)
  })
})
