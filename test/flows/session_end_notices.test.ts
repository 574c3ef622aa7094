/** Who hears of the end of a session: in frames, and directly, until it is heard. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { signIn } from '../support/flow.ts'
import { verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import {
  appRequest,
  apps,
  confirm,
  idTokenOf,
  isSignedIn,
  type LogoutScene,
  leave,
  startLogoutScene,
} from '../support/logout_scene.ts'
import { person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
let scene: LogoutScene
beforeAll(async () => {
  scene = await startLogoutScene()
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(scene.tenant)
})
afterAll(async () => {
  await latchkey.close()
  await scene.listener.close()
})

let agent: Agent
beforeEach(() => {
  agent = new Agent()
  scene.listener.requests.length = 0
})
const request = (app: keyof typeof apps) => appRequest(app, scene.listener)
const framesOf = (body: string) =>
  [...body.matchAll(/<iframe src="([^"]*)"/g)].map(([, src = '']) => src.replaceAll('&amp;', '&'))

describe('OpenID Connect Front-Channel Logout §3 the apps that the session gave tokens to are loaded in frames', () => {
  test('with iss and sid and nothing else, then the browser goes on, script or no script', async () => {
    const { id_token, claims } = await idTokenOf(agent, issuer, request('frames'))
    const back = `${scene.listener.origin}/bye`
    const page = await leave(agent, issuer, { id_token_hint: id_token, post_logout_redirect_uri: back, state: 's1' })
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const query = new URLSearchParams({ iss: issuer, sid: claims.sid })
    const [frame = '', ...others] = framesOf(page.body)
    expect(others).toEqual([])
    expect(frame.split('?')[0]).toBe(`${scene.listener.origin}/frontchannel`)
    expect([...new URL(frame).searchParams]).toEqual([...query])
    expect(page.headers.get('content-security-policy')).toMatch(new RegExp(`frame-src ${scene.listener.origin}(;|$)`))
    expect(page.body).toContain(`<meta http-equiv="refresh" content="5;url=${back}?state=s1">`)
    expect(page.body).toContain(`id="continue" href="${back}?state=s1"`)
    expect(await isSignedIn(agent, issuer)).toBe(false)
  })

  test('each app once, its own query kept, and our own page stays where no address was given', async () => {
    await signIn(agent, issuer, request('frames'))
    await signIn(agent, issuer, request('frames'))
    const { id_token, claims } = await idTokenOf(agent, issuer, request('framesToo'))
    const page = await leave(agent, issuer, { id_token_hint: id_token })
    expect(
      framesOf(page.body)
        .map((src) => src.slice(scene.listener.origin.length))
        .toSorted(),
    ).toEqual([
      `/frontchannel-too?app=2&iss=${encodeURIComponent(issuer)}&sid=${claims.sid}`,
      `/frontchannel?iss=${encodeURIComponent(issuer)}&sid=${claims.sid}`,
    ])
    expect(page.body).not.toContain('http-equiv="refresh"')
    expect(page.body).not.toContain('location.replace')
  })

  test('after the confirmation, and after /v2/logout too', async () => {
    await signIn(agent, issuer, request('frames'))
    expect(framesOf((await confirm(agent, await leave(agent, issuer))).body)).toHaveLength(1)
    await signIn(agent, issuer, request('frames'))
    const back = encodeURIComponent(`${scene.listener.origin}/bye`)
    const page = await agent.request(`${issuer}v2/logout?client_id=${apps.frames}&returnTo=${back}`)
    expect(framesOf(page.body)).toHaveLength(1)
  })

  test('an app without tokens of this session is not, and no frame means no frame-src', async () => {
    const { id_token } = await idTokenOf(agent, issuer, request('plain'))
    const page = await leave(agent, issuer, { id_token_hint: id_token })
    expect(framesOf(page.body)).toEqual([])
    expect(page.headers.get('content-security-policy')).not.toContain('frame-src')
  })
})

describe('OpenID Connect Back-Channel Logout §2.4 §2.5 §2.6 the logout token', () => {
  test('arrives as a form before the browser goes on, and says what it must and nothing more', async () => {
    const { id_token, claims } = await idTokenOf(agent, issuer, request('direct'))
    const back = `${scene.listener.origin}/bye`
    const asked = { id_token_hint: id_token, post_logout_redirect_uri: back }
    expect((await leave(agent, issuer, asked)).location).toBe(back)
    const [received, ...more] = scene.listener.requests
    expect(more).toEqual([])
    expect(received).toMatchObject({ method: 'POST', url: '/backchannel' })
    expect(received?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    const form = new URLSearchParams(received?.body)
    expect([...form.keys()]).toEqual(['logout_token'])
    const token = await verified(issuer, form.get('logout_token') ?? undefined)
    expect(token.header).toMatchObject({ typ: 'logout+jwt', alg: 'RS256' })
    const { iat, exp, jti, ...rest } = token.claims
    expect(rest).toEqual({
      ...{ iss: issuer, aud: apps.direct, sub: claims.sub, sid: claims.sid },
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect(Number(exp) - Number(iat)).toBe(120)
    expect(Math.abs(Number(iat) - Date.now() / 1000)).toBeLessThan(60)
    expect(jti).toMatch(/^[\w-]{43}$/)
  })

  test('one for each session, whatever the number of answers', async () => {
    const first = await idTokenOf(agent, issuer, request('direct'))
    await idTokenOf(agent, issuer, request('direct'))
    await agent.request(`${issuer}v2/logout`)
    expect(scene.heard().map((token) => claimsOf(token).sid)).toEqual([first.claims.sid])
    const second = await idTokenOf(agent, issuer, request('direct'))
    await agent.request(`${issuer}v2/logout`)
    expect(scene.heard().map((token) => claimsOf(token).sid)).toEqual([first.claims.sid, second.claims.sid])
    expect(new Set(scene.heard().map((token) => claimsOf(token).jti)).size).toBe(2)
  })

  test('is sent when the person signs in as somebody else, not when the same signs in again', async () => {
    const { claims } = await idTokenOf(agent, issuer, request('direct'))
    await signIn(agent, issuer, { prompt: 'login' })
    await latchkey.apply(`users: [{ email: bob@example.com, password: 'Correct-Horse-8', email_verified: true }]`)
    expect(scene.heard()).toEqual([])
    await signIn(agent, issuer, { prompt: 'login' }, { email: 'bob@example.com', password: 'Correct-Horse-8' })
    await expect.poll(() => scene.heard().length, { timeout: 8000 }).toBe(1)
    expect(claimsOf(scene.heard()[0])).toMatchObject({ sid: claims.sid, sub: claims.sub })
  })

  for (const [name, change] of [
    ['a new password', `{ email: ${person.email}, password: 'Correct-Horse-9' }`],
    ['the person is blocked', `{ email: ${person.email}, blocked: true }`],
  ] as const)
    test(`is sent after ${name}, for every session of that person`, async () => {
      const other = new Agent()
      const sids = [
        await idTokenOf(agent, issuer, request('direct')),
        await idTokenOf(other, issuer, request('direct')),
      ]
      await latchkey.apply(`users: [${change}]`)
      await expect.poll(() => scene.heard().length, { timeout: 8000 }).toBe(2)
      expect(
        scene
          .heard()
          .map((token) => claimsOf(token).sid)
          .toSorted(),
      ).toEqual(sids.map(({ claims }) => claims.sid).toSorted())
      await latchkey.apply(`users: [{ email: ${person.email}, password: '${person.password}', blocked: false }]`)
    })

  test('goes to nobody whose tokens are of another session', async () => {
    await idTokenOf(new Agent(), issuer, request('direct'))
    await signIn(agent, issuer)
    await agent.request(`${issuer}v2/logout`)
    expect(scene.heard()).toEqual([])
  })
})

describe('OpenID Connect Back-Channel Logout §2.7 §2.8 an app that does not hear', () => {
  test('is told again with the same jti, and holds the browser up for two seconds at most', async () => {
    let answers = 0
    const { files, requests } = scene.listener
    await idTokenOf(agent, issuer, request('deaf'))
    const before = performance.now()
    await agent.request(`${issuer}v2/logout`)
    expect(performance.now() - before).toBeLessThan(2500)
    const told = () => requests.filter(({ url }) => url === '/not-there')
    expect(told()).toHaveLength(1)
    files.set('/not-there', () => {
      answers++
      return ''
    })
    latchkey.advance(5)
    await expect.poll(() => answers, { timeout: 8000 }).toBe(1)
    const ids = told().map(({ body }) => claimsOf(new URLSearchParams(body).get('logout_token') ?? '').jti)
    expect(new Set(ids).size).toBe(1)
    latchkey.advance(3600)
    await agent.request(`${issuer}v2/logout`)
    expect(told()).toHaveLength(2)
    files.delete('/not-there')
    expect(latchkey.log.some((line) => line.client_id === apps.deaf && line.attempts === 1)).toBe(true)
    expect(JSON.stringify(latchkey.log)).not.toContain('logout_token=')
  })

  test('is told after a restart of the server', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-logout-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const database = `sqlite:${join(directory, 'latchkey.sqlite')}`
    const first = await startLatchkey({ tenant, database })
    await first.apply(scene.tenant)
    const { claims } = await idTokenOf(agent, first.issuer, request('deaf'))
    await agent.request(`${first.issuer}v2/logout`)
    await first.close()
    scene.listener.requests.length = 0
    scene.listener.files.set('/not-there', '')
    const second = await startLatchkey({ tenant, database })
    second.advance(5)
    try {
      const told = () => scene.listener.requests.filter(({ url }) => url === '/not-there')
      await expect.poll(() => told().length, { timeout: 8000 }).toBe(1)
      const token = new URLSearchParams(told()[0]?.body).get('logout_token') ?? ''
      expect(claimsOf(token)).toMatchObject({ sid: claims.sid, iss: first.issuer })
      await verified(second.issuer, token)
    } finally {
      await second.close()
      scene.listener.files.delete('/not-there')
    }
  })
})
