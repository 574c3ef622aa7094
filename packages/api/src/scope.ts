/** Owns the question whether a token was granted what a request needs. */
import { isScopeText, words } from '@latchkey/oauth'
import type { AccessTokenClaims } from './claims.ts'
import { OptionError } from './options.ts'
import { TokenError } from './token_error.ts'

/** Throws when the claims do not satisfy it. */
export type ScopeCheck = (claims: AccessTokenClaims | undefined) => void

/**
 * All of the named scopes must have been granted.
 * @throws OptionError at once for a name that is not a scope
 * @spec RFC 6750 §3.1
 */
export function requireScope(first: string, ...more: readonly string[]): ScopeCheck {
  const scope = readNames([first, ...more])
  return (claims) => {
    const granted = grantedTo(claims)
    if (scope.every((name) => granted.includes(name))) return
    throw new TokenError('insufficient_scope', { scope, scheme: schemeOf(claims) })
  }
}

/**
 * One of the named scopes must have been granted.
 * @throws OptionError at once for a name that is not a scope
 * @spec RFC 6750 §3.1
 */
export function requireAnyScope(first: string, ...more: readonly string[]): ScopeCheck {
  const scope = readNames([first, ...more])
  return (claims) => {
    const granted = grantedTo(claims)
    if (scope.some((name) => granted.includes(name))) return
    const description = 'The access token carries none of the scopes of which this request needs one.'
    throw new TokenError('insufficient_scope', { scope, description, scheme: schemeOf(claims) })
  }
}

function grantedTo(claims: AccessTokenClaims | undefined): readonly string[] {
  // Without a check of the token there is nothing to read: fail closed, and tell the developer.
  if (claims === undefined) throw new OptionError('requireScope', 'Put protect(verifier) before it')
  return words(claims.scope)
}

/** A token that is bound to a key came as DPoP, or it would not have come this far. */
export function schemeOf(claims: AccessTokenClaims | undefined): 'DPoP' | undefined {
  const { cnf } = claims ?? {}
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? 'DPoP' : undefined
}

function readNames(names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (typeof name === 'string' && name !== '' && !name.includes(' ') && isScopeText(name)) continue
    throw new OptionError('requireScope', `Give each scope as a text of its own, such as read:messages, not "${name}"`)
  }
  return names
}
