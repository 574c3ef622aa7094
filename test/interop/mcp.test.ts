/**
 * The unmodified MCP client discovers where a protected MCP server's tokens come from, becomes a client there (by registering itself, or
 * by publishing what it is), signs a person in, and calls the server's tools.
 */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type RunningMcp, startMcp } from '@latchkey/example-mcp'
import * as second from '@modelcontextprotocol/client'
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { isPage } from '../support/flow.ts'
import { freePort, type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { person, tenant } from '../support/tenant.ts'
import { startWebApp, type WebApp } from '../support/web_app.ts'

let latchkey: Latchkey
let mcp: RunningMcp
let certificate: Certificate
let publisher: WebApp
beforeAll(async () => {
  certificate = await makeCertificate()
  // The publisher's certificate is one of this test's own making.
  setDefaultCACertificates([...getCACertificates('default'), certificate.ca])
  publisher = await startWebApp({ tls: certificate })
  const port = await freePort()
  const resource = `http://localhost:${port}/mcp`
  latchkey = await startLatchkey({
    tenant: tenantWith(resource),
    options: { fetch_allow: ['localhost'] },
  })
  mcp = await startMcp({ issuer: latchkey.issuer, port, resource })
})
afterAll(async () => {
  await Promise.all([mcp.close(), latchkey.close(), publisher.close()])
  certificate.remove()
})

function tenantWith(resource: string): string {
  return tenant
    .replace(
      'friendly_name: Example',
      `friendly_name: Example
  flags: { enable_dynamic_client_registration: true }
  client_id_metadata_documents: { enabled: true }`,
    )
    .replace(
      'resourceServers:',
      `resourceServers:
  - name: Notes
    identifier: ${resource}
    allow_offline_access: true
    scopes:
      - { value: 'read:notes', description: 'Read your notes' }
      - { value: 'write:notes', description: 'Write notes for you' }`,
    )
}

const redirectUrl = 'http://localhost:47777/callback'
const clientMetadata = {
  client_name: 'Agent',
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}

/** What a program that uses the MCP client keeps. */
class Kept implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl
  readonly clientMetadata = clientMetadata
  readonly clientMetadataUrl?: string
  sent: URL | undefined
  #client: OAuthClientInformationMixed | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''

  constructor(clientMetadataUrl?: string) {
    if (clientMetadataUrl !== undefined) this.clientMetadataUrl = clientMetadataUrl
  }
  clientInformation() {
    return this.#client
  }
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client
  }
  tokens() {
    return this.#tokens
  }
  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens
  }
  redirectToAuthorization(url: URL) {
    this.sent = url
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }
  codeVerifier() {
    return this.#verifier
  }
}

/** The two generations of the client, each as its own package has it. */
const generations = {
  '@modelcontextprotocol/sdk 1': (kept: Kept) => ({
    client: new Client({ name: 'agent', version: '1' }),
    transport: new StreamableHTTPClientTransport(new URL(mcp.url), { authProvider: kept }),
  }),
  '@modelcontextprotocol/client 2': (kept: Kept) => ({
    client: new second.Client({ name: 'agent', version: '1' }),
    transport: new second.StreamableHTTPClientTransport(new URL(mcp.url), { authProvider: kept }),
  }),
} as const

type Generation = keyof typeof generations

/** What both have. */
interface Agentlike {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>
  callTool(call: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

/** From the first refused request to a connected client: the person signs in and says yes in between. */
async function connect(generation: Generation, kept: Kept): Promise<{ client: Agentlike; consent: string }> {
  const first = generations[generation](kept)
  await expect(join(first)).rejects.toThrow(/unauthorized/i)
  const agent = new Agent()
  let page = await agent.visit(String(kept.sent))
  page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
  expect(isPage(page, '/u/consent')).toBe(true)
  const { parameters } = outcomeOf(await agent.submit(page, { action: 'accept' }))
  await first.transport.finishAuth(parameters.code ?? '', parameters.iss)
  const next = generations[generation](kept)
  await join(next)
  return { client: next.client, consent: page.body }
}

/** A client of one generation goes with the transport of the same. */
function join({ client, transport }: ReturnType<(typeof generations)[Generation]>): Promise<void> {
  return (client.connect as (to: typeof transport) => Promise<void>).call(client, transport)
}

async function useTools(client: Agentlike): Promise<void> {
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['list_notes', 'add_note'])
  const written = await client.callTool({ name: 'add_note', arguments: { text: 'Milk' } })
  expect(written).toMatchObject({ content: [{ type: 'text', text: 'Noted.' }] })
  expect(await client.callTool({ name: 'list_notes' })).toMatchObject({
    content: [{ text: expect.stringContaining('Milk') }],
  })
}

describe.each(Object.keys(generations) as Generation[])(
  'RFC 9728 RFC 8414 RFC 8707 an MCP client: %s',
  (generation) => {
    test('RFC 7591 that registers itself', async () => {
      const kept = new Kept()
      const { client } = await connect(generation, kept)
      expect(kept.sent?.searchParams.get('resource')).toBe(mcp.url)
      const { aud, client_id, azp, scope } = claimsOf(kept.tokens()?.access_token)
      expect(aud).toBe(mcp.url)
      expect(client_id ?? azp).toBe(kept.clientInformation()?.client_id)
      expect(String(scope)).toContain('write:notes')
      await useTools(client)
      await client.close()
    })

    test('that publishes what it is: its host stands on the consent page', async () => {
      const client_id = `${publisher.origin}/agent.json`
      publisher.files.set('/agent.json', JSON.stringify({ ...clientMetadata, client_id }))
      const kept = new Kept(client_id)
      const { client, consent } = await connect(generation, kept)
      expect(kept.clientInformation()?.client_id).toBe(client_id)
      expect(consent).toContain(new URL(publisher.origin).host)
      await useTools(client)
      await client.close()
    })
  },
)
