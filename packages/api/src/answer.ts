/** Owns what a refused caller is told. */
import { asDescription, dpopAlgorithms } from '@latchkey/oauth'
import type { TokenError } from './token_error.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Turns a refusal into an HTTP answer.
 * @spec RFC 6750 §3
 * @spec RFC 6750 §3.1
 * @spec RFC 9449 §7.1
 */
export function answerTo(error: TokenError): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  }
  if (error.status === 503) headers['retry-after'] = '1'
  else headers['www-authenticate'] = challenge(error)
  if (error.dpop_nonce !== undefined) headers['dpop-nonce'] = error.dpop_nonce
  const body = JSON.stringify({ error: error.error, error_description: `${error.description} ${error.fix}` })
  return { status: error.status, headers, body }
}

function challenge(error: TokenError): string {
  // A caller that showed no token learns the scheme and nothing else.
  const more = Object.entries(error.challenge)
    .map(([name, value]) => `, ${name}=${quoted(value)}`)
    .join('')
  const algs = error.scheme === 'DPoP' ? `, algs=${quoted(dpopAlgorithms.join(' '))}` : ''
  if (error.code === 'missing_token') return `${error.scheme} realm="api"${algs}${more}`
  const scope = error.scope.length === 0 ? '' : `, scope=${quoted(error.scope.join(' '))}`
  return `${error.scheme} realm="api", error="${error.error}", error_description=${quoted(error.description)}${scope}${algs}${more}`
}

/** Header values are printable ASCII without quotes and backslashes, so nothing ends the value or the line. */
function quoted(text: string): string {
  return `"${asDescription(text)}"`
}
