import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn, silently } from '../support/flow.ts'
import { publishedKeys, tampered, unsigned } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { clients, localCallback, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let foreign: Latchkey
const ada = new Agent()
let tokens: Readonly<Record<string, string>>
let hintOfGrace: string
beforeAll(async () => {
  ;[latchkey, foreign] = await Promise.all([startLatchkey({ tenant }), startLatchkey({ tenant })])
  await latchkey.apply(moreTenant)
  tokens = outcomeOf(await signIn(ada, latchkey.issuer)).parameters
  hintOfGrace = outcomeOf(await signIn(new Agent(), latchkey.issuer, {}, second)).parameters.id_token ?? ''
})
afterAll(() => Promise.all([latchkey.close(), foreign.close()]))

const own = () => tokens.id_token ?? ''
const silent = async (id_token_hint: string) =>
  outcomeOf(await silently(ada, latchkey.issuer, { id_token_hint })).parameters

/** The classic confusion: the public key, which everybody has, taken for a shared secret. */
async function signedWithPublicKey(): Promise<string> {
  const [key] = await publishedKeys(latchkey.issuer)
  const pem = createPublicKey({ key: key ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid: key?.kid })).toString('base64url')
  const input = `${header}.${own().split('.')[1]}`
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}

describe('OpenID Connect Core §3.1.2.1 id_token_hint', () => {
  test('of the person who is signed in: a silent answer for the same sub', async () => {
    const { id_token } = await silent(own())
    expect(claimsOf(id_token).sub).toBe(claimsOf(own()).sub)
  })

  test('given to another app of this issuer: invalid_request, whoever it names', async () => {
    const local = { client_id: clients.local, redirect_uri: localCallback }
    for (const who of [person, second]) {
      const { id_token } = outcomeOf(await signIn(new Agent(), latchkey.issuer, local, who)).parameters
      const { error, error_description, ...rest } = await silent(id_token ?? '')
      expect([error, error_description]).toEqual([
        'invalid_request',
        'id_token_hint is not an ID token for this client',
      ])
      expect(rest).not.toHaveProperty('id_token')
    }
  })

  for (const [name, hint] of [
    ['changed in its signature', () => tampered(own())],
    ['changed in its claims', () => tampered(own(), 1)],
    ['changed in its header', () => tampered(own(), 0)],
    ['without a signature', () => unsigned(own())],
    ['signed with the public key as a secret', signedWithPublicKey],
    ['an access token', () => tokens.access_token ?? ''],
    [
      'the ID token of another issuer',
      async () => outcomeOf(await signIn(new Agent(), foreign.issuer)).parameters.id_token ?? '',
    ],
    ['not a token at all', () => 'nonsense'],
    ['empty parts', () => '..'],
    ['a JSON object', () => '{"sub":"x"}'],
  ] as const)
    test(`${name}: invalid_request`, async () => {
      const { error, error_description, id_token } = await silent(await hint())
      expect([error, error_description]).toEqual(['invalid_request', 'id_token_hint is not an ID token of this issuer'])
      expect(id_token).toBeUndefined()
    })

  test('of another person: silently login_required', async () =>
    expect(await silent(hintOfGrace)).toMatchObject({ error: 'login_required' }))

  test('of another person: the login page, and only that person gets an answer', async () => {
    const url = authorizeUrl(latchkey.issuer, { id_token_hint: hintOfGrace })
    const agent = new Agent()
    await signIn(agent, latchkey.issuer)
    const page = await agent.visit(url)
    expect(isPage(page, '/u/login')).toBe(true)
    const wrong = await agent.submit(page, { username: person.email, password: person.password })
    expect(outcomeOf(wrong).parameters).toMatchObject({ error: 'login_required' })
    const right = await agent.submit(await agent.visit(url), { username: second.email, password: second.password })
    expect(claimsOf(outcomeOf(right).parameters.id_token).sub).toBe(claimsOf(hintOfGrace).sub)
  })

  test('expired, it is as good as a fresh one; for somebody who is not signed in it opens nothing', async () => {
    latchkey.advance(40_000)
    expect(await silent(own())).toHaveProperty('id_token')
    const stranger = await silently(new Agent(), latchkey.issuer, { id_token_hint: own() })
    expect(outcomeOf(stranger).parameters.error).toBe('login_required')
  })
})
