/** Owns the shape of a password scheme, and how the fields of an imported hash are read. */

export type TextEncoding = 'base64' | 'hex' | 'utf8'
export type PasswordEncoding = 'ascii' | 'utf8' | 'utf16le' | 'ucs2' | 'latin1' | 'binary'

/** A hash as users are imported with it, in the words of Auth0's `custom_password_hash`. */
export interface CustomPasswordHash {
  readonly algorithm: string
  readonly hash: {
    readonly value: string
    readonly encoding?: TextEncoding
    /** Digest of an HMAC. */
    readonly digest?: string
    readonly key?: { readonly value: string; readonly encoding?: TextEncoding }
  }
  readonly salt?: {
    readonly value: string
    readonly encoding?: TextEncoding
    readonly position?: 'prefix' | 'suffix'
  }
  readonly password?: { readonly encoding?: PasswordEncoding }
  /** scrypt only: bytes of the hash. */
  readonly keylen?: number
  readonly cost?: number
  readonly blockSize?: number
  readonly parallelization?: number
}

/** A hash that was read and found bearable: what is needed to verify a password against it. */
export interface Recipe {
  readonly algorithm: string
  /** Bytes where the password went through a pepper first, else its text. */
  verify(password: string | Uint8Array): Promise<boolean>
}

export interface Scheme {
  /** The value of `algorithm` on the wire. */
  readonly algorithm: string
  /** How a bare string of this scheme begins; undefined where only the object form exists. */
  readonly prefix?: RegExp
  /** Fields besides `algorithm`, `hash.value` and `hash.encoding` that mean something here. */
  readonly fields: readonly ('salt' | 'password' | 'digest' | 'key' | 'scrypt')[]
  /** @throws HashRefused where the hash is malformed, unsupported or too costly */
  read(hash: CustomPasswordHash): Recipe
}

export type HashProblemCode =
  | 'password_hash_malformed'
  | 'password_hash_unsupported'
  | 'password_hash_too_costly'
  | 'password_hash_key_unknown'

/** Why a hash cannot be used, with a sentence that says what to change. */
export class HashRefused extends Error {
  override readonly name = 'HashRefused'
  readonly code: HashProblemCode

  constructor(code: HashProblemCode, message: string) {
    super(message)
    this.code = code
  }
}

export function malformed(sentence: string): HashRefused {
  return new HashRefused('password_hash_malformed', sentence)
}

/**
 * @param what names the value in the error, such as "The cost"
 * @throws HashRefused when `value` is over `max`: a worker must not be held for longer than about a second
 */
export function bounded(what: string, value: number, max: number): void {
  if (value <= max) return
  throw new HashRefused('password_hash_too_costly', `${what} is ${value}; at most ${max} is accepted.`)
}

/**
 * Base64 in either alphabet, padded or not, hexadecimal in either case, or plain text.
 *
 * @param field names the value in the error, such as `hash.value`
 */
export function decode(field: string, value: string, encoding: TextEncoding): Buffer {
  if (encoding === 'hex' && !/^(?:[0-9a-f]{2})*$/i.test(value)) throw malformed(`${field} is not hexadecimal.`)
  if (encoding === 'base64' && !/^[\w+/-]*={0,2}$/.test(value)) throw malformed(`${field} is not Base64.`)
  return Buffer.from(value, encoding)
}

/** The raw bytes of a hash that is given as `hex` or `base64`. */
export function rawHash(hash: CustomPasswordHash, length?: number): Buffer {
  const { value, encoding } = hash.hash
  if (encoding !== 'hex' && encoding !== 'base64') {
    throw malformed(`hash.encoding must be hex or base64 for ${hash.algorithm}.`)
  }
  const bytes = decode('hash.value', value, encoding)
  if (bytes.length === 0) throw malformed('hash.value is empty.')
  if (length !== undefined && bytes.length !== length) {
    throw malformed(`hash.value has ${bytes.length} bytes; ${hash.algorithm} needs ${length}.`)
  }
  return bytes
}

/** A text in a format of its own, such as a PHC string. */
export function textHash(hash: CustomPasswordHash): string {
  const { value, encoding = 'utf8' } = hash.hash
  if (encoding !== 'utf8') throw malformed(`hash.encoding must be utf8 for ${hash.algorithm}.`)
  return value
}

export function saltBytes(hash: CustomPasswordHash): Buffer {
  const { salt } = hash
  return salt === undefined ? Buffer.alloc(0) : decode('salt.value', salt.value, salt.encoding ?? 'utf8')
}

/** The password in the encoding it was hashed in. */
export function passwordBytes(hash: CustomPasswordHash, password: string | Uint8Array): Uint8Array {
  return typeof password === 'string' ? Buffer.from(password, hash.password?.encoding ?? 'utf8') : password
}

/** The password with its salt before it, or after it. */
export function saltedPassword(hash: CustomPasswordHash, salt: Uint8Array, password: string | Uint8Array): Buffer {
  const bytes = passwordBytes(hash, password)
  return Buffer.concat(hash.salt?.position === 'suffix' ? [bytes, salt] : [salt, bytes])
}
