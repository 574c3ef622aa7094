/** Owns the nonces that this API demands of DPoP proofs: derived from a secret and the time, so that none is stored. */
import { base64url } from 'jose'

export interface Nonces {
  /** The one to use from now on. */
  current(): Promise<string>
  /** The current one, or the one before it, which is on its way still. @spec RFC 9449 §8.2 */
  accepts(nonce: string): Promise<boolean>
}

/** Milliseconds that one nonce is handed out; it counts for as long again. */
const lasts = 300_000

/**
 * @param secret shared by every process of the API
 * @spec RFC 9449 §9
 */
export function createNonces(secret: string, clock: () => number): Nonces {
  const bytes = new TextEncoder().encode(secret)
  const key = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const made = new Map<number, Promise<string>>()
  const windowOf = () => Math.floor(clock() / lasts)
  const nonceOf = (window: number): Promise<string> => {
    const known = made.get(window)
    if (known !== undefined) return known
    const text = new TextEncoder().encode(`dpop nonce ${window}`)
    const nonce = key.then(async (one) => base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', one, text))))
    if (made.size > 3) made.clear()
    made.set(window, nonce)
    return nonce
  }
  return {
    current: () => nonceOf(windowOf()),
    async accepts(nonce) {
      const window = windowOf()
      return nonce === (await nonceOf(window)) || nonce === (await nonceOf(window - 1))
    },
  }
}
