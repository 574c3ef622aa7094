import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { type Block, type Page, readPages } from './support/blocks.ts'
import { differences, looksLike } from './support/compare.ts'
import { answerDifferences, send } from './support/exchange.ts'
import { run } from './support/run.ts'
import { openStage, type Stage } from './support/stage.ts'
import { judgeTenantFile } from './support/tenant_file.ts'

const runnable = ['shell', 'node', 'http', 'claims', 'consent'] as const

describe.each(readPages().filter(({ blocks }) => blocks.some(isRunHere)))('$path', (page) => {
  let opened: Promise<Stage> | undefined
  const stage = () => {
    opened ??= openStage(page)
    return opened
  }
  afterAll(async () => {
    await (await opened)?.close()
  })

  for (const block of page.blocks.filter(isRunHere)) {
    test(`line ${block.line}: ${block.kind} ${block.detail}`, async () => {
      await tryOut(await stage(), block, page)
    }, 60_000)
  }
})

function isRunHere({ kind, language }: Block): boolean {
  return runnable.some((one) => one === kind) || (kind === 'file' && language === 'yaml')
}

async function tryOut(stage: Stage, block: Block, page: Page): Promise<void> {
  const { kind, code, detail, output, line } = block
  if (kind === 'file') return expect(await judgeTenantFile(stage.toTest(code))).toEqual([])
  if (kind === 'http') return exchange(stage, block)
  if (kind === 'claims') return compareClaims(stage, detail, code)
  if (kind === 'consent') return compareConsent(stage, detail, code)
  const token = code.includes('$ACCESS_TOKEN') ? (await stage.signIn()).tokens.access_token : undefined
  const variables = { ACCESS_TOKEN: token ?? '' }
  const ended =
    kind === 'shell'
      ? await run('bash', ['-euo', 'pipefail', '-c', stage.toTest(code)], stage.folder, variables)
      : await run(process.execPath, [stage.write(`line_${line}.ts`, code)], stage.folder, variables)
  expect({ ...ended, page: page.path }).toMatchObject({ code: 0 })
  if (output === undefined) return
  const printed = stage.toPage(ended.stdout).replaceAll(join(stage.folder), '.')
  expect(looksLike(output, printed) ? output : printed).toBe(output)
}

async function exchange(stage: Stage, { code, detail, output }: Block): Promise<void> {
  expect(output, 'a request is followed by its answer').toBeDefined()
  const { agent, tokens } = detail === 'signed-in' ? await stage.signIn() : { agent: new Agent(), tokens: {} }
  const used = /\{(access_token|id_token)\}/.test(code) ? (await stage.signIn()).tokens : tokens
  const opaque = code.includes('{opaque_token}')
    ? (await stage.signIn({ audience: undefined, scope: 'openid profile email' })).tokens.access_token
    : undefined
  const values = { ...used, ...(opaque === undefined ? {} : { opaque_token: opaque }) }
  const answer = await send(agent, stage.latchkey.issuer, stage.toTest(code), values)
  expect(answerDifferences(output ?? '', answer, stage.toPage)).toEqual([])
}

/** What the server really issues, held against the JSON of the page. */
async function compareClaims(stage: Stage, what: string, code: string): Promise<void> {
  const { issuer } = stage.latchkey
  const asked = {
    id_token_only: { response_type: 'id_token' },
    no_openid: { response_type: 'token', scope: 'read:messages' },
  }
  const { tokens } = await stage.signIn(asked[what as keyof typeof asked] ?? {})
  const jwt = what.startsWith('id_token') ? tokens.id_token : tokens.access_token
  const actual =
    what === 'discovery'
      ? await (await fetch(`${issuer}.well-known/openid-configuration`)).json()
      : what === 'jwks'
        ? await (await fetch(`${issuer}.well-known/jwks.json`)).json()
        : what.endsWith('header')
          ? JSON.parse(Buffer.from(jwt?.split('.')[0] ?? '', 'base64url').toString())
          : claimsOf(jwt)
  expect(differences(JSON.parse(code), JSON.parse(stage.toPage(JSON.stringify(actual))))).toEqual([])
}

/** The words of the page, in the order in which a person reads them. */
async function compareConsent(stage: Stage, scope: string, code: string): Promise<void> {
  const page = stage.toPage(await stage.consentPage(scope))
  const main = /<main[\s\S]*<\/main>/.exec(page)?.[0] ?? ''
  const lines = main
    .replaceAll(/<(?!\/?(?:span|strong|bdi)\b)[^>]*>/g, '\n')
    .replaceAll(/<[^>]*>/g, '')
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line.length > 1)
  expect(lines.join('\n')).toBe(code.trim())
}
