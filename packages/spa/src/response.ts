/** Owns the server's answer: read from an address, judged against the transaction, turned into tokens. */

import { words } from './encoding.ts'
import { LatchkeyError } from './errors.ts'
import { type IdTokenClaims, verifyIdToken } from './id_token.ts'
import type { FindKey } from './jwks.ts'
import type { Settings, TokenSet } from './options.ts'
import type { Transaction } from './transaction.ts'

export type Answer = Readonly<Record<string, string>>

export interface Outcome {
  readonly tokens: TokenSet
  readonly claims: IdTokenClaims | undefined
}

const signs = ['state', 'error', 'access_token', 'id_token'] as const

/** The parameters in an address's fragment, or nothing when it holds no answer. */
export function readFragment(address: string): URLSearchParams | undefined {
  const [, ...rest] = address.split('#')
  const fragment = new URLSearchParams(rest.join('#'))
  return signs.some((name) => fragment.has(name)) ? fragment : undefined
}

/**
 * @throws {LatchkeyError} `invalid_response` when a parameter comes twice.
 * @spec RFC 6749 §3.1
 */
export function once(parameters: URLSearchParams): Answer {
  const answer = Object.fromEntries(parameters)
  if (Object.keys(answer).length !== parameters.size) throw bad('A parameter of the answer comes twice.')
  return answer
}

/**
 * Judges an answer. `sub` is the person who must still be the one signed in.
 * @spec RFC 6749 §4.2.2, RFC 9207 §2.4, OpenID Connect Core §3.2.2.8
 */
export async function judge(
  answer: Answer,
  transaction: Transaction,
  settings: Settings,
  findKey: FindKey,
  sub?: string,
): Promise<Outcome> {
  const { issuer } = settings
  // RFC 9207 §2.4: before anything else in the answer is believed, an error included.
  if (answer.iss !== issuer)
    throw new LatchkeyError('issuer_mismatch', `The answer comes from "${answer.iss}", not from "${issuer}".`)
  if (answer.error !== undefined) throw new LatchkeyError(answer.error, answer.error_description || answer.error)

  const now = Math.floor(Date.now() / 1000)
  const types = words(transaction.response_type)
  const access = types.includes('token') ? readAccessToken(answer, now) : undefined
  const tokens = { ...access, ...granted(answer, transaction) }
  if (!types.includes('id_token')) return { tokens, claims: undefined }

  const { id_token } = answer
  if (!id_token) throw bad('The answer has no ID token.')
  const { client_id, id_token_signing_alg: alg, leeway } = settings
  const { nonce, max_age } = transaction
  const access_token = access?.access_token
  const expected = { issuer, client_id, alg, leeway, nonce, max_age, access_token, sub, now }
  const claims = await verifyIdToken(id_token, expected, findKey)
  return { tokens: { ...tokens, id_token }, claims }
}

function granted({ scope }: Answer, { scope: asked, audience }: Transaction) {
  // RFC 6749 §4.2.2: the answer names the scope only where it differs from what was asked for.
  return { scope: scope ?? asked, ...(audience === undefined ? {} : { audience }) }
}

function readAccessToken({ access_token, token_type, expires_in }: Answer, now: number) {
  if (!access_token) throw bad('The answer has no access token.')
  if (token_type?.toLowerCase() !== 'bearer') throw bad(`The answer has a token of the type "${token_type}".`)
  if (!expires_in || !/^\d{1,10}$/.test(expires_in)) throw bad(`The answer says expires_in is "${expires_in}".`)
  return { access_token, token_type: 'Bearer', expires_in: Number(expires_in), expires_at: now + Number(expires_in) }
}

function bad(message: string): LatchkeyError {
  return new LatchkeyError('invalid_response', message)
}
