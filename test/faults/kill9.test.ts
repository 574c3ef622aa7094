/**
 * A server on a SQLite file is killed with SIGKILL at random moments, while it starts and while it works, and starts again: whatever it
 * had acknowledged is there, and the file is whole. `FAULT_CYCLES=10000` for the long run.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authorizeUrl } from '../support/flow.ts'
import { freePort } from '../support/latchkey.ts'
import { clients, tenant } from '../support/tenant.ts'
import { type CrashingServer, crashingServer } from './support/crashing_server.ts'
import { type Entry, readLedger } from './support/ledger.ts'

const cycles = Number(process.env.FAULT_CYCLES ?? 10)
const perCycle = 6000
/** Old entries are looked at again at the end; until then, at the newest. */
const newest = 60

let folder: string
let server: CrashingServer
let writer: ChildProcess
let complaints = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-kill9-'))
  writeFileSync(join(folder, 'tenant.yaml'), tenant)
  server = crashingServer(folder, await freePort())
  const script = join(import.meta.dirname, 'support/writer.ts')
  writer = spawn(process.execPath, [script, server.issuer, join(folder, 'ledger')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  writer.stdout?.on('data', (text) => {
    complaints += text
  })
})
afterAll(async () => {
  writer.kill('SIGKILL')
  await server.kill()
  rmSync(folder, { recursive: true })
})

const ledger = () => readLedger(join(folder, 'ledger'))

/** What the file itself says while the server works on it. */
function inspect(entries: readonly Entry[]): { integrity: unknown; lost: readonly Entry[]; halves: number } {
  const sqlite = new DatabaseSync(join(folder, 'latchkey.sqlite'), { readOnly: true, timeout: 5000 })
  const user = sqlite.prepare('select user_id from users where email = ?')
  const mail = sqlite.prepare("select 1 from mails where recipient = ? and kind = 'verify_email'")
  const grant = sqlite.prepare(
    'select 1 from grants g join users u using (tenant, user_id) where u.email = ? and g.client_id = ?',
  )
  const lost = entries.filter((entry) => {
    if (entry.kind === 'user') return user.get(entry.email) === undefined || mail.get(entry.email) === undefined
    return entry.kind === 'consent' && grant.get(entry.email, clients.thirdParty) === undefined
  })
  const integrity = sqlite.prepare('pragma integrity_check').get()?.integrity_check
  const halves = sqlite
    .prepare(
      "select count(*) as n from users where email like 'person-%' and email not in (select recipient from mails)",
    )
    .get() as { n: number }
  sqlite.close()
  return { integrity, lost, halves: halves.n }
}

/** What the server says to those who hold something from before: the entries that it knows nothing of. */
async function ask(entries: readonly Entry[]): Promise<readonly Entry[]> {
  const waiting = [...entries]
  const lost: Entry[] = []
  const worker = async () => {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift())
      if (!(await holds(entry))) lost.push(entry)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return lost
}

async function holds(entry: Entry): Promise<boolean> {
  if (entry.kind === 'user' || entry.kind === 'leaving') return true
  if (entry.kind === 'token') {
    const headers = { authorization: `Bearer ${entry.access_token}` }
    return (await fetch(`${server.issuer}userinfo`, { headers })).status === 200
  }
  const said = await silently(entry.cookie)
  if (entry.kind === 'ended') return said === 'login_required'
  if (said === 'login_required') return ledger().some((one) => one.kind === 'leaving' && one.cookie === entry.cookie)
  return entry.kind === 'session' || said === 'token'
}

async function silently(cookie: string): Promise<string> {
  const url = authorizeUrl(server.issuer, {
    ...{ client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback', response_type: 'token' },
    ...{ scope: 'openid profile', audience: undefined, nonce: undefined, prompt: 'none' },
  })
  const answer = await fetch(url, { headers: { cookie }, redirect: 'manual' })
  const parameters = new URLSearchParams(new URL(answer.headers.get('location') ?? 'about:blank').hash.slice(1))
  return parameters.get('error') ?? (parameters.has('access_token') ? 'token' : 'nothing')
}

describe('RL-01 kill -9 of a server on a SQLite file', () => {
  test(`${cycles} times: nothing acknowledged is lost, the file is whole`, {
    timeout: 60_000 + cycles * perCycle,
  }, async () => {
    let slowest = 0
    let whole = 0
    for (let cycle = 0; cycle < cycles; cycle++) {
      // One in four dies while it starts, the very first while it makes its tables.
      if (cycle % 4 === 0) {
        server.start()
        await delay(randomInt(cycle === 0 ? 150 : 20, 450))
        await server.kill()
      }
      server.start()
      slowest = Math.max(slowest, await server.ready())
      const entries = ledger().slice(-newest)
      const { integrity, lost } = inspect(entries)
      if (integrity === 'ok') whole++
      expect([cycle, integrity, lost, await ask(entries)]).toEqual([cycle, 'ok', [], []])
      await delay(randomInt(50, 1200))
      await server.kill()
    }
    writer.kill('SIGTERM')
    await new Promise((resolve) => writer.once('exit', resolve))
    server.start()
    slowest = Math.max(slowest, await server.ready())
    const all = ledger()
    const { integrity, lost, halves } = inspect(all)
    const gone = [...lost, ...(await ask(all))]
    process.stdout.write(
      `kill -9: ${cycles} cycles, ${all.length} acknowledged writes, ${gone.length} lost, integrity ok ${whole}/${cycles}, ` +
        `slowest start ${Math.round(slowest)} ms, sign-ups cut off before their mail ${halves}\n`,
    )
    expect([integrity, gone, complaints]).toEqual(['ok', [], ''])
    expect(all.length).toBeGreaterThan(cycles)
  })
})
