import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { clients, localCallback, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const ask = (change: Parameters) => ada.visit(authorizeUrl(latchkey.issuer, change))
const pageOf = (answer: Answer) => (answer.location === undefined ? new URL(answer.url).pathname : 'none')
const logIn = (page: Answer) =>
  ada.submit(page, { username: person.email, password: person.password, action: 'default' })
const authTimeOf = (answer: Answer) => claimsOf(outcomeOf(answer).parameters.id_token).auth_time as number | undefined

describe('OpenID Connect Core §3.1.2.1 prompt', () => {
  for (const [prompt, pages] of [
    [undefined, []],
    ['login', ['/u/login']],
    ['consent', ['/u/consent']],
    ['select_account', ['/u/account']],
    ['login consent', ['/u/login', '/u/consent']],
    ['consent login', ['/u/login', '/u/consent']],
    ['select_account consent', ['/u/account', '/u/consent']],
    ['login select_account', ['/u/login']],
    ['login login', ['/u/login']],
    ['none', []],
  ] as const)
    test(`prompt=${prompt ?? '(absent)'} shows ${pages.join(', then ') || 'no page'}`, async () => {
      const seen: string[] = []
      let answer = await ask({ prompt })
      while (pageOf(answer) !== 'none') {
        seen.push(pageOf(answer))
        answer = pageOf(answer) === '/u/login' ? await logIn(answer) : await ada.submit(answer, { action: 'accept' })
      }
      expect(seen).toEqual(pages)
      expect(outcomeOf(answer).parameters).toHaveProperty('access_token')
    })

  for (const prompt of [
    'none login',
    'login none',
    'none consent',
    'none select_account',
    'creates',
    'NONE',
    'none,login',
  ])
    test(`prompt=${prompt} is invalid_request, told without a page`, async () => {
      const { via, parameters } = outcomeOf(await ada.request(authorizeUrl(latchkey.issuer, { prompt })))
      expect([via, parameters.error]).toEqual(['fragment', 'invalid_request'])
    })

  test('on the account page another account leads to an empty login page; the first session stays until then', async () => {
    const chosen = await ada.submit(await ask({ prompt: 'select_account' }), { action: 'other' })
    expect(isPage(chosen, '/u/login')).toBe(true)
    expect(chosen.body).not.toContain(person.email)
    expect(outcomeOf(await silently(ada, latchkey.issuer)).parameters).toHaveProperty('access_token')
  })

  test('prompt=login shows who is to prove it again', async () =>
    expect((await ask({ prompt: 'login' })).body).toContain('Ada Lovelace'))
})

describe('OpenID Connect Core §3.1.2.1, §2 max_age and auth_time', () => {
  test('max_age=1 and two seconds later: the person signs in again, and auth_time is later', async () => {
    const before = authTimeOf(await logIn(await ask({ prompt: 'login' })))
    latchkey.advance(2)
    const page = await ask({ max_age: '1' })
    expect(pageOf(page)).toBe('/u/login')
    const after = authTimeOf(await logIn(page))
    expect(Number(after)).toBeGreaterThan(Number(before))
  })

  test('max_age=10000: no page, and auth_time is still that of the login, silently too', async () => {
    const first = authTimeOf(await logIn(await ask({ prompt: 'login' })))
    latchkey.advance(9_000)
    expect(authTimeOf(await ask({ max_age: '10000' }))).toBe(first)
    expect(authTimeOf(await silently(ada, latchkey.issuer, { max_age: '10000' }))).toBe(first)
    latchkey.advance(1_002)
    expect(pageOf(await ask({ max_age: '10000' }))).toBe('/u/login')
    expect(outcomeOf(await silently(ada, latchkey.issuer, { max_age: '10000' })).parameters.error).toBe(
      'login_required',
    )
  })

  test('max_age=0 asks each time, even right after a login', async () => {
    for (const _ of [1, 2]) {
      const page = await ask({ max_age: '0' })
      expect(pageOf(page)).toBe('/u/login')
      expect(authTimeOf(await logIn(page))).toBeTypeOf('number')
    }
  })

  test('auth_time is told when max_age or prompt=login was sent, and only then', async () => {
    expect(authTimeOf(await ask({}))).toBeUndefined()
    expect(authTimeOf(await ask({ max_age: '86400' }))).toBeTypeOf('number')
    expect(authTimeOf(await logIn(await ask({ prompt: 'login' })))).toBeTypeOf('number')
  })

  test('a session that began in another app is as old as its login, not as its use', async () => {
    await logIn(await ask({ prompt: 'login' }))
    latchkey.advance(100)
    const local = { client_id: clients.local, redirect_uri: localCallback, max_age: '60' }
    expect(pageOf(await ask(local))).toBe('/u/login')
  })

  for (const max_age of ['-1', '1.5', 'abc', '0x10', '1e3', '99999999999', ' 5', '5;', '٣'])
    test(`max_age=${max_age} is invalid_request`, async () =>
      expect(outcomeOf(await ada.request(authorizeUrl(latchkey.issuer, { max_age }))).parameters.error).toBe(
        'invalid_request',
      ))

  test('an empty max_age counts as absent (RFC 6749 §3.1)', async () =>
    expect(authTimeOf(await ask({ max_age: '' }))).toBeUndefined())
})
