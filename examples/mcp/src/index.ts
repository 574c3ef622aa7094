/** Owns the demo MCP server: notes of the signed-in person as tools, each behind the scope that the person consented to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier, protectedResource, requireScope, TokenError } from '@latchkey/api'
import { type AuthorizedRequest, protect } from '@latchkey/api/node'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'

export interface McpOptions {
  /** The `iss` of the tokens. */
  readonly issuer: string
  /** 0 takes a free one. */
  readonly port: number
  /** The address of the server as clients know it, and its identifier at the authorization server. Default: where it listens. */
  readonly resource?: string
}

export interface RunningMcp {
  /** The endpoint, such as `http://localhost:8403/mcp`. */
  readonly url: string
  close(): Promise<void>
}

/** Notes in memory: at most so many for each of so many people. */
const mostNotes = 100
const mostPeople = 1000

export async function startMcp({ issuer, port, resource }: McpOptions): Promise<RunningMcp> {
  const listener: { handle(request: IncomingMessage, response: ServerResponse): void } = {
    handle: (_request, response) => response.end(),
  }
  const server = createServer((request, response) => listener.handle(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, 'localhost', resolve)
  })
  const url = resource ?? `http://localhost:${(server.address() as AddressInfo).port}/mcp`
  const metadata = protectedResource({
    resource: url,
    authorization_servers: [issuer],
    scopes_supported: ['read:notes', 'write:notes'],
    resource_name: 'Notes',
  })
  const verifier = createVerifier({ issuer, audience: url, resource_metadata: metadata.url })
  const notes = new Map<string, string[]>()
  const guarded = protect(verifier)((request, response) => answer(notes, request, response))
  listener.handle = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', url)
    // Browsers on other origins may ask, too: what lets a request in is the token, which no browser attaches by itself.
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-expose-headers', 'WWW-Authenticate, Mcp-Session-Id')
    if (request.method === 'OPTIONS') preflight(response)
    else if (pathname === metadata.path) response.writeHead(200, metadata.headers).end(metadata.body)
    else if (pathname === new URL(url).pathname) void guarded(request, response)
    else response.writeHead(404).end()
  }
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function preflight(response: ServerResponse): void {
  response
    .writeHead(204, {
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': 'authorization, content-type, mcp-protocol-version, mcp-session-id',
    })
    .end()
}

/** One request, one server: nothing is kept between two but the notes. */
async function answer(notes: Map<string, string[]>, request: AuthorizedRequest, response: ServerResponse) {
  const mcp = new McpServer({ name: 'notes', version: '0.1.0' })
  addTools(mcp, notes, request)
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.once('close', () => void mcp.close())
  await mcp.connect(transport)
  // The transport has a notion of its own of what stands at `auth`.
  const plain: IncomingMessage = request
  await transport.handleRequest(plain, response)
}

function addTools(mcp: McpServer, notes: Map<string, string[]>, { auth }: AuthorizedRequest): void {
  const own = () => notes.get(auth.sub) ?? []
  mcp.registerTool('list_notes', { description: 'Lists your notes' }, () =>
    allowed('read:notes', () => text(own().join('\n') || 'There are no notes.')),
  )
  mcp.registerTool(
    'add_note',
    { description: 'Writes a note', inputSchema: { text: z.string().min(1).max(500) } },
    ({ text: note }) =>
      allowed('write:notes', () => {
        if (own().length >= mostNotes || (notes.size >= mostPeople && !notes.has(auth.sub)))
          return { ...text('There is no room for more notes.'), isError: true }
        notes.set(auth.sub, [...own(), note])
        return text('Noted.')
      }),
  )

  /** Runs a tool where the person allowed it; else the agent is told which scope is missing. */
  function allowed<T>(scope: string, run: () => T) {
    try {
      requireScope(scope)(auth)
    } catch (error) {
      if (error instanceof TokenError)
        return { ...text(`${error.description} It needs the scope ${scope}.`), isError: true }
      throw error
    }
    return run()
  }
}

function text(content: string) {
  return { content: [{ type: 'text' as const, text: content }] }
}
