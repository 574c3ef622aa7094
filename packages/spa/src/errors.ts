/** Owns every failure of the SDK: a stable code, and the sentence that says what to do about it. */

/** Code to advice. The first group are the server's own codes, kept as they came over the wire. */
export const errorCodes = {
  access_denied: 'The person or a policy said no. Explain why the app asks, and offer a button to try again.',
  login_required:
    'Nobody is signed in at the server: call authorize() or popup(). If somebody is, the browser holds back its cookie from the frame: serve both from one site.',
  consent_required: 'The person has to agree first: call authorize() or popup() with the same scope.',
  interaction_required: 'The server has to show a page first: call authorize() or popup().',
  account_selection_required: 'The person has to pick an account: call authorize() or popup().',
  invalid_request: 'A parameter is missing or wrong; the message names it.',
  invalid_scope: 'Ask only for scopes the API defines.',
  unauthorized: 'The account may be blocked: let the person sign in with another one.',
  unauthorized_client: 'Switch the implicit grant on for this client.',
  unsupported_response_type: 'Use token, id_token or id_token token.',
  server_error: 'Try again; the log of the server has the reason.',
  temporarily_unavailable: 'Try again in a moment.',

  invalid_option: 'Correct the option the message names.',
  insecure_context: 'Serve the page over https or from localhost: browsers offer cryptography only there.',
  storage_unavailable: 'Allow the page to use session storage, or pass the option storage.',
  origin_mismatch: 'Use a redirect_uri of the origin this page is served from.',
  no_response: 'Call handleCallback() only on the page the server redirected to, and once; isCallback() tells.',
  no_transaction:
    'The answer was used before, is older than 30 minutes, or belongs to another tab or to nobody: start again with authorize().',
  redirect_uri_mismatch: 'Call handleCallback() with the address of the redirect_uri that was asked for.',
  issuer_mismatch:
    'The answer names another server. Set issuer to exactly the text the server uses, its last slash included.',
  invalid_response: 'The answer is not one a correct server gives: start again with authorize().',
  timeout:
    "No answer came: add this page's origin to the client's Allowed Web Origins, and check that the server is reachable.",
  popup_blocked: 'Call popup() straight from a click, or use authorize().',
  popup_closed: 'The window was closed before it answered: offer the button again.',
  signed_out: 'The app signed out while the answer was on its way: call authorize() to sign in again.',
  jwks_unavailable: 'Check that the server is reachable from the browser and that connect-src allows it.',
  userinfo_failed: 'Ask for the scope openid, and for a fresh token if this one has expired.',

  id_token_malformed: 'The ID token is damaged: start again with authorize().',
  id_token_alg: 'Set id_token_signing_alg to the algorithm the client is configured with.',
  id_token_key: 'The key is not among those the server publishes: check that issuer names the right server.',
  id_token_signature: 'The ID token was changed on the way: do not use it.',
  id_token_iss: 'Set issuer to exactly the text the server uses, its last slash included.',
  id_token_aud: 'The ID token was made for another client: check client_id.',
  id_token_azp: 'The ID token was handed to another client: check client_id.',
  id_token_exp: 'The ID token is too old: sign in again, and check the clock of this device.',
  id_token_iat: 'The ID token is from the future: check the clock of this device, or raise leeway.',
  id_token_nonce: 'The ID token belongs to another login and may be a replay: start again with authorize().',
  id_token_at_hash: 'The access token does not belong to this ID token: do not use either.',
  id_token_auth_time: 'The person signed in longer ago than max_age allows: call authorize() with prompt login.',
  id_token_sub: 'Another person is signed in now: call logout() and authorize().',
} as const

export type ErrorCode = keyof typeof errorCodes

/** A failure. `code` is stable, `fix` says what to do, `app_state` is what was handed to authorize(). */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError'
  /** A key of `errorCodes`, or a code of the server this SDK has no advice for. */
  readonly code: ErrorCode | (string & {})
  readonly fix: string
  app_state?: unknown

  constructor(code: ErrorCode | (string & {}), message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.fix = Object.hasOwn(errorCodes, code)
      ? errorCodes[code as ErrorCode]
      : 'Look this code up in the documentation of the server.'
  }
}
