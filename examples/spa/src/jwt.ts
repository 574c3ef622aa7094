/** Owns taking a token apart to look at it. Looking is not verifying: the SDK has done that for the ID token. */

export interface TokenParts {
  readonly raw: readonly [string, string, string]
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
}

/** The parts of a JWT, or nothing when the token is opaque. */
export function takeApart(token: string): TokenParts | undefined {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (signature === '' || more.length > 0) return undefined
  try {
    return { raw: [header, payload, signature], header: decode(header), payload: decode(payload) }
  } catch {
    return undefined
  }
}

function decode(part: string): Record<string, unknown> {
  const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
  return JSON.parse(new TextDecoder().decode(bytes))
}
