/** Owns `client_secret_basic`: the shared secret in the Authorization header. */
import { OAuthError } from '@latchkey/oauth'
import { defineClientAuthMethod } from './client_auth.ts'

/** One secret is as good in the header as in the body, so both methods serve a client that was registered with either. */
export const sharedSecretMethods: readonly string[] = ['client_secret_basic', 'client_secret_post']

/** @spec RFC 6749 §2.3.1 */
export const clientSecretBasic = defineClientAuthMethod({
  name: 'client_secret_basic',
  serves: sharedSecretMethods,
  find({ authorization }) {
    if (authorization === undefined || !/^basic(\s|$)/i.test(authorization)) return undefined
    const [raw, decoded] = credentials(authorization)
    return {
      client_id: decoded?.id ?? raw.id,
      async prove(ctx, client) {
        // The header is form-encoded before Base64; many clients leave that step out, which matters where a secret holds a % or a +.
        for (const { id, secret } of decoded === undefined ? [raw] : [decoded, raw]) {
          const proved = await ctx.store.configuration.hasClientSecret(id, secret)
          if (proved && client?.client_id === id) return true
        }
        return false
      },
    }
  },
})

interface Credentials {
  readonly id: string
  readonly secret: string
}

/** As they stand, and form-decoded where that is something else. */
function credentials(authorization: string): readonly [Credentials, Credentials | undefined] {
  const encoded = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization)?.[1]
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) throw new OAuthError('invalid_request', 'The Authorization header is not valid Basic credentials')
  const raw = { id: text.slice(0, colon), secret: text.slice(colon + 1) }
  const id = formDecode(raw.id)
  const secret = formDecode(raw.secret)
  if (id === undefined || secret === undefined || (id === raw.id && secret === raw.secret)) return [raw, undefined]
  return [raw, { id, secret }]
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
