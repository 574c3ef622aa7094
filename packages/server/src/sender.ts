/** Owns what HTTP says of whoever sends a request: its DPoP proofs, its certificate, and the nonce that is told in return. */
import { type ClientCertificate, dpopNonce } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import type { OAuthError } from '@latchkey/oauth'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'

export interface RequestSender {
  readonly method: string
  /** The address that was called, by the name it was called by, without a query. */
  readonly url: string
  readonly dpop: readonly string[]
  readonly certificate?: ClientCertificate
}

/** @param path of the endpoint, as it is written in discovery */
export function senderOf(server: Server, ctx: IdentityContext, request: FastifyRequest, path: string): RequestSender {
  const certificate = server.certificates.of(request)
  const base = isForCertificates(server, request) ? ctx.mtls?.url : undefined
  return {
    method: request.method,
    url: `${base ?? ctx.issuer}${path.slice(1)}`,
    dpop: proofsOf(request),
    ...(certificate === undefined ? {} : { certificate }),
  }
}

/** True when the request was sent to the name for clients with a certificate. */
export function isForCertificates({ certificates }: Pick<Server, 'certificates'>, request: FastifyRequest): boolean {
  const url = certificates.mtls?.url
  return url !== undefined && `${request.protocol}://${request.host}/` === url
}

/** Node joins repeated headers; the raw ones keep them apart. */
function proofsOf({ headers, raw: { rawHeaders } }: FastifyRequest): readonly string[] {
  if (headers.dpop === undefined) return []
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'dpop')
}

/**
 * Tells the nonce to use next: after a success, and where the lack of it was the failure. Never to a request without a proof, and
 * with no other error: some clients take every error beside a nonce for a demand for it.
 * @spec RFC 9449 §8.2
 */
export function tellNonce(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  error?: OAuthError,
): void {
  if (request.headers.dpop === undefined) return
  if (error === undefined || error.code === 'use_dpop_nonce') reply.header('dpop-nonce', dpopNonce(ctx))
}
