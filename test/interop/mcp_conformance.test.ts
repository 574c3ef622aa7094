/** The conformance runner of the Model Context Protocol, unmodified, against this server as the authorization server of an MCP server. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { isPage } from '../support/flow.ts'
import { freePort, type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { person, tenant } from '../support/tenant.ts'

// It is a program, and exports no module.
const runner = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance/dist/index.js')
const resource = 'http://localhost:9999/mcp'
const client_id = 'McpConformanceRunner'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({
    tenant: tenant
      .replace(
        'friendly_name: Example',
        `friendly_name: Example
  flags: { enable_dynamic_client_registration: true }
  client_id_metadata_documents: { enabled: true }`,
      )
      .replace(
        'clients:',
        `clients:
  - name: Runner
    client_id: ${client_id}
    app_type: native
    callbacks: ['http://127.0.0.1/callback']`,
      )
      .replace('resourceServers:', `resourceServers:\n  - { name: Notes, identifier: '${resource}' }`),
  })
})
afterAll(() => latchkey.close())

describe('RFC 8414 RFC 8707 @modelcontextprotocol/conformance authorization', () => {
  test('every scenario: metadata, and a code grant for a resource', async () => {
    const args = ['authorization', '--url', latchkey.issuer, '--client-id', client_id, '--resource', resource]
    const port = String(await freePort())
    const child = spawn(process.execPath, [runner, ...args, '--port', port], { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let signedIn: Promise<void> | undefined
    const listen = (chunk: Buffer) => {
      out += String(chunk)
      const [url] = /http:\/\/localhost:\d+\/authorize\?\S+(?=\s)/.exec(out) ?? []
      const isListening = out.includes('Callback server started')
      if (url !== undefined && isListening) signedIn ??= signIn(url)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    await signedIn
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('Total: 3 passed, 0 failed') })
    for (const scenario of ['authorization-server-metadata-endpoint', 'authorization-code-grant'])
      expect(out).toMatch(new RegExp(`${scenario}: \\d+ passed, 0 failed`))
  }, 60_000)
})

/** What the person does in the browser: signs in, says yes, and is led back to the runner. */
async function signIn(url: string): Promise<void> {
  const agent = new Agent()
  let page = await agent.visit(url)
  page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
  expect(isPage(page, '/u/consent')).toBe(true)
  page = await agent.submit(page, { action: 'accept' })
  await fetch(page.location ?? '')
}
