/** Owns which of the server's names a request was sent to. Anything but an exact match is refused. */
import { OAuthError } from '@latchkey/oauth'
import type { FastifyRequest } from 'fastify'

/**
 * @param issuers the names of the server, each an origin with a trailing slash
 * @param mtls_url one more name, which stands for the canonical one
 * @returns the issuer of this request
 * @throws OAuthError `invalid_request` when the scheme and host are none of the server's names
 */
export function issuerOf(request: FastifyRequest, issuers: readonly string[], mtls_url?: string): string {
  const issuer = `${request.protocol}://${request.host}/`
  if (
    (!issuers.includes(issuer) && issuer !== mtls_url) ||
    repeatsHost(request.raw.rawHeaders) ||
    namesAnother(request, issuer)
  ) {
    throw new OAuthError('invalid_request', 'This server is not known by that name', {
      explanation: {
        summary: `The request was sent to ${issuer.slice(0, 200)}, which is none of the server's names: ${issuers.join(', ')}`,
        fix: 'Use one of these addresses, or add the name to the issuer option. Behind a proxy, list the proxy in trust_proxy.',
        setting: 'issuer',
      },
    })
  }
  return issuer === mtls_url ? (issuers[0] ?? issuer) : issuer
}

// RFC 9112 §3.2.2: the host in an absolute request target is the one that counts, whatever the Host header says.
function namesAnother({ raw: { url = '' } }: FastifyRequest, issuer: string): boolean {
  return !url.startsWith('/') && !url.startsWith(issuer)
}

function repeatsHost(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name !== undefined && name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}
