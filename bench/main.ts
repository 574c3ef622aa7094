/** Owns `npm run bench`: what the server does in a second, how soon it answers and how much memory it holds, beside the machine's own limits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Agent, fragmentOf } from '../test/support/agent.ts'
import { send } from './load.ts'
import { type Measured, memoryOf, onOneCore, perSecond, pinSender, startMeasured, stopAll } from './processes.ts'
import { formatRows, type Row, toRow } from './report.ts'
import { openSigningLimit } from './signing_limit.ts'
import { tokenRows } from './token_rows.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } } })
const rounds = values.quick ? 3 : 7
const seconds = values.quick ? 2 : 5
/** A server that has just started runs code that is not compiled for speed yet: this many answers later it is. */
const warmUp = values.quick ? 20_000 : 40_000

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const port = 18_400
const issuer = `http://localhost:${port}/`
const barePort = 18_401
const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
const say = (text: string) => process.stderr.write(`${text}\n`)

function serve(more: readonly string[] = []): Promise<Measured> {
  const command = join(root, 'packages/cli/bin/latchkey.js')
  const options = ['--issuer', issuer, '--port', String(port), '--database', `sqlite:${folder}/bench.sqlite`]
  // One user asks for everything here.
  options.push('--userinfo-per-minute', '100000000')
  return startMeasured(
    [command, 'serve', ...options, '--log-level', 'warn', ...more],
    `${issuer}.well-known/openid-configuration`,
  )
}

function bareHttp(bytes: number): Promise<Measured> {
  return startMeasured(
    [join(root, 'bench/limits/bare_http.ts'), String(barePort), String(bytes)],
    `http://127.0.0.1:${barePort}/`,
  )
}

function silentUrl(alg: string): string {
  const query = new URLSearchParams({
    client_id: `BenchClient${alg}`.padEnd(32, '0'),
    redirect_uri: 'http://localhost:3999/callback',
    response_type: 'id_token token',
    scope: 'openid profile email read:messages',
    audience: `https://${alg.toLowerCase()}.example.com/`,
    state: 'af0ifjsldkj-af0ifjsldkj',
    nonce: 'n-0S6_WzA2Mj-n-0S6_WzA2Mj',
    prompt: 'none',
  })
  return `${issuer}authorize?${query}`
}

/** Signs in and says yes once, as a person does. @returns the cookie of the session and an access token */
async function prepare(alg: string): Promise<{ cookie: string; access_token: string }> {
  const agent = new Agent()
  const login = await agent.visit(silentUrl(alg).replace('&prompt=none', ''))
  const page = await agent.submit(login, {
    username: 'bench@example.com',
    password: 'Correct-Horse-7',
    action: 'default',
  })
  const answer = page.status === 200 ? await agent.submit(page, { action: 'accept' }) : page
  const { access_token = '' } = fragmentOf(answer.location)
  return { cookie: agent.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), access_token }
}

async function silentRow(server: Measured, alg: string): Promise<Row> {
  const { cookie } = await prepare(alg)
  const load = { url: silentUrl(alg), headers: { cookie }, status: 302 }
  const limit = await openSigningLimit(root, alg, 2)
  await send({ ...load, until: { answers: warmUp / 10 } })
  const [ours, references]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    references.push(await limit.measure(seconds))
    ours.push(await perSecond(server, () => send({ ...load, until: { seconds } })))
  }
  await limit.stop()
  return toRow({
    name: `silent authorize, id_token token, ${alg}`,
    unit: '1/s',
    ours,
    references,
    reference: limit.reference,
    reference_kind: 'limit',
    better: 'more',
  })
}

/** With the quicker signature, for the path is the same and the warming up then takes seconds. */
async function warm(): Promise<void> {
  const { cookie } = await prepare('ES256')
  await send({ url: silentUrl('ES256'), headers: { cookie }, status: 302, until: { answers: warmUp } })
}

/** A row of requests beside bare HTTP that sends as many bytes. */
async function httpRow(
  server: Measured,
  name: string,
  load: { url: string; headers?: Record<string, string>; status: number },
): Promise<Row> {
  const bytes = (await (await fetch(load.url, { headers: load.headers ?? {} })).arrayBuffer()).byteLength
  const bare = await bareHttp(bytes)
  const bareLoad = { url: `http://127.0.0.1:${barePort}/`, status: 200 }
  const [ours, references]: [number[], number[]] = [[], []]
  for (const one of [load, bareLoad]) await send({ ...one, until: { answers: warmUp } })
  for (let round = 0; round < rounds; round++) {
    references.push(await perSecond(bare, () => send({ ...bareLoad, until: { seconds } })))
    ours.push(await perSecond(server, () => send({ ...load, until: { seconds } })))
  }
  await bare.stop()
  return toRow({
    name,
    unit: '1/s',
    ours,
    references,
    reference: 'bare node:http, as many bytes',
    reference_kind: 'limit',
    better: 'more',
  })
}

/** Time to the first answer and idle memory, of a server whose database is there already. */
async function startRows(): Promise<readonly Row[]> {
  const [times, bareTimes, memory, bareMemory]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (let round = 0; round < rounds; round++) {
    const bare = await bareHttp(1500)
    const server = await serve()
    bareTimes.push(bare.started_in)
    times.push(server.started_in)
    await new Promise((resolve) => setTimeout(resolve, 5500))
    memory.push(memoryOf(server))
    bareMemory.push(memoryOf(bare))
    await Promise.all([server.stop(), bare.stop()])
  }
  return [
    toRow({
      name: 'start to first answer',
      unit: 'ms',
      ours: times,
      references: bareTimes,
      reference: 'bare node:http',
      reference_kind: 'limit',
      better: 'less',
    }),
    toRow({
      name: 'resident memory, idle',
      unit: 'MB',
      ours: memory,
      references: bareMemory,
      reference: 'bare node:http',
      reference_kind: 'limit',
      better: 'less',
    }),
  ]
}

pinSender()
try {
  say(
    `Measuring: ${rounds} rounds of ${seconds} s${onOneCore ? ', server and sender on a core each' : ', not pinned to cores'}. ` +
      'Answers are counted by the second of processor time that the measured process used.',
  )
  const first = await serve(['--apply', join(root, 'bench/tenant.yaml')])
  await first.stop()
  const rows: Row[] = [...(await startRows())]
  const server = await serve()
  say('warming up …')
  await warm()
  for (const alg of ['RS256', 'ES256']) {
    say(`silent authorize, ${alg} …`)
    rows.push(await silentRow(server, alg))
  }
  say('userinfo, JWKS …')
  const { access_token } = await prepare('RS256')
  rows.push(
    await httpRow(server, 'userinfo', {
      url: `${issuer}userinfo`,
      headers: { authorization: `Bearer ${access_token}` },
      status: 200,
    }),
  )
  rows.push(await httpRow(server, 'JWKS', { url: `${issuer}.well-known/jwks.json`, status: 200 }))
  rows.push(...(await tokenRows({ root, server, issuer, rounds, seconds, say })))
  const bare = await bareHttp(1500)
  await send({ url: `http://127.0.0.1:${barePort}/`, status: 200, until: { seconds } })
  rows.push(
    toRow({
      name: 'resident memory, under load',
      unit: 'MB',
      ours: [memoryOf(server)],
      references: [memoryOf(bare)],
      reference: 'bare node:http',
      reference_kind: 'limit',
      better: 'less',
    }),
  )
  await Promise.all([server.stop(), bare.stop()])
  process.stdout.write(`${formatRows(rows)}\n`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ rows }, null, 2)}\n`)
} finally {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
}
