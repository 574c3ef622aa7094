/** Owns the error codes that travel on the wire: each with its HTTP status and the section that defines it. */

interface Definition {
  readonly status: number
  readonly spec: string
}

/** Every code an endpoint may answer. `status` is used where the answer is not a redirect. */
export const errorCodes = {
  invalid_request: { status: 400, spec: 'RFC 6749 §5.2' },
  invalid_client: { status: 401, spec: 'RFC 6749 §5.2' },
  invalid_grant: { status: 400, spec: 'RFC 6749 §5.2' },
  unauthorized_client: { status: 400, spec: 'RFC 6749 §4.2.2.1' },
  unsupported_grant_type: { status: 400, spec: 'RFC 6749 §5.2' },
  unsupported_response_type: { status: 400, spec: 'RFC 6749 §4.2.2.1' },
  invalid_scope: { status: 400, spec: 'RFC 6749 §4.2.2.1' },
  invalid_target: { status: 400, spec: 'RFC 8693 §2.2.2' },
  access_denied: { status: 403, spec: 'RFC 6749 §4.2.2.1' },
  server_error: { status: 500, spec: 'RFC 6749 §4.2.2.1' },
  temporarily_unavailable: { status: 503, spec: 'RFC 6749 §4.2.2.1' },
  authorization_pending: { status: 400, spec: 'RFC 8628 §3.5' },
  slow_down: { status: 400, spec: 'RFC 8628 §3.5' },
  expired_token: { status: 400, spec: 'RFC 8628 §3.5' },
  invalid_redirect_uri: { status: 400, spec: 'RFC 7591 §3.2.2' },
  invalid_client_metadata: { status: 400, spec: 'RFC 7591 §3.2.2' },
  invalid_authorization_details: { status: 400, spec: 'RFC 9396 §5' },
  invalid_token: { status: 401, spec: 'RFC 6750 §3.1' },
  insufficient_scope: { status: 403, spec: 'RFC 6750 §3.1' },
  invalid_dpop_proof: { status: 400, spec: 'RFC 9449 §5' },
  use_dpop_nonce: { status: 400, spec: 'RFC 9449 §8' },
  login_required: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  consent_required: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  interaction_required: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  account_selection_required: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  unmet_authentication_requirements: {
    status: 400,
    spec: 'OpenID Connect Core Error Code unmet_authentication_requirements §2',
  },
  request_not_supported: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  request_uri_not_supported: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  invalid_request_object: { status: 400, spec: 'RFC 9101 §7' },
  invalid_request_uri: { status: 400, spec: 'RFC 9101 §7' },
  registration_not_supported: { status: 400, spec: 'OpenID Connect Core §3.1.2.6' },
  method_not_allowed: { status: 405, spec: 'RFC 9110 §15.5.6' },
  endpoint_disabled: { status: 404, spec: 'RFC 9110 §15.5.5' },
  not_found: { status: 404, spec: 'RFC 9110 §15.5.5' },
  unsupported_media_type: { status: 415, spec: 'RFC 9110 §15.5.16' },
  content_too_large: { status: 413, spec: 'RFC 9110 §15.5.14' },
  too_many_attempts: { status: 429, spec: 'RFC 6585 §4' },
  too_many_requests: { status: 429, spec: 'RFC 6585 §4' },
} as const satisfies Record<string, Definition>

export type ErrorCode = keyof typeof errorCodes

/** Makes a text fit for `error_description`: RFC 6749 §5.2 allows printable ASCII without `"` and `\`. */
export function asDescription(text: string): string {
  return text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
}

export interface OAuthErrorOptions {
  readonly cause?: unknown
  /** Facts for the log and for the developer's own error page; never sent to a stranger. */
  readonly explanation?: Explanation
  /** Where one code has another status at this endpoint than in the table. */
  readonly status?: number
}

/** Why a request was refused and what would change the answer: for the person who runs the server. */
export interface Explanation {
  readonly summary: string
  readonly fix: string
  /** The setting, by its wire name, that would change the answer. */
  readonly setting?: string
  readonly nearest?: { readonly registered: string; readonly requested: string; readonly differs_at: number }
}

/** A refusal with a registered code. Where it is told depends on where it happened, not on the error. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: ErrorCode
  readonly description: string
  readonly explanation: Explanation | undefined
  readonly status: number

  constructor(code: ErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${code}: ${description}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.description = asDescription(description)
    this.explanation = options.explanation
    this.status = options.status ?? errorCodes[code].status
  }
}
