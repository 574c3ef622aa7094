/** Owns how stored and imported hashes are read: a bare string, or Auth0's `custom_password_hash` object. */
import { schemes } from './schemes/index.ts'
import {
  type CustomPasswordHash,
  type HashProblemCode,
  HashRefused,
  malformed,
  type PasswordEncoding,
  type Recipe,
  type Scheme,
  type TextEncoding,
} from './schemes/scheme.ts'

export interface HashProblem {
  readonly code: HashProblemCode
  /** A sentence that says what to change. */
  readonly message: string
}

/** No hash, salt or key is longer than this many characters. */
const maxLength = 2048

const textEncodings: readonly TextEncoding[] = ['base64', 'hex', 'utf8']
const passwordEncodings: readonly PasswordEncoding[] = ['ascii', 'utf8', 'utf16le', 'ucs2', 'latin1', 'binary']

type Fields = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function object(name: string, value: unknown, allowed: readonly string[]): Fields {
  if (!isObject(value)) throw malformed(`${name} must be an object.`)
  const stranger = Object.keys(value).find((key) => !allowed.includes(key))
  if (stranger !== undefined) throw malformed(`${name} may not have ${stranger}; it has ${allowed.join(', ')}.`)
  return value
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw malformed(`${name} must be a string.`)
  if (value.length > maxLength) throw malformed(`${name} is longer than ${maxLength} characters.`)
  return value
}

function oneOf<T extends string>(name: string, value: unknown, list: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  const found = list.find((entry) => entry === value)
  if (found === undefined) throw malformed(`${name} must be one of ${list.join(', ')}.`)
  return found
}

function positive(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw malformed(`${name} must be a whole number above 0.`)
  }
  return value
}

/** Leaves out what is undefined, so that absent stays absent. */
function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })
}

function readHashField(value: unknown): CustomPasswordHash['hash'] {
  const hash = object('hash', value, ['value', 'encoding', 'digest', 'key'])
  const key = hash.key === undefined ? undefined : object('hash.key', hash.key, ['value', 'encoding'])
  return {
    value: text('hash.value', hash.value),
    ...present('encoding', oneOf('hash.encoding', hash.encoding, textEncodings)),
    ...present('digest', hash.digest === undefined ? undefined : text('hash.digest', hash.digest)),
    ...(key === undefined
      ? {}
      : {
          key: {
            value: text('hash.key.value', key.value),
            ...present('encoding', oneOf('hash.key.encoding', key.encoding, textEncodings)),
          },
        }),
  }
}

function readSalt(value: unknown): NonNullable<CustomPasswordHash['salt']> {
  const salt = object('salt', value, ['value', 'encoding', 'position'])
  return {
    value: text('salt.value', salt.value),
    ...present('encoding', oneOf('salt.encoding', salt.encoding, textEncodings)),
    ...present('position', oneOf('salt.position', salt.position, ['prefix', 'suffix'] as const)),
  }
}

const objectFields = ['algorithm', 'hash', 'salt', 'password', 'keylen', 'cost', 'blockSize', 'parallelization']

function readCustom(value: unknown): CustomPasswordHash {
  const custom = object('custom_password_hash', value, objectFields)
  const password = custom.password === undefined ? {} : object('password', custom.password, ['encoding'])
  const encoding = oneOf('password.encoding', password.encoding, passwordEncodings)
  return {
    algorithm: text('algorithm', custom.algorithm),
    hash: readHashField(custom.hash),
    ...present('salt', custom.salt === undefined ? undefined : readSalt(custom.salt)),
    ...present('password', encoding === undefined ? undefined : { encoding }),
    ...present('keylen', positive('keylen', custom.keylen)),
    ...present('cost', positive('cost', custom.cost)),
    ...present('blockSize', positive('blockSize', custom.blockSize)),
    ...present('parallelization', positive('parallelization', custom.parallelization)),
  }
}

function readString(value: string): CustomPasswordHash {
  if (value.startsWith('{"')) return readCustom(parseJson(value))
  const scheme = schemes.find((entry) => entry.prefix?.test(value) === true)
  if (scheme === undefined) {
    throw new HashRefused(
      'password_hash_unsupported',
      'The hash must begin with $argon2, $2a$, $2b$, $2y$, $scrypt$, $pbkdf2- or a directory scheme such as {SSHA}; use custom_password_hash for any other.',
    )
  }
  return { algorithm: scheme.algorithm, hash: { value: text('The password hash', value) } }
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    throw malformed('The stored hash is not valid JSON.')
  }
}

/** A field that the scheme would not look at means that the hash was made in another way than we would verify it. */
function refuseUnusedFields(custom: CustomPasswordHash, scheme: Scheme): void {
  const given = {
    salt: custom.salt,
    password: custom.password,
    digest: custom.hash.digest,
    key: custom.hash.key,
    scrypt: custom.keylen ?? custom.cost ?? custom.blockSize ?? custom.parallelization,
  }
  const names = {
    salt: 'salt',
    password: 'password',
    digest: 'hash.digest',
    key: 'hash.key',
    scrypt: 'keylen and cost',
  }
  for (const field of ['salt', 'password', 'digest', 'key', 'scrypt'] as const) {
    if (given[field] !== undefined && !scheme.fields.includes(field)) {
      throw malformed(`${names[field]} means nothing for ${scheme.algorithm}; leave it out.`)
    }
  }
}

function parse(value: unknown): { readonly custom: CustomPasswordHash; readonly recipe: Recipe } {
  const custom = typeof value === 'string' ? readString(value) : readCustom(value)
  const scheme = schemes.find((entry) => entry.algorithm === custom.algorithm)
  if (scheme === undefined) {
    const known = schemes.map((entry) => entry.algorithm).join(', ')
    throw new HashRefused('password_hash_unsupported', `algorithm must be one of ${known}.`)
  }
  refuseUnusedFields(custom, scheme)
  return { custom, recipe: scheme.read(custom) }
}

/** @throws HashRefused where the hash cannot be verified, or would take too long */
export function readHash(value: unknown): Recipe {
  return parse(value).recipe
}

/**
 * Says at import time whether logins against this hash will work.
 *
 * @param value a hash string (`password_hash`) or Auth0's `custom_password_hash` object
 * @returns what is wrong with it; undefined when it can be stored
 */
export function checkPasswordHash(value: unknown): HashProblem | undefined {
  try {
    readHash(value)
    return undefined
  } catch (error) {
    if (error instanceof HashRefused) return { code: error.code, message: error.message }
    throw error
  }
}

/**
 * The text under which an imported hash is stored, for `verify`: the string itself where it says everything,
 * else the object as JSON.
 *
 * @throws HashRefused where `checkPasswordHash` names a problem
 */
export function encodePasswordHash(value: unknown): string {
  const { custom } = parse(value)
  const { salt, password } = custom
  const plain = salt === undefined && (password?.encoding ?? 'utf8') === 'utf8'
  const itself = schemes.find((scheme) => scheme.prefix?.test(custom.hash.value) === true)
  return plain && itself?.algorithm === custom.algorithm ? custom.hash.value : JSON.stringify(custom)
}
