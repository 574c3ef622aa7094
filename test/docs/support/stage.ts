/**
 * Owns what the samples of one page work with: a folder, and beside it the server that `npm start` runs, with its tenant and its
 * user, as far as a sample needs it. Pages name the usual ports; a test has others.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Agent, fragmentOf } from '../../support/agent.ts'
import { authorizeUrl, signIn } from '../../support/flow.ts'
import { freePort, type Latchkey, startLatchkey } from '../../support/latchkey.ts'
import { type Block, type Page, root } from './blocks.ts'

/** The person of the development tenant. */
export const person = { email: 'demo@example.com', password: 'Correct-Horse-7' } as const

const demo = {
  client_id: 'LatchkeyDemoSinglePageApp0000001',
  scope: 'openid profile email read:messages',
} as const

export interface Stage {
  /** The page's own folder, inside the repository so that its packages are found. */
  readonly folder: string
  readonly latchkey: Latchkey
  /** The test's port for one that the page names. */
  port(documented: number): number
  /** A text of the page as the test needs it: with its own ports. */
  toTest(text: string): string
  /** The way back, for what is compared with the page. */
  toPage(text: string): string
  /** Writes a sample to its file. @returns the path */
  write(name: string, code: string): string
  /** A page that a fresh browser of the person sees at the consent step of the demo app. */
  consentPage(scope: string): Promise<string>
  /** A fresh browser that is signed in, and the tokens it got at the demo app. */
  signIn(
    change?: Readonly<Record<string, string | undefined>>,
  ): Promise<{ agent: Agent; tokens: Record<string, string> }>
  close(): Promise<void>
}

export async function openStage({ path, blocks }: Pick<Page, 'path' | 'blocks'>): Promise<Stage> {
  const parent = join(root, 'test-results', 'docs')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, `${path.replaceAll(/\W+/g, '_')}_`))
  mkdirSync(join(folder, '.latchkey'))
  const apps = await portsFor(blocks)
  const templates = blocks.filter(({ kind, detail }) => kind === 'file' && detail.startsWith('pages/'))
  for (const { detail, code } of templates) writeIn(folder, detail, code)
  const latchkey = await startLatchkey({
    tenant: replacer(apps)(developmentTenant()),
    database: `sqlite:${join(folder, '.latchkey', 'latchkey.sqlite')}`,
    options: templates.length === 0 ? {} : { pages: join(folder, 'pages') },
  })
  const ports = new Map([...apps, [8400, Number(new URL(latchkey.issuer).port)]])
  const text = { toTest: replacer(ports), toPage: replacer(new Map([...ports].map(([page, test]) => [test, page]))) }
  const request = {
    ...demo,
    redirect_uri: text.toTest('http://localhost:8401/callback.html'),
    audience: text.toTest('http://localhost:8402/'),
  }
  const stage: Stage = {
    ...text,
    folder,
    latchkey,
    port: (documented) => ports.get(documented) ?? documented,
    write: (name, code) => writeIn(folder, name, text.toTest(code)),
    async signIn(change = {}) {
      const agent = new Agent()
      const answer = await signIn(agent, latchkey.issuer, { ...request, ...change }, person)
      return { agent, tokens: fragmentOf(answer.location) }
    },
    async consentPage(scope) {
      const agent = new Agent()
      const login = await agent.visit(authorizeUrl(latchkey.issuer, { ...request, scope, prompt: 'consent' }))
      return (await agent.submit(login, { username: person.email, password: person.password, action: 'default' })).body
    },
    async close() {
      await latchkey.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  for (const { kind, detail, code } of blocks)
    if (kind === 'file' || kind === 'api' || kind === 'app') stage.write(detail, code)
  return stage
}

function writeIn(folder: string, name: string, text: string): string {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

/** A free port for each that the page or the development tenant names; the server has its own. */
async function portsFor(blocks: readonly Block[]): Promise<ReadonlyMap<number, number>> {
  const named = blocks.flatMap(({ code }) => [...code.matchAll(/(?:localhost:|listen\(|port: )(\d{4})\b/g)])
  const documented = named.map(([, port]) => Number(port))
  const ports = new Map<number, number>()
  for (const port of new Set([8401, 8402, 5173, ...documented])) {
    let free = await freePort()
    while ([...ports.values()].includes(free)) free = await freePort()
    ports.set(port, free)
  }
  return ports
}

function replacer(ports: ReadonlyMap<number, number>): (text: string) => string {
  return (text) =>
    text.replaceAll(/(localhost(?::|%3A)|listen\(|port: )(\d{4,5})\b/g, (_whole, before: string, port: string) => {
      return `${before}${ports.get(Number(port)) ?? port}`
    })
}

function developmentTenant(): string {
  return readFileSync(join(root, 'packages/server/src/dev/seed.yaml'), 'utf8')
    .replaceAll('##APP_PORT##', '8401')
    .replaceAll('##API_PORT##', '8402')
    .replaceAll('##DEMO_PASSWORD##', person.password)
    .replaceAll(/##(TENANT|DEMO)_LOGO##/g, 'http://localhost:8400/logo.svg')
}
