/** Owns the options of a verifier: their defaults, their limits, and the sentence that names a bad one. */
import { isLoopbackHost, originOf, parseUri } from '@latchkey/oauth'
import type { ProofMemory } from './proof_memory.ts'

export interface VerifierOptions {
  /** The `iss` of the tokens, exactly. A list names one server that answers under several names with one key set. */
  readonly issuer: string | readonly string[]
  /** The identifier of this API, exactly as the authorization server has it. */
  readonly audience: string
  /** Accepted signature algorithms. Default `['RS256']`; with `secret` it must be `['HS256']`. */
  readonly algorithms?: readonly string[]
  /** Where the issuer publishes its keys. Default: `.well-known/jwks.json` under the issuer. https, or http on this machine. */
  readonly jwks_uri?: string
  /** The signing secret of an HS256 API, at least 32 bytes. Never together with `jwks_uri`. */
  readonly secret?: string
  /** Seconds by which the clocks of issuer and API may differ, 0 to 300. Default 5. */
  readonly clock_tolerance?: number
  /** Seconds for which fetched keys are used without asking again, 1 to 86400. Default 600. */
  readonly cache_max_age?: number
  /** Seconds between two fetches for a key that nobody knows, 1 to 3600. Default 30. */
  readonly cooldown?: number
  /** Seconds that one fetch of the keys may take, 0.1 to 60. Default 5. */
  readonly timeout?: number
  /** The address of the API's metadata: `url` of `protectedResource`. Refused callers are told it. */
  readonly resource_metadata?: string
  /** The origin by which callers reach this API, such as https://api.example.com, which DPoP proofs name. Default: that of each request. */
  readonly origin?: string
  /** Refuses tokens that are bound to no key and no certificate. Default false. */
  readonly require_bound_tokens?: boolean
  /** Demands of DPoP proofs a nonce made with this secret of at least 32 bytes, which all processes of the API share. */
  readonly dpop_nonce_secret?: string
  /** Remembers which proofs were used. Default: a memory of this process, for 500,000 at once. */
  readonly proof_memory?: ProofMemory
  /** The header in which your proxy passes on the caller's TLS certificate; the proxy must remove it from what callers send. */
  readonly client_certificate_header?: string
  /** Replaces the global `fetch`, for a proxy or a private certificate authority. */
  readonly fetch?: typeof fetch
  /** The present time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number
}

export interface Settings {
  readonly issuers: readonly string[]
  readonly audience: string
  readonly algorithms: readonly string[]
  readonly keys: { readonly jwks_uri: string } | { readonly secret: string }
  readonly clock_tolerance: number
  readonly cache_max_age: number
  readonly cooldown: number
  readonly timeout: number
  readonly resource_metadata: string | undefined
  readonly origin: string | undefined
  readonly require_bound_tokens: boolean
  readonly dpop_nonce_secret: string | undefined
  readonly proof_memory: ProofMemory | undefined
  readonly client_certificate_header: string | undefined
  readonly fetch: typeof fetch
  readonly clock: () => number
}

/** An option that cannot work. Thrown when the verifier is made, never for a request. */
export class OptionError extends TypeError {
  override readonly name = 'OptionError'
  readonly code = 'invalid_option'
  readonly option: string

  constructor(option: string, sentence: string) {
    super(`${option}: ${sentence}`)
    this.option = option
  }
}

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Every option there is. */
export const optionNames: readonly string[] = [
  'issuer',
  'audience',
  'algorithms',
  'jwks_uri',
  'secret',
  'clock_tolerance',
  'cache_max_age',
  'cooldown',
  'timeout',
  'resource_metadata',
  'origin',
  'require_bound_tokens',
  'dpop_nonce_secret',
  'proof_memory',
  'client_certificate_header',
  'fetch',
  'clock',
]

/** @throws OptionError naming the option and what to write instead */
export function readOptions(options: VerifierOptions): Settings {
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name))
  if (unknown !== undefined)
    throw new OptionError(unknown, `There is no such option; there are ${optionNames.join(', ')}`)
  const issuers = readIssuers(options.issuer)
  if (typeof options.audience !== 'string' || options.audience === '') {
    throw new OptionError('audience', 'Give the identifier of this API, as the authorization server has it')
  }
  const secret = options.secret
  return {
    issuers,
    audience: options.audience,
    algorithms: readAlgorithms(options.algorithms, secret !== undefined),
    keys: secret === undefined ? { jwks_uri: readJwksUri(options.jwks_uri, issuers) } : readSecret(secret, options),
    clock_tolerance: within('clock_tolerance', options.clock_tolerance ?? 5, 0, 300),
    cache_max_age: within('cache_max_age', options.cache_max_age ?? 600, 1, 86_400),
    cooldown: within('cooldown', options.cooldown ?? 30, 1, 3600),
    timeout: within('timeout', options.timeout ?? 5, 0.1, 60),
    resource_metadata: readMetadataUri(options.resource_metadata),
    origin: readOrigin(options.origin),
    require_bound_tokens: options.require_bound_tokens === true,
    dpop_nonce_secret: readNonceSecret(options.dpop_nonce_secret),
    proof_memory: options.proof_memory,
    client_certificate_header: readHeaderName(options.client_certificate_header),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? Date.now,
  }
}

function readIssuers(issuer: VerifierOptions['issuer']): readonly string[] {
  const issuers = typeof issuer === 'string' ? [issuer] : issuer
  if (!Array.isArray(issuers) || issuers.length === 0) {
    throw new OptionError('issuer', 'Give the address of the authorization server, such as https://login.example.com/')
  }
  for (const each of issuers) {
    if (typeof each !== 'string' || parseUri(each) === undefined) {
      throw new OptionError('issuer', 'Give an absolute URL, such as https://login.example.com/')
    }
  }
  return [...issuers]
}

/** The algorithm is the API's choice, never the token's. @spec RFC 8725 §3.1 */
function readAlgorithms(algorithms: readonly string[] | undefined, hasSecret: boolean): readonly string[] {
  const list = algorithms ?? ['RS256']
  if (!Array.isArray(list) || list.length === 0) throw new OptionError('algorithms', 'Give a list such as RS256')
  if (hasSecret) {
    if (list.length === 1 && list[0] === 'HS256') return ['HS256']
    throw new OptionError('algorithms', 'With a secret it must be HS256 alone, written out')
  }
  const bad = list.find((name) => !asymmetric.includes(name))
  if (bad === 'HS256') throw new OptionError('algorithms', 'HS256 needs a secret, and stands alone')
  if (bad !== undefined) throw new OptionError('algorithms', `${bad} is not one of ${asymmetric.join(', ')}`)
  return [...list]
}

function readSecret(secret: string, options: VerifierOptions): { secret: string } {
  if (typeof secret !== 'string' || new TextEncoder().encode(secret).length < 32) {
    // An HMAC key is at least as long as the hash (RFC 7518 §3.2).
    throw new OptionError('secret', 'Give the signing secret of the API: at least 32 bytes')
  }
  // A public key used as HMAC key would let anyone sign (RFC 8725 §2.1).
  if (secret.includes('-----BEGIN') || secret.trimStart().startsWith('{')) {
    throw new OptionError('secret', 'This looks like a key, not like a signing secret; for public keys leave it out')
  }
  if (options.jwks_uri !== undefined) throw new OptionError('jwks_uri', 'Leave it out where a secret is given')
  return { secret }
}

function readJwksUri(jwks_uri: string | undefined, issuers: readonly string[]): string {
  const [issuer = ''] = issuers
  if (jwks_uri === undefined && issuers.length > 1) {
    throw new OptionError('jwks_uri', 'Say which of the issuers publishes the key set that they share')
  }
  if (jwks_uri === undefined && !issuer.endsWith('/')) {
    throw new OptionError('issuer', `It ends with a slash: write ${issuer}/ or give jwks_uri`)
  }
  const text = jwks_uri ?? `${issuer}.well-known/jwks.json`
  const uri = parseUri(text)
  if (uri === undefined) throw new OptionError('jwks_uri', 'Give an absolute URL')
  if (uri.protocol !== 'https:' && !(uri.protocol === 'http:' && isLoopbackHost(uri.hostname))) {
    throw new OptionError('jwks_uri', `Keys are fetched over https (http only on this machine), not from ${text}`)
  }
  return text
}

function readMetadataUri(uri: string | undefined): string | undefined {
  if (uri === undefined || parseUri(uri) !== undefined) return uri
  throw new OptionError('resource_metadata', 'Give an absolute URL: url of protectedResource')
}

function readOrigin(origin: string | undefined): string | undefined {
  if (origin === undefined) return undefined
  const given = typeof origin === 'string' ? originOf(origin) : undefined
  if (given !== undefined && (origin === given || origin === `${given}/`)) return given
  throw new OptionError('origin', 'Give scheme, host and port alone, such as https://api.example.com')
}

function readNonceSecret(secret: string | undefined): string | undefined {
  if (secret === undefined || (typeof secret === 'string' && new TextEncoder().encode(secret).length >= 32))
    return secret
  throw new OptionError('dpop_nonce_secret', 'Give at least 32 random bytes, the same in every process of the API')
}

function readHeaderName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  if (typeof name === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(name)) return name.toLowerCase()
  throw new OptionError('client_certificate_header', 'Give the name of a header, such as client-cert')
}

function within(option: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new OptionError(option, `Give a number of seconds from ${least} to ${most}`)
}
