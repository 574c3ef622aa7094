import type { RulesResult } from '@latchkey/core'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { RuleSet } from '../src/rules/messages.ts'
import { openRules } from '../src/rules/rules.ts'
import { ruleProblem } from '../src/rules/script.ts'

const lines: { readonly level: string; readonly text: string; readonly rule: unknown }[] = []
const write = (level: string) => (fields: object, text: string) =>
  void lines.push({ level, text, rule: (fields as { rule?: unknown }).rule })
const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
const rules = openRules({ log })
afterAll(() => rules.close())
beforeEach(() => void lines.splice(0))

const user = { user_id: 'auth0|1', email: 'ada@example.com' }

function setOf(scripts: readonly string[], configuration: Record<string, string> = {}): RuleSet {
  return { scripts: scripts.map((script, index) => ({ name: `rule ${index + 1}`, script })), configuration }
}

function run(...scripts: readonly string[]): Promise<RulesResult> {
  return rules.run(setOf(scripts), { user, context: { clientID: 'app', idToken: {}, accessToken: {} } })
}

/** A rule with this body. */
const rule = (body: string) => `function (user, context, callback) { ${body} }`
const done = 'callback(null, user, context)'

async function output(...scripts: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const result = await run(...scripts)
  if (result.kind !== 'passed') throw new Error(JSON.stringify(result))
  return result.output
}

describe('running rules', () => {
  test('nothing is started before the first run', async () => {
    const fresh = openRules({ log })
    expect(fresh.processes).toBe(0)
    await fresh.run(setOf([rule(done)]), { user, context: {} })
    expect(fresh.processes).toBe(1)
    fresh.close()
    await expect(fresh.run(setOf([rule(done)]), { user, context: {} })).resolves.toMatchObject({ kind: 'failed' })
  })

  test('claims come back, in the order of the rules', async () => {
    const first = rule(`context.idToken.a = user.email; context.accessToken.scope = ['x']; ${done}`)
    const second = rule(`context.idToken.b = context.idToken.a + context.clientID; ${done}`)
    expect(await output(first, second)).toEqual({
      idToken: { a: 'ada@example.com', b: 'ada@example.comapp' },
      accessToken: { scope: ['x'] },
    })
  })

  test('a rule may call back later, be async, be an arrow, end in a semicolon', async () => {
    const later = rule(`setTimeout(function () { context.idToken.late = true; ${done} }, 20)`)
    const asynchronous = `async (user, context, callback) => { await null; context.idToken.async = 1; ${done} };\n`
    expect(await output(later, asynchronous)).toEqual({ idToken: { late: true, async: 1 }, accessToken: {} })
  })

  test('a rule may hand on other objects', async () => {
    const other = rule(`callback(null, { email: 'x' }, { idToken: { made: 1 }, accessToken: {} })`)
    expect(await output(other, rule(`context.idToken.email = user.email; ${done}`))).toEqual({
      idToken: { made: 1, email: 'x' },
      accessToken: {},
    })
  })

  test('settings, the console and the web platform are there; the process, modules and the network are not', async () => {
    const set = setOf(
      [
        rule(`
          console.log('hello', { a: 1 }); console.error(new Error('boom'));
          context.idToken = {
            secret: configuration.SECRET,
            host: new URL('https://a.example/b').host,
            bytes: new TextEncoder().encode('ä').length,
            gone: [typeof process, typeof require, typeof fetch, typeof Buffer, typeof module],
          }; ${done}`),
      ],
      { SECRET: 's3' },
    )
    const result = await rules.run(set, { user, context: {} })
    expect(result).toMatchObject({
      kind: 'passed',
      output: { idToken: { secret: 's3', host: 'a.example', bytes: 2, gone: Array(5).fill('undefined') } },
    })
    expect(lines[0]).toEqual({ level: 'info', rule: 'rule 1', text: 'hello {"a":1}' })
    expect(lines[1]).toMatchObject({ level: 'error', text: expect.stringContaining('boom') })
  })

  test('a variable that was not declared does not reach the next person', async () => {
    const leak = rule(`context.idToken.before = typeof leaked; leaked = user; Object.prototype.owned = 1; ${done}`)
    expect((await output(leak)).idToken).toEqual({ before: 'undefined' })
    expect((await output(leak)).idToken).toEqual({ before: 'undefined' })
  })

  test('runs beside each other do not mix', async () => {
    const set = setOf([rule(`setTimeout(function () { context.idToken.id = user.user_id; ${done} }, 5)`)])
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => rules.run(set, { user: { user_id: index }, context: { idToken: {} } })),
    )
    expect(results.map((one) => (one.kind === 'passed' ? one.output.idToken : one))).toEqual(
      Array.from({ length: 20 }, (_, index) => ({ id: index })),
    )
    expect(rules.processes).toBeLessThanOrEqual(2)
  })

  test('a longer queue than can be served is refused', async () => {
    const slow = setOf([rule(`setTimeout(function () { ${done} }, 3)`)])
    const one = openRules({ log, processes: 1 })
    const results = await Promise.all(Array.from({ length: 203 }, () => one.run(slow, { user, context: {} })))
    expect(results.filter(({ kind }) => kind === 'busy').length).toBeGreaterThanOrEqual(2)
    expect(results[0]).toMatchObject({ kind: 'passed' })
    one.close()
  })
})

describe('rules that refuse', () => {
  test('an UnauthorizedError is a denial with its message', async () => {
    expect(await run(rule(done), rule(`callback(new UnauthorizedError('Not on Sundays'))`))).toEqual({
      kind: 'denied',
      rule: 'rule 2',
      message: 'Not on Sundays',
    })
    expect(await run(rule(`throw new UnauthorizedError('thrown')`))).toMatchObject({ kind: 'denied' })
  })

  const failures: readonly (readonly [name: string, script: string, reason: string])[] = [
    ['throws', rule(`null.x`), 'TypeError'],
    ['calls back with an error', rule(`callback(new Error('quota'))`), 'quota'],
    ['calls back with a text', rule(`callback('no')`), 'no'],
    ['throws later', rule(`setTimeout(function () { undefined.x }, 1)`), 'TypeError'],
    ['rejects', `async function (user) { throw new Error('async quota') }`, 'async quota'],
    ['rejects beside its way', rule(`Promise.reject(new Error('floating'))`), 'floating'],
    ['is not a function', `42`, 'not a function'],
    ['leaves a circle', rule(`context.idToken.me = context; ${done}`), 'circular'],
    [
      'leaves a getter that throws',
      rule(`Object.defineProperty(context, 'idToken', { get() { throw new Error('trap') } }); ${done}`),
      'trap',
    ],
    [
      'leaves a proxy that throws',
      rule(`context.idToken = new Proxy({}, { ownKeys() { throw new Error('trap') } }); ${done}`),
      'trap',
    ],
    ['leaves no context', rule(`Object.prototype.toJSON = function () {}; ${done}`), 'no longer'],
    ['leaves another context', rule(`Object.prototype.toJSON = function () { return 'x' }; ${done}`), 'no longer'],
    ['leaves too much', rule(`context.idToken.big = 'x'.repeat(200000); ${done}`), '100000 are allowed'],
    [
      'throws an error that throws',
      rule(`throw { get stack() { throw 1 }, toString() { throw 2 }, toJSON() { throw 3 } }`),
      'cannot be written down',
    ],
    ['makes code from text', rule(`new Function('return 1')()`), 'Code generation'],
  ]
  for (const [name, script, reason] of failures)
    test(`a rule that ${name} fails`, async () => {
      expect(await run(script)).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) })
    })

  test('the first call of callback counts', async () => {
    expect(await output(rule(`${done}; callback(new Error('too late')); throw new Error('too late')`))).toBeDefined()
    expect(await run(rule(`callback(new UnauthorizedError('first')); ${done}`))).toMatchObject({ kind: 'denied' })
  })
})

describe('rules that do not end', () => {
  const endless: readonly (readonly [name: string, script: string])[] = [
    ['loops', rule('for (;;) {}')],
    ['loops after it has called back', rule(`${done}; for (;;) {}`)],
    ['loops in promises', rule(`(function spin() { Promise.resolve().then(spin) })()`)],
    ['never calls back', rule('')],
  ]
  for (const [name, script] of endless)
    test(`a rule that ${name} fails, and the next run works`, async () => {
      expect(await run(rule(done), script)).toMatchObject({
        kind: 'failed',
        rule: 'rule 2',
        reason: expect.stringContaining('2000 ms'),
      })
      expect(await run(rule(done))).toMatchObject({ kind: 'passed' })
    })

  for (const [name, body] of [
    ['objects', 'const all = []; for (;;) all.push({ x: 1 })'],
    ['numbers', 'const all = []; for (let i = 0; ; i++) all.push(i)'],
    ['keys', 'const all = new Map(); for (let i = 0; ; i++) all.set(i, i)'],
  ] as const)
    test(`a rule that piles up ${name} ends its own process alone`, async () => {
      const result = await run(rule(body))
      expect(result).toMatchObject({ kind: 'failed', rule: 'rule 1' })
      expect(await run(rule(done))).toMatchObject({ kind: 'passed' })
    })
})

describe('what stands around a rule', () => {
  test('it cannot read files or start programs, even by the ways that lead out of its context', async () => {
    const out = rule(`
      const outside = URL.constructor('return process')();
      context.idToken.env = Object.keys(outside.env).length;
      try { outside.getBuiltinModule('fs').readFileSync('/etc/hostname') } catch (error) { context.idToken.fs = error.code }
      try { outside.getBuiltinModule('child_process').execSync('id') } catch (error) { context.idToken.exec = error.code }
      ${done}`)
    expect((await output(out)).idToken).toEqual({ env: 0, fs: 'ERR_ACCESS_DENIED', exec: 'ERR_ACCESS_DENIED' })
  })

  test('a name like __proto__ is a name like any other', async () => {
    const made = await output(
      rule(`context.idToken = JSON.parse('{"__proto__":{"admin":true},"constructor":1}'); ${done}`),
    )
    expect(Object.keys(made.idToken as object)).toEqual(['__proto__', 'constructor'])
    expect((made.idToken as { admin?: unknown }).admin).toBeUndefined()
    expect(await output(rule(`context.idToken.__proto__ = { admin: true }; ${done}`))).toEqual({
      idToken: {},
      accessToken: {},
    })
  })

  test('lines of the log are bounded', async () => {
    await output(rule(`for (let i = 0; i < 500; i++) console.log('x'.repeat(5000)); ${done}`))
    expect(lines.length).toBe(100)
    expect(lines[0]?.text.length).toBe(2000)
  })
})

describe('the source text of a rule', () => {
  test.each([
    ['function (user, context, callback) { callback() }', undefined],
    ['// a comment\nfunction named(user, context, callback) { callback() };  \n', undefined],
    ['(user, context, callback) => callback()', undefined],
    ['function (user, context, callback) { callback(', 'Unexpected end of input'],
    ['const x = 1', 'Unexpected token'],
  ])('%s', (text, problem) => {
    if (problem === undefined) expect(ruleProblem('x', text)).toBeUndefined()
    else expect(ruleProblem('x', text)).toContain(problem)
  })
})
