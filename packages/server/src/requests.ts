/** Owns reading what a request carries: parameters from the query or a body, the bearer token, the form's proof of origin. */
import { OAuthError, type Parameters, parametersFromObject, readParameters } from '@latchkey/oauth'
import type { FastifyRequest } from 'fastify'

/** The query, read strictly. */
export function queryParameters(request: FastifyRequest): Parameters {
  const url = request.raw.url ?? ''
  const mark = url.indexOf('?')
  return readParameters(mark < 0 ? '' : url.slice(mark + 1))
}

/** A form or JSON body, read strictly. Bodies of other types were refused before. */
export function bodyParameters(request: FastifyRequest): Parameters {
  if (typeof request.body === 'string') return readParameters(request.body)
  return request.body === undefined || request.body === null ? new Map() : parametersFromObject(request.body)
}

/** The client that a request names, wherever and however it is written; cheap, and not yet checked. */
export function statedClientId({ body, raw: { url = '' } }: FastifyRequest): string | undefined {
  if (typeof body === 'object' && body !== null) {
    const { client_id, client_assertion } = body as { readonly [name: string]: unknown }
    return textOf(client_id) ?? subjectOf(textOf(client_assertion))
  }
  const text = typeof body === 'string' ? body : url.slice(url.indexOf('?') + 1)
  if (!mayNameAddress(text)) return undefined
  const sent = new URLSearchParams(text)
  return sent.get('client_id') ?? subjectOf(sent.get('client_assertion') ?? undefined)
}

/** Most ids are no address, and then there is nothing to look for. Either side of the `=` may be percent-encoded. */
function mayNameAddress(text: string): boolean {
  return /client_id=(http|%)|client_assertion=|(^|&)[^=&%]*%[^=&]*=/.test(text)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Whom an assertion is about. What cannot be read is refused later. */
function subjectOf(assertion: string | undefined): string | undefined {
  if (assertion === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null && 'sub' in claims ? textOf(claims.sub) : undefined
  } catch {
    return undefined
  }
}

export interface AccessCredentials {
  readonly scheme: 'bearer' | 'dpop'
  readonly token: string
}

/**
 * The access token of a request.
 * @throws OAuthError `invalid_request` when there is more than one
 * @spec RFC 6750 §2
 * @spec RFC 9449 §7.1
 */
export function accessToken(request: FastifyRequest): AccessCredentials | undefined {
  const [, scheme = '', inHeader] =
    /^(Bearer|DPoP) +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(request.headers.authorization ?? '') ?? []
  const isForm = request.method === 'POST' && typeof request.body === 'string'
  const inBody = isForm ? bodyParameters(request).get('access_token') : undefined
  if (inHeader !== undefined && inBody !== undefined)
    throw new OAuthError('invalid_request', 'The access token was sent twice')
  const token = inHeader ?? inBody
  return token === undefined ? undefined : { scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token }
}

/**
 * Refuses a form that was not sent from one of our own pages. Pages are served with `no-referrer`, so browsers send `Origin: null`
 * with their forms; then `Sec-Fetch-Site` tells, and the page's own token always must.
 * @throws OAuthError
 */
export function checkFormOrigin(request: FastifyRequest, issuer: string): void {
  if (typeof request.body !== 'string')
    throw new OAuthError('unsupported_media_type', 'The form must be sent as application/x-www-form-urlencoded')
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  const foreign = origin !== undefined && origin !== 'null' && `${origin}/` !== issuer
  if (foreign || (site !== undefined && site !== 'same-origin'))
    throw new OAuthError('access_denied', 'The form was sent from another site')
}
