/** Owns Proof Key for Code Exchange: the challenge of an authorization request, and the verifier that must answer it. */
import { createHash } from 'node:crypto'
import { OAuthError, type Parameters } from '@latchkey/oauth'
import { type Client, equal } from '@latchkey/store'

export interface CodeChallenge {
  readonly code_challenge: string
  readonly code_challenge_method: 'S256' | 'plain'
}

/**
 * The challenge of a request for a code. A public client must send one, for nothing else proves that it is the one who asked.
 * @throws OAuthError `invalid_request`
 * @spec RFC 7636 §4.3
 * @spec RFC 7636 §4.4.1
 * @spec RFC 9700 §2.1.1
 */
export function readCodeChallenge(client: Client, parameters: Parameters): CodeChallenge | undefined {
  const code_challenge = parameters.get('code_challenge')
  const code_challenge_method = parameters.get('code_challenge_method') ?? 'plain'
  if (code_challenge === undefined) {
    if (parameters.has('code_challenge_method')) throw missing()
    if (client.token_endpoint_auth_method === 'none' || client.require_pkce === true) throw missing()
    return undefined
  }
  if (code_challenge_method === 'S256') {
    if (!/^[\w-]{43}$/.test(code_challenge))
      throw new OAuthError('invalid_request', 'code_challenge must be 43 characters of base64url')
    return { code_challenge, code_challenge_method }
  }
  if (code_challenge_method !== 'plain' || client.allow_plain_pkce !== true)
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256', {
      explanation: {
        summary: `The application ${client.name} sent a code challenge that anybody who reads it could answer.`,
        fix: 'Send code_challenge_method=S256 and the base64url of the SHA-256 of the verifier as code_challenge.',
        setting: 'clients[].allow_plain_pkce',
      },
    })
  if (!isVerifier(code_challenge))
    throw new OAuthError('invalid_request', 'code_challenge must be 43 to 128 unreserved characters')
  return { code_challenge, code_challenge_method }
}

function missing(): OAuthError {
  return new OAuthError('invalid_request', 'Missing required parameter: code_challenge')
}

/**
 * @throws OAuthError `invalid_grant` unless the verifier answers the challenge, or there is neither
 * @spec RFC 7636 §4.6
 * @spec RFC 9700 §4.8.2
 */
export function checkVerifier(challenge: CodeChallenge | undefined, verifier: string | undefined): void {
  if (challenge === undefined && verifier === undefined) return
  if (challenge === undefined)
    throw new OAuthError('invalid_grant', 'code_verifier was sent, but the request for the code had no code_challenge')
  if (verifier === undefined) throw new OAuthError('invalid_grant', 'Missing required parameter: code_verifier')
  if (!isVerifier(verifier)) throw failed()
  const answer =
    challenge.code_challenge_method === 'plain'
      ? verifier
      : createHash('sha256').update(verifier, 'ascii').digest('base64url')
  if (!equal(answer, challenge.code_challenge)) throw failed()
}

function failed(): OAuthError {
  return new OAuthError('invalid_grant', 'Failed to verify code verifier')
}

/** @spec RFC 7636 §4.1 */
function isVerifier(text: string): boolean {
  return /^[A-Za-z0-9\-._~]{43,128}$/.test(text)
}
