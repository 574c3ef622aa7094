/**
 * Owns the server's own secret: keyed hashes of everything a thief of the database must not be able to use, and sealing of what must
 * be read again. The first secret of the list is used for writing, the others still read, so the secret can be rotated.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

export interface Vault {
  /** The keyed hash to store. `kind` keeps a token of one sort from passing for another. */
  hash(kind: string, value: string): string
  /** The hashes under which a value may be stored: one for each secret still known. */
  hashes(kind: string, value: string): readonly string[]
  /** True when the stored hash is of this value; constant time. */
  matches(kind: string, value: string, stored: string): boolean
  /** A keyed value derived from another secret, for proofs that need no row (CSRF tokens, the twin of a cookie). */
  derive(kind: string, value: string): string
  /** What may have been derived before: one for each secret still known, the current one's first. */
  derivations(kind: string, value: string): readonly string[]
  seal(text: string): string
  /** @throws Error when no known secret opens it */
  open(sealed: string): string
}

interface SecretKeys {
  readonly hashing: KeyObject
  readonly sealing: Buffer
}

/**
 * @param secrets at least one, each of 32 characters or more; the first is current
 * @throws Error when a secret is too short
 */
export function openVault(secrets: readonly string[]): Vault {
  const keys = secrets.map(keysOf)
  const current = keys[0]
  if (current === undefined)
    throw new Error('The server secret is missing: set LATCHKEY_SECRET to 32 random characters or more')
  return {
    hash: (kind, value) => hmac(current, kind, value),
    hashes: (kind, value) => keys.map((key) => hmac(key, kind, value)),
    matches: (kind, value, stored) => keys.map((key) => equal(hmac(key, kind, value), stored)).includes(true),
    derive: (kind, value) => hmac(current, `derive ${kind}`, value),
    derivations: (kind, value) => keys.map((key) => hmac(key, `derive ${kind}`, value)),
    seal: (text) => seal(current, text),
    open: (sealed) => openSealed(keys, sealed),
  }
}

/** Compares two texts in constant time for texts of one length. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function keysOf(secret: string): SecretKeys {
  if (secret.length < 32) throw new Error('The server secret is too short: LATCHKEY_SECRET needs 32 characters or more')
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'latchkey', purpose, 32))
  return { hashing: createSecretKey(derive('hashing')), sealing: derive('sealing') }
}

function hmac(keys: SecretKeys, kind: string, value: string): string {
  return createHmac('sha256', keys.hashing).update(`${kind}\n${value}`).digest('base64url')
}

function seal(keys: Pick<SecretKeys, 'sealing'>, text: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keys.sealing, nonce)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
}

function openSealed(keys: readonly Pick<SecretKeys, 'sealing'>[], sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  for (const key of keys) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.sealing, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
    } catch {
      // Another secret of the list may have sealed it; what was cut short opens with none.
    }
  }
  throw new Error('A stored secret cannot be opened: LATCHKEY_SECRET is not the one this database was written with')
}

/** Seals a text so that only the holder of another secret can open it, whatever else he has of the database. */
export function sealUnder(secret: string, text: string): string {
  return seal({ sealing: keyUnder(secret) }, text)
}

/** @throws Error when it was sealed under another secret */
export function openUnder(secret: string, sealed: string): string {
  return openSealed([{ sealing: keyUnder(secret) }], sealed)
}

function keyUnder(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'latchkey', 'sealed under a token', 32))
}
