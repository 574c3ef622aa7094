/** Owns the shape of requests that this server sends to others: every one goes through the guarded fetcher of the context. */

export interface OutboundRequest {
  /** Media types without parameters; a successful answer of another type is refused. Empty where the body does not matter. */
  readonly accept: readonly string[]
  /** GET when left out. */
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface OutboundAnswer {
  readonly status: number
  /** By lower-case names; of a repeated one the first. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * Sends one request. Redirects are not followed: they are answers like others.
 * @throws FetchError
 */
export type Fetch = (url: string, request: OutboundRequest) => Promise<OutboundAnswer>

/** `refused`: not allowed to be asked, or not in this form; `busy`: asked too often; `unusable`: an answer too long or of another type. */
export type FetchFailure = 'refused' | 'busy' | 'unreachable' | 'timeout' | 'unusable'

/** A document that could not be had. The message is for the log: told to a stranger it would draw a map of this network. */
export class FetchError extends Error {
  override readonly name = 'FetchError'
  readonly reason: FetchFailure

  constructor(reason: FetchFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}
