/** Owns the shape of a client authentication method: what it finds in a request, and how that is proved. */
import type { Parameters } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Context } from '../context.ts'
import type { ClientCertificate } from '../proofs/client_certificate.ts'

/** A request to an endpoint that clients call themselves, as HTTP brought it. */
export interface EndpointRequest {
  readonly parameters: Parameters
  /** The `Authorization` header. */
  readonly authorization?: string
  /** Each `DPoP` header as it was sent. */
  readonly dpop?: readonly string[]
  /** Of the TLS connection; whoever sent it holds its key. Nothing else of it has been checked. */
  readonly certificate?: ClientCertificate
  /** The address that was called, without its query. */
  readonly url: string
  readonly method: string
  /** The network address that it came from. */
  readonly ip?: string
  /** The address that the client says its person has. */
  readonly forwarded_for?: string
  readonly user_agent?: string
}

/** What a request presents of one method. */
export interface Presented {
  readonly client_id: string
  /**
   * @param client the client of that id, if there is one: an unknown client must cost as much time as a known one
   * @returns false when the proof is none
   */
  prove(ctx: Context, client: Client | undefined): Promise<boolean>
}

export interface ClientAuthMethod {
  /** The word on the wire, in `token_endpoint_auth_method`. */
  readonly name: string
  /** The registered methods that this one serves. */
  readonly serves: readonly string[]
  /** Whether the server can serve it; always, where this is left out. */
  isOffered?(ctx: Pick<Context, 'mtls'>): boolean
  /** @throws OAuthError when what is there cannot be read */
  find(request: EndpointRequest): Presented | undefined
}

export function defineClientAuthMethod(method: ClientAuthMethod): ClientAuthMethod {
  return method
}
