/** Owns the encryption of what is for one client: the algorithms, and the key of the client that fits. */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { type ClientKey, clientKeys } from '../client_keys.ts'
import type { Context } from '../context.ts'
import { FetchError } from '../outbound.ts'

/** Bits of the key. @spec RFC 7518 §5.1 */
const encryptions = { 'A128CBC-HS256': 256, 'A256CBC-HS512': 512, A128GCM: 128, A256GCM: 256 } as const

type Fits = (key: ClientKey) => boolean
const isRsa: Fits = ({ kty, key }) => kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
const agrees: Fits = ({ key }) =>
  key.asymmetricKeyType === 'x25519' ||
  ['prime256v1', 'secp384r1', 'secp521r1'].includes(key.asymmetricKeyDetails?.namedCurve ?? '')

/** By the key that each needs: one of the client's own, or one made of the secret. @spec RFC 7518 §4.1 */
const byKey: Readonly<Record<string, Fits>> = {
  'RSA-OAEP-256': isRsa,
  'ECDH-ES': agrees,
  'ECDH-ES+A128KW': agrees,
  'ECDH-ES+A256KW': agrees,
}
/** Bits, where the algorithm itself says how many. */
const bySecret: Readonly<Record<string, number | undefined>> = { A128KW: 128, A256KW: 256, dir: undefined }

/** As discovery lists them. */
export const encryptionAlgs: readonly string[] = [...Object.keys(byKey), ...Object.keys(bySecret)]
export const encryptionEncs: readonly string[] = Object.keys(encryptions)

/** True for an algorithm whose key is made of the client's secret. */
export function encryptsWithSecret(alg: string): boolean {
  return Object.hasOwn(bySecret, alg)
}

/** What a client registered. */
export interface EncryptionWish {
  readonly alg: string
  readonly enc?: string
}

/**
 * Never compressed: what is inside could be guessed from its length.
 * @param cty `JWT` for what is signed inside
 * @throws OAuthError `unauthorized_client` when the client has no key for it
 * @spec RFC 7516 §5.1
 * @spec OpenID Connect Core §10.2
 */
export async function encryptFor(
  ctx: Context,
  client: Client,
  { alg, enc = 'A128CBC-HS256' }: EncryptionWish,
  text: string,
  cty: 'JWT' | undefined,
): Promise<string> {
  const { key, kid } = encryptsWithSecret(alg)
    ? { key: await secretKey(ctx, client, alg, enc), kid: undefined }
    : await publicKey(ctx, client, alg)
  // Few clients ask for it: loaded when one does.
  const { CompactEncrypt } = await import('jose/jwe/compact/encrypt')
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ alg, enc, ...(cty === undefined ? {} : { cty }), ...(kid === undefined ? {} : { kid }) })
    .encrypt(key)
}

/** Kept as long as the client's keys are: the key that was found for an algorithm. */
async function publicKey(ctx: Context, client: Client, alg: string): Promise<ClientKey> {
  const fits = (one: ClientKey) =>
    one.use !== 'sig' && (one.alg === undefined || one.alg === alg) && byKey[alg]?.(one) === true
  try {
    const known = await clientKeys(ctx, client)
    const found = choose(known.keys.filter(fits)) ?? choose((await clientKeys(ctx, client, known)).keys.filter(fits))
    if (found !== undefined) return found
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    ctx.log.warn({ err: error, client_id: client.client_id }, 'the keys of a client cannot be fetched')
  }
  throw noKey(client, alg)
}

/** One that is for encryption before one that is for anything. */
function choose(keys: readonly ClientKey[]): ClientKey | undefined {
  return keys.find(({ use }) => use === 'enc') ?? keys[0]
}

async function secretKey(ctx: Context, client: Client, alg: string, enc: string): Promise<KeyObject> {
  const secret = await ctx.store.configuration.clientSecret(client.client_id)
  if (secret === undefined) throw noKey(client, alg)
  const bits = bySecret[alg] ?? encryptions[enc as keyof typeof encryptions]
  const hash = createHash(bits > 256 ? 'sha512' : 'sha256')
    .update(secret)
    .digest()
  return createSecretKey(hash.subarray(0, bits / 8))
}

function noKey({ name }: Client, alg: string): OAuthError {
  return new OAuthError('unauthorized_client', `The client has no key to encrypt to with ${alg}`, {
    explanation: {
      summary: `${name} registered encryption with ${alg}, and nothing fits it.`,
      fix: encryptsWithSecret(alg)
        ? 'Give the client its client_secret once more: it was saved in a form that cannot be read back.'
        : 'Publish a key with use enc in the jwks of the client.',
      setting: 'clients[].jwks',
    },
  })
}
