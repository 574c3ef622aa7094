/** Owns what the page knows while it is open: the tokens and the person. Nothing of it is ever stored. */

import { words } from './encoding.ts'
import type { IdTokenClaims } from './id_token.ts'
import type { TokenSet } from './options.ts'
import type { Outcome } from './response.ts'

/** What the ID token says about the person, without what it says about itself. */
export interface User {
  readonly sub: string
  readonly name?: string
  readonly email?: string
  readonly picture?: string
  readonly [claim: string]: unknown
}

interface Entry extends TokenSet {
  readonly asked: string
}

const aboutTheToken = [
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'azp',
  'nonce',
  'at_hash',
  'auth_time',
  'sid',
  'acr',
  'amr',
]

export function openMemory() {
  let entries: readonly Entry[] = []
  let claims: IdTokenClaims | undefined
  let user: User | undefined

  const clear = () => {
    entries = []
    claims = undefined
    user = undefined
  }

  return {
    clear,
    claims: () => claims,
    user: () => user,

    /** `asked` is the scope of the request; the tokens of another person are dropped. */
    keep({ tokens, claims: next }: Outcome, asked: string): void {
      if (next) {
        if (user?.sub !== next.sub) clear()
        claims = next
        const profile = Object.entries(next).filter(([name]) => !aboutTheToken.includes(name))
        // A renewal that asks for less scope says less about the same person; what is known stays.
        user = { ...user, ...Object.fromEntries(profile), sub: next.sub }
      }
      const others = entries.filter((entry) => entry.audience !== tokens.audience || entry.asked !== asked)
      entries = [{ ...tokens, asked }, ...others]
    },

    /** The newest access token for the API that was asked for with all of these scopes. */
    find(audience: string | undefined, scope: string): TokenSet | undefined {
      return entries.find(
        (entry) =>
          entry.access_token !== undefined &&
          entry.audience === audience &&
          words(scope).every((word) => words(`${entry.asked} ${entry.scope}`).includes(word)),
      )
    },

    /** When the last token ends, in seconds since 1970. */
    end: () => Math.max(claims?.exp ?? 0, ...entries.map(({ expires_at = 0 }) => expires_at)),
  }
}
