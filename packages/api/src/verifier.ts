/** Owns the checking of an access token, in order: form, header, key, signature, claims. */
import { errors, jwtVerify } from 'jose'
import { type AccessTokenClaims, invalid, missing, readClaims } from './claims.ts'
import { createNonces } from './dpop_nonce.ts'
import { parseObject } from './json_object.ts'
import { createKeySet, type KeySet } from './key_set.ts'
import { readOptions, type Settings, type VerifierOptions } from './options.ts'
import { createProofMemory } from './proof_memory.ts'
import { checkSender, type SenderRules, type TokenSender } from './sender.ts'
import { TokenError } from './token_error.ts'
import { readHeader } from './token_format.ts'

export interface Verifier {
  /**
   * Checks a token and returns its claims.
   * @param sender how it was sent; without it a token that is bound to a key or a certificate is refused
   * @throws TokenError with a stable `code`; anything else that is thrown is a bug
   */
  verify(token: string, sender?: TokenSender): Promise<AccessTokenClaims>
  /** The nonce for the next DPoP proof; absent where none is demanded. */
  readonly dpopNonce?: () => Promise<string>
  /** Whether tokens that are bound to nothing are refused. */
  readonly require_bound_tokens?: boolean
  /** Where a proxy passes on the certificates of callers. */
  readonly client_certificate_header?: string
  /** Where the API publishes what it is; told to whoever is refused. */
  readonly resource_metadata?: string
}

/**
 * Makes a verifier, once per API and issuer; it remembers the issuer's keys, never a token.
 * @throws OptionError naming a bad option
 * @spec RFC 9068 §4
 * @spec RFC 8725 §3
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options)
  const keys = keysOf(settings)
  const rules = senderRules(settings)
  return {
    ...(settings.resource_metadata === undefined ? {} : { resource_metadata: settings.resource_metadata }),
    require_bound_tokens: settings.require_bound_tokens,
    ...(rules.nonces === undefined ? {} : { dpopNonce: rules.nonces.current }),
    ...(settings.client_certificate_header === undefined
      ? {}
      : { client_certificate_header: settings.client_certificate_header }),
    async verify(token, sender) {
      const header = readHeader(token, settings.algorithms)
      const key = await keys.find(header)
      const now = Math.floor(settings.clock() / 1000)
      const payload = await verifySigned(token, key, settings, now)
      // The parser of the JOSE library keeps the last of two equal names; here that is a refusal.
      if (parseObject(header.payload) === undefined) throw new TokenError('malformed')
      const claims = readClaims(payload, { ...settings, now, at_jwt: header.at_jwt })
      await checkSender(claims.cnf, token, sender, rules)
      return claims
    },
  }
}

function senderRules({ clock, origin, require_bound_tokens, proof_memory, dpop_nonce_secret }: Settings): SenderRules {
  const memory = proof_memory ?? createProofMemory(clock)
  const nonces = dpop_nonce_secret === undefined ? undefined : createNonces(dpop_nonce_secret, clock)
  return { clock, origin, require_bound_tokens, memory, nonces }
}

function keysOf(settings: Settings): KeySet {
  const { keys } = settings
  if ('jwks_uri' in keys) return createKeySet({ ...settings, jwks_uri: keys.jwks_uri })
  // One secret, one key: a kid has nothing to choose from.
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const key = crypto.subtle.importKey('raw', new TextEncoder().encode(keys.secret), hmac, false, ['verify'])
  return { find: () => key }
}

async function verifySigned(token: string, key: CryptoKey, settings: Settings, now: number) {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...settings.algorithms],
      issuer: [...settings.issuers],
      audience: settings.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: settings.clock_tolerance,
      currentDate: new Date(now * 1000),
    })
    return payload
  } catch (error) {
    throw asTokenError(error)
  }
}

function asTokenError(error: unknown): unknown {
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenError('bad_signature', { cause: error })
  if (error instanceof errors.JWTExpired) return new TokenError('expired')
  if (error instanceof errors.JWTClaimValidationFailed) return claimError(error)
  if (error instanceof errors.JOSEError) return new TokenError('malformed', { cause: error })
  // The JOSE library refuses a key as unfit (too short, of another kind) with a TypeError.
  if (error instanceof TypeError) return new TokenError('unknown_key', { cause: error })
  return error
}

function claimError({ claim, reason }: errors.JWTClaimValidationFailed): TokenError {
  if (reason === 'missing') return missing(claim)
  if (reason === 'invalid') return invalid(claim)
  if (claim === 'iss') return new TokenError('wrong_issuer')
  if (claim === 'aud') return new TokenError('wrong_audience')
  return new TokenError('not_yet_valid')
}
