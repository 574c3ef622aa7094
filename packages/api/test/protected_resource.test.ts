/** What an API publishes of itself, and that whoever is refused is told where. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, OptionError, protectedResource } from '../src/index.ts'
import { protect } from '../src/node.ts'

const authorization_servers = ['https://login.example.com/']

describe('RFC 9728 §3.1 where the document is', () => {
  test.each([
    ['https://api.example.com', 'https://api.example.com/.well-known/oauth-protected-resource'],
    ['https://api.example.com/', 'https://api.example.com/.well-known/oauth-protected-resource'],
    ['https://api.example.com/mcp', 'https://api.example.com/.well-known/oauth-protected-resource/mcp'],
    ['http://localhost:8403/a/b?c=d', 'http://localhost:8403/.well-known/oauth-protected-resource/a/b?c=d'],
  ])('%s', (resource, url) => {
    expect(protectedResource({ resource, authorization_servers }).url).toBe(url)
  })

  test.each([
    ['resource', { resource: 'api', authorization_servers }],
    ['resource', { resource: 'https://api.example.com/#x', authorization_servers }],
    ['resource', { resource: 'urn:api', authorization_servers }],
    ['authorization_servers', { resource: 'https://api.example.com', authorization_servers: [] }],
  ])('a bad %s is refused by name', (option, options) => {
    expect(() => protectedResource(options)).toThrow(expect.objectContaining({ option }))
  })
})

describe('RFC 9728 §2 the document', () => {
  test('says what was given, and that tokens come in the header', () => {
    const given = {
      resource: 'https://api.example.com/mcp',
      authorization_servers,
      scopes_supported: ['read:notes'],
      resource_name: 'Notes',
    }
    const { body, headers } = protectedResource(given)
    expect(JSON.parse(body)).toEqual({ ...given, bearer_methods_supported: ['header'] })
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'access-control-allow-origin': '*' })
  })
})

describe('RFC 9728 §5.1 the challenge', () => {
  const { url } = protectedResource({ resource: 'https://api.example.com/mcp', authorization_servers })
  const verifier = createVerifier({
    issuer: 'https://login.example.com/',
    audience: 'https://api.example.com/mcp',
    resource_metadata: url,
  })
  const server = createServer(protect(verifier)((_, response) => response.end('in')))
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, 'localhost', resolve)))
  afterAll(() => void server.close())

  test('names the document, without a token and with a bad one', async () => {
    const { port } = server.address() as AddressInfo
    for (const [headers, expected] of [
      [{}, `Bearer realm="api", resource_metadata="${url}"`],
      [{ authorization: 'Bearer x' }, expect.stringContaining(`error="invalid_token"`)],
    ] as const) {
      const answer = await fetch(`http://localhost:${port}/`, { headers })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expected])
      expect(answer.headers.get('www-authenticate')).toContain(`resource_metadata="${url}"`)
    }
  })

  test('a bad address is refused when the verifier is made', () => {
    const options = { issuer: 'https://login.example.com/', audience: 'a', resource_metadata: '/relative' }
    expect(() => createVerifier(options)).toThrow(OptionError)
  })
})
