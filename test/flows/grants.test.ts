import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, clients, person, tenant } from '../support/tenant.ts'

const command = join(import.meta.dirname, '../../packages/cli/bin/latchkey.js')

let folder: string
let latchkey: Latchkey
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-grants-'))
  latchkey = await startLatchkey({ tenant, database: `sqlite:${folder}/latchkey.sqlite` })
})
afterAll(async () => {
  await latchkey.close()
  rmSync(folder, { recursive: true })
})

/** Runs the command on the database of the running server, as an operator does. */
function run(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, ...args, '--database', `sqlite:${folder}/latchkey.sqlite`],
    { encoding: 'utf8' },
  )
  return { code: status, out: stdout, err: stderr }
}

const request = { audience: apis.contacts, scope: 'openid read:contacts' }

describe('contract D14: revoking what was allowed', () => {
  test('a revoked grant is asked for again, and silent authentication says so', async () => {
    const agent = new Agent()
    await signIn(agent, latchkey.issuer, request)
    expect((await agent.visit(authorizeUrl(latchkey.issuer, { ...request, prompt: 'none' }))).location).toContain(
      '#access_token=',
    )
    const list = run('grants', 'list', person.email)
    expect(list.out).toMatch(new RegExp(`${clients.spa} +${apis.contacts} +openid read:contacts`))
    const grant = /^(\S+) +Spa/m.exec(list.out)?.[1] ?? ''
    expect(run('grants', 'revoke', grant)).toMatchObject({ code: 0, err: '' })
    expect((await agent.visit(authorizeUrl(latchkey.issuer, { ...request, prompt: 'none' }))).location).toContain(
      '#error=consent_required',
    )
    expect(isPage(await agent.visit(authorizeUrl(latchkey.issuer, request)), '/u/consent')).toBe(true)
  })

  test('an unknown user, an unknown grant', () => {
    expect(run('grants', 'list', 'nobody@example.com')).toMatchObject({
      code: 1,
      err: 'There is no user nobody@example.com: "latchkey users list" shows them.\n',
    })
    expect(run('grants', 'revoke', 'nothing')).toMatchObject({ code: 1 })
  })
})
