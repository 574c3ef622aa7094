/** Owns the checking of JWTs that this server signed itself. */
import type { JWTPayload } from 'jose'
import { jwtVerify } from 'jose/jwt/verify'
import type { Context } from '../context.ts'

/**
 * Verifies a token by this tenant's own keys.
 * @returns its claims, or undefined when it is not ours, was changed, or (unless `expired_too`) is over
 * @spec RFC 7515 §7.1
 * @spec RFC 7519 §7.2
 */
export async function verifyOwn(
  ctx: Context,
  token: string,
  rules: { expired_too: boolean } = { expired_too: false },
): Promise<JWTPayload | undefined> {
  if (!isCompactJwt(token)) return undefined
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid, alg }) => {
        const key = kid === undefined ? undefined : ctx.keys.find(kid)
        // The algorithm is the key's own, never the token's word for it.
        if (key === undefined || key.alg !== alg) throw new Error('unknown key')
        return key.key
      },
      {
        issuer: [...ctx.issuers],
        ...(rules.expired_too ? { currentDate: new Date(0) } : { currentDate: new Date(ctx.now()) }),
      },
    )
    return payload
  } catch {
    return undefined
  }
}

/** True for three parts of base64url, each written in the one way there is. The library reads past line ends and spaces; a token has none. */
export function isCompactJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && isCanonical(token)
}

// Base64url has spare bits at its end: without this look, several texts would pass for one signature.
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}
