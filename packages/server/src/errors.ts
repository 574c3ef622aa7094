/** Owns telling of failures: our own page for people, JSON for programs, and the log line that carries the same id. */
import { randomBytes } from 'node:crypto'
import type { IdentityContext } from '@latchkey/identity'
import { type ErrorCode, type Explanation, OAuthError } from '@latchkey/oauth'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { sendPage } from './page_answer.ts'
import { tenantErrorAddress, tenantErrorTemplate } from './tenant_error_page.ts'

/** An id that the answer shows and the log line of the same failure carries. */
function trackingId(): string {
  return randomBytes(10).toString('hex')
}

/** Anything thrown, as an error with a registered code. What is not one of ours is a bug: `server_error` outside, the cause in the log. */
export function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error
  const known = fastifyCodes[(error as Partial<FastifyError>)?.code ?? '']
  if (known !== undefined) return new OAuthError(known.code, known.description, { cause: error })
  return new OAuthError('server_error', 'The server failed to answer; the log has the reason', { cause: error })
}

const fastifyCodes: Readonly<Record<string, { code: ErrorCode; description: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    description: 'The content type of the body is not supported here',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'content_too_large', description: 'The body is too large' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'invalid_request', description: 'The body is not as long as it says' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'invalid_request', description: 'The JSON body is empty' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'invalid_request', description: 'The body is not valid JSON' },
  FST_ERR_BAD_URL: { code: 'invalid_request', description: 'The address is not valid percent-encoded UTF-8' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not_found', description: 'There is nothing at this address' },
}

/** Writes the log line of a refusal. @returns its id */
export function logRefusal(request: FastifyRequest, error: OAuthError): string {
  const tracking = trackingId()
  const path = (request.raw.url ?? '').split('?')[0]
  const fields = {
    tracking,
    error: error.code,
    description: error.description,
    method: request.method,
    path,
    ip: request.ip,
  }
  if (error.status >= 500) request.log.error({ ...fields, err: error.cause ?? error }, 'failed')
  else
    request.log.info(
      { ...fields, ...(error.explanation === undefined ? {} : { explanation: withoutValues(error.explanation) }) },
      'refused',
    )
  return tracking
}

// Apps ask to be sent back to their own address, sometimes with a token still in it: the log gets the names, not the values.
function withoutValues(explanation: Explanation): Explanation {
  const hide = (text: string) => text.replaceAll(/([?#&][^=?#&\s]*=)[^#&\s]*/g, '$1…')
  return JSON.parse(JSON.stringify(explanation), (_name, value: unknown) =>
    typeof value === 'string' ? hide(value) : value,
  ) as Explanation
}

/** Who is told to come later is told when, in seconds. @spec RFC 9110 §10.2.3 */
function tellWhen(reply: FastifyReply, { status }: OAuthError): void {
  if ((status === 429 || status === 503) && !reply.hasHeader('retry-after')) reply.header('retry-after', '60')
}

/** @spec RFC 6749 §5.2 */
export function sendJsonError(request: FastifyRequest, reply: FastifyReply, error: OAuthError): FastifyReply {
  logRefusal(request, error)
  tellWhen(reply, error)
  return reply
    .code(error.status)
    .header('content-type', 'application/json')
    .send({ error: error.code, error_description: error.description })
}

/** @spec RFC 6749 §4.2.2.1 */
export function sendErrorPage(
  server: Server,
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  error: OAuthError,
): FastifyReply {
  if (prefersJson(request)) return sendJsonError(request, reply, error)
  const tracking = logRefusal(request, error)
  tellWhen(reply, error)
  const redirect = tenantErrorAddress(ctx, server.pages, request, error, tracking)
  if (redirect !== undefined) return reply.redirect(redirect, 302)
  const model = {
    error: error.code,
    error_description: error.description,
    tracking,
    ...(server.development && error.explanation !== undefined ? { explanation: error.explanation } : {}),
  }
  const render = tenantErrorTemplate(ctx, server.pages, request, model)
  return sendPage(ctx, server.pages, request, reply, {
    page: 'error',
    status: error.status,
    model,
    ...(render === undefined ? {} : { render }),
  })
}

function prefersJson(request: FastifyRequest): boolean {
  const accept = request.headers.accept ?? ''
  return accept.includes('application/json') && !accept.includes('text/html')
}
