/** Owns what an API publishes of itself, so that a client which knows only the API finds out where to get a token. */
import { parseUri } from '@latchkey/oauth'
import { OptionError } from './options.ts'

/** Names are those of RFC 9728 §2. */
export interface ProtectedResourceOptions {
  /** The API's own address, https (or http on this machine), without a fragment; also its identifier at the authorization server. */
  readonly resource: string
  /** Issuers of the tokens that the API accepts. */
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
  readonly resource_documentation?: string
  readonly dpop_bound_access_tokens_required?: boolean
}

export interface ProtectedResource {
  /** Where the document is expected: for the option `resource_metadata` of a verifier. */
  readonly url: string
  /** The path of {@link url}, for the route. */
  readonly path: string
  /** The document, as JSON text. */
  readonly body: string
  /** What to send it with. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * @throws OptionError when `resource` is no address that can be published, or no server is named
 * @spec RFC 9728 §2
 * @spec RFC 9728 §3.1
 */
export function protectedResource(options: ProtectedResourceOptions): ProtectedResource {
  const uri = parseUri(options.resource)
  if (uri === undefined || !/^https?:$/.test(uri.protocol) || options.resource.includes('#'))
    throw new OptionError('resource', 'Give the absolute address of the API, without a fragment')
  if (options.authorization_servers.length === 0)
    throw new OptionError('authorization_servers', 'Name the issuer of the tokens that the API accepts')
  // RFC 9728 §3.1: the well-known part stands between host and path.
  const own = uri.pathname === '/' ? '' : uri.pathname
  const path = `/.well-known/oauth-protected-resource${own}`
  return {
    url: `${uri.origin}${path}${uri.search}`,
    path,
    body: JSON.stringify({ ...options, bearer_methods_supported: ['header'] }),
    headers: {
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    },
  }
}
