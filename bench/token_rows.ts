/** Owns the rows of the token endpoint: codes, refresh tokens, client credentials and introspection, beside the limit and beside a peer. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Agent, formOf } from '../test/support/agent.ts'
import { call, walk } from './client.ts'
import { stayAwake } from './load.ts'
import { type Measured, perSecond, startMeasured } from './processes.ts'
import { type Row, toRow } from './report.ts'
import { openSigningLimit } from './signing_limit.ts'

/** A server under measurement, and what differs between ours and the peer. */
interface Side {
  readonly issuer: string
  readonly authorize: string
  readonly token: string
  readonly introspect: string
  /** How an API is named in a request. */
  readonly api: (alg: string) => Readonly<Record<string, string>>
  /** Signs in once, so that the next request needs no page. @returns the cookies */
  signIn(): Promise<string>
}

export interface Measuring {
  readonly root: string
  readonly server: Measured
  readonly issuer: string
  readonly rounds: number
  /** Of one round. */
  readonly seconds: number
  readonly say: (text: string) => void
}

const peerPort = 18_402
const secret = 'a secret of the bench client: 32+ characters'
const client = { client_id: 'bench-web', client_secret: secret }
const redirect_uri = 'https://app.example.com/callback'
const code_verifier = 'bench-bench-bench-bench-bench-bench-bench-bench'
const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
const walkers = 20

function requestOf(side: Side, api: boolean): string {
  const query = new URLSearchParams({
    ...{
      client_id: client.client_id,
      redirect_uri,
      response_type: 'code',
      state: 'af0ifjsldkj',
      nonce: 'n-0S6_WzA2Mj',
    },
    scope: api ? 'openid offline_access read:messages' : 'openid offline_access',
    ...(api ? side.api('RS256') : {}),
    ...{ code_challenge, code_challenge_method: 'S256' },
  })
  return `${side.authorize}?${query}`
}

function ours(issuer: string): Side {
  const side: Side = {
    ...{
      issuer,
      authorize: `${issuer}authorize`,
      token: `${issuer}oauth/token`,
      introspect: `${issuer}oauth/introspect`,
    },
    api: (alg) => ({ audience: `https://${alg.toLowerCase()}.example.com/` }),
    async signIn() {
      const agent = new Agent()
      for (const api of [true, false]) {
        let page = await agent.visit(requestOf(side, api))
        if (page.body.includes('id="password"'))
          page = await agent.submit(page, {
            username: 'bench@example.com',
            password: 'Correct-Horse-7',
            action: 'default',
          })
        if (page.body.includes('id="consent-allow"')) await agent.submit(page, { action: 'accept' })
      }
      return cookiesOf(agent)
    },
  }
  return side
}

function peer(): Side {
  const issuer = `http://localhost:${peerPort}/`
  const side: Side = {
    ...{ issuer, authorize: `${issuer}auth`, token: `${issuer}token`, introspect: `${issuer}token/introspection` },
    api: (alg) => ({ resource: `https://${alg.toLowerCase()}.example.com/` }),
    async signIn() {
      const agent = new Agent()
      for (const api of [true, false]) {
        let page = await agent.visit(requestOf(side, api))
        // Its pages ask for a login, then for a yes, each with one form.
        for (let forms = 0; page.status === 200 && forms < 4; forms++)
          page = await agent.visit(formOf(page).action, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ ...formOf(page).fields, login: 'bench', password: 'bench' }).toString(),
          })
      }
      return cookiesOf(agent)
    },
  }
  return side
}

function cookiesOf(agent: Agent): string {
  return agent.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** One journey: a code without a page, and its exchange. */
async function exchange(side: Side, cookie: string, api = true): Promise<Record<string, string>> {
  const answer = await call(requestOf(side, api), { cookie })
  const code = new URL(answer.location ?? 'about:blank').searchParams.get('code')
  if (code === null)
    throw new Error(`${side.authorize} gave no code: ${answer.status} ${answer.location ?? answer.body}`)
  return post(side.token, { grant_type: 'authorization_code', code, redirect_uri, code_verifier })
}

async function post(url: string, fields: Record<string, string>): Promise<Record<string, string>> {
  const { status, body } = await call(url, {}, { ...client, ...fields })
  if (status !== 200) throw new Error(`${url} answered ${status}: ${body.slice(0, 300)}`)
  return JSON.parse(body) as Record<string, string>
}

interface Work {
  readonly name: string
  /** Signatures that the machine must make for one answer, by algorithm; none where nothing is signed. */
  readonly signatures?: readonly [string, number]
  /** Makes what keeps one side busy for so many seconds, and counts. */
  prepare(side: Side): Promise<(seconds: number) => Promise<number>>
}

const works: readonly Work[] = [
  {
    name: 'code + PKCE: silent authorize and exchange, RS256',
    signatures: ['RS256', 2],
    async prepare(side) {
      const cookie = await side.signIn()
      const starts = Array.from({ length: walkers }, () => undefined)
      return async (seconds) =>
        (await walk<undefined>(starts, seconds, async () => void (await exchange(side, cookie)))).done
    },
  },
  {
    name: 'refresh with rotation, RS256',
    signatures: ['RS256', 2],
    async prepare(side) {
      const cookie = await side.signIn()
      let tokens: string[] = []
      for (let one = 0; one < walkers; one++) tokens.push((await exchange(side, cookie)).refresh_token ?? '')
      return async (seconds) => {
        const walked = await walk(tokens, seconds, async (refresh_token) => {
          const answer = await post(side.token, { grant_type: 'refresh_token', refresh_token })
          if (answer.refresh_token === refresh_token || answer.id_token === undefined) throw new Error('Not rotated')
          return answer.refresh_token ?? ''
        })
        tokens = walked.walkers
        return walked.done
      }
    },
  },
  ...['RS256', 'ES256'].map(
    (alg): Work => ({
      name: `client credentials, ${alg}`,
      signatures: [alg, 1],
      async prepare(side) {
        const asked = { grant_type: 'client_credentials', scope: 'read:messages', ...side.api(alg) }
        const starts = Array.from({ length: walkers }, () => undefined)
        return async (seconds) =>
          (await walk<undefined>(starts, seconds, async () => void (await post(side.token, asked)))).done
      },
    }),
  ),
  {
    name: 'introspection of an opaque token',
    async prepare(side) {
      const { access_token = '' } = await exchange(side, await side.signIn(), false)
      const starts = Array.from({ length: walkers }, () => undefined)
      return async (seconds) =>
        (
          await walk<undefined>(starts, seconds, async () => {
            const answer: Record<string, unknown> = await post(side.introspect, { token: access_token })
            if (answer.active !== true) throw new Error(`${side.introspect} does not know the token`)
          })
        ).done
    },
  },
]

/** Each row twice: beside what the machine can sign, and beside oidc-provider, which keeps everything in memory. */
export async function tokenRows({ root, server, issuer, rounds, seconds, say }: Measuring): Promise<readonly Row[]> {
  const rows: Row[] = []
  const other = await startMeasured(
    [join(root, 'bench/peers/oidc_provider.ts'), String(peerPort)],
    `http://localhost:${peerPort}/.well-known/openid-configuration`,
  )
  for (const work of works) {
    say(`${work.name} …`)
    const [measureOurs, measurePeer] = [await work.prepare(ours(issuer)), await work.prepare(peer())]
    const limit = work.signatures === undefined ? undefined : await openSigningLimit(root, ...work.signatures)
    const [mine, theirs, limits]: [number[], number[], number[]] = [[], [], []]
    const rest = stayAwake()
    await measureOurs(seconds * 2)
    await measurePeer(seconds * 2)
    for (let round = 0; round < rounds; round++) {
      theirs.push(await perSecond(other, () => measurePeer(seconds)))
      mine.push(await perSecond(server, () => measureOurs(seconds)))
      if (limit !== undefined) limits.push(await limit.measure(seconds))
    }
    rest()
    await limit?.stop()
    const row = { name: work.name, unit: '1/s', ours: mine, better: 'more' } as const
    if (limit !== undefined)
      rows.push(toRow({ ...row, references: limits, reference: limit.reference, reference_kind: 'limit' }))
    rows.push(toRow({ ...row, references: theirs, reference: 'oidc-provider, in memory', reference_kind: 'peer' }))
  }
  await other.stop()
  return rows
}
