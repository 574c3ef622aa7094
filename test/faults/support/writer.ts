/**
 * Owns the client of the kill tests, a process of its own: people sign up, sign in, allow an app, get tokens and sign out, over and
 * over, whatever happens to the server; what was acknowledged goes into the ledger.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, fragmentOf } from '../../support/agent.ts'
import { authorizeUrl, isPage } from '../../support/flow.ts'
import { clients, connection } from '../../support/tenant.ts'
import { openLedger } from './ledger.ts'

const [issuer = '', file = '', loops = '3'] = process.argv.slice(2)
const ledger = openLedger(file)
const password = 'Correct-Horse-7'
const request = {
  ...{ client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback', response_type: 'token' },
  ...{ scope: 'openid profile', audience: undefined, nonce: undefined },
}
let stopping = false
let people = 0

async function onePerson(): Promise<void> {
  const email = `person-${process.pid}-${people++}@example.com`
  const body = JSON.stringify({ client_id: clients.thirdParty, connection, email, password })
  const agent = new Agent()
  const headers = { 'content-type': 'application/json' }
  const signup = await agent.request(`${issuer}dbconnections/signup`, { method: 'POST', headers, body })
  if (signup.status !== 200) throw new Error(`sign-up: ${signup.status} ${signup.body}`)
  ledger.write({ kind: 'user', email })

  const login = await agent.visit(authorizeUrl(issuer, request))
  const consent = await agent.submit(login, { username: email, password, action: 'default' })
  if (!isPage(consent, '/u/consent')) throw new Error(`no consent page: ${consent.status} ${consent.url}`)
  const cookie = agent.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  ledger.write({ kind: 'session', cookie })

  const { access_token } = fragmentOf((await agent.submit(consent, { action: 'accept' })).location)
  if (access_token === undefined) throw new Error('no token after consent')
  ledger.write({ kind: 'consent', cookie, email })
  ledger.write({ kind: 'token', access_token })

  for (let index = 0; index < 5; index++) {
    const silent = await agent.request(authorizeUrl(issuer, { ...request, prompt: 'none' }))
    const again = fragmentOf(silent.location).access_token
    if (again === undefined) throw new Error(`no silent token: ${silent.location}`)
    ledger.write({ kind: 'token', access_token: again })
  }
  if (people % 3 !== 0) return
  ledger.write({ kind: 'leaving', cookie })
  const out = await agent.request(`${issuer}v2/logout`)
  if (out.status === 200) ledger.write({ kind: 'ended', cookie })
}

async function loop(): Promise<void> {
  while (!stopping) {
    try {
      await onePerson()
    } catch (error) {
      // A server that was killed refuses or resets; anything it answered wrongly is worth knowing.
      if (!isDisconnection(error)) process.stdout.write(`${String(error)}\n`)
      await delay(20)
    }
  }
}

function isDisconnection(error: unknown): boolean {
  return error instanceof TypeError && /fetch failed|terminated/.test(error.message)
}

process.once('SIGTERM', () => {
  stopping = true
})
await Promise.all(Array.from({ length: Number(loops) }, loop))
ledger.close()
