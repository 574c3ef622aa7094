/** Owns which claims a rule may put into a token. What the protocol itself says with a name is never a rule's to say. */
import { parseUri, scopeClaims } from '@latchkey/oauth'
import type { Context } from '../context.ts'

type Surroundings = Pick<Context, 'configuration' | 'issuers' | 'log'>

/** Names with a meaning in JWT, OAuth 2.0, OpenID Connect, their extensions, and Auth0. */
const reserved: ReadonlySet<string> = new Set([
  // RFC 7519 §4.1
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  // OpenID Connect Core §2, with the hashes of the hybrid flow and the session of the logout specifications
  ...[
    'nonce',
    'auth_time',
    'acr',
    'amr',
    'azp',
    'at_hash',
    'c_hash',
    's_hash',
    'sid',
    'sub_jwk',
    '_claim_names',
    '_claim_sources',
  ],
  // OAuth 2.0: token exchange, introspection, rich requests, proof of possession
  ...['client_id', 'scope', 'gty', 'act', 'may_act', 'active', 'username', 'token_type', 'authorization_details'],
  ...['cnf', 'ath', 'htm', 'htu', 'attest'],
  // RFC 9068 §2.2.3 and what Auth0 says with the same words
  ...['permissions', 'roles', 'groups', 'entitlements', 'org_id', 'org_name'],
  // Header parameters of RFC 7515 §4.1 and RFC 7516 §4.1, which must not be taken for claims
  ...['alg', 'typ', 'cty', 'kid', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'crit', 'enc', 'zip', 'jwe'],
  // RFC 8417, RFC 8225 and other registered claims that other machines act on
  ...['events', 'toe', 'txn', 'rph', 'vot', 'vtm', 'orig', 'dest', 'mky', 'jcard', 'origid', 'uuid', 'object_id'],
  ...['sip_from_tag', 'sip_date', 'sip_callid', 'sip_cseq_num', 'sip_via_branch', 'internalService'],
  // What our own `/userinfo` reads in an access token
  'userinfo_claims',
  // Never a claim: many readers of JSON would take it for something else.
  '__proto__',
])

const profileClaims: ReadonlySet<string> = new Set(Object.values(scopeClaims).flat())

/**
 * The claims of a rule that may go into a token. The others are left out without an error, as in Auth0; the log names them.
 * @param given what rules left in `context.idToken` or `context.accessToken`
 * @param scope the granted scopes: a claim of the profile needs its scope whoever sets it
 */
export function customClaims(
  ctx: Surroundings,
  given: unknown,
  scope: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return {}
  const entries = Object.entries(given).filter(([, value]) => value !== null)
  const allowed = entries.filter(([name]) => mayBeSet(ctx, name, scope))
  if (allowed.length < entries.length) {
    const names = entries.filter((entry) => !allowed.includes(entry)).map(([name]) => name.slice(0, 100))
    ctx.log.debug({ names: names.slice(0, 20) }, 'claims of rules that no rule may set were left out')
  }
  return Object.fromEntries(allowed)
}

function mayBeSet(ctx: Surroundings, name: string, scope: readonly string[]): boolean {
  if (/^https?:/i.test(name)) return isForeignNamespace(ctx, name)
  if (ctx.configuration.settings.flags?.require_namespaced_claims === true) return false
  if (profileClaims.has(name)) return scope.some((word) => claimsOfScope(word).includes(name))
  return name !== '' && !reserved.has(name)
}

function claimsOfScope(word: string): readonly string[] {
  return Object.hasOwn(scopeClaims, word) ? scopeClaims[word as keyof typeof scopeClaims] : []
}

/** A name under one of the server's own hosts would pass for its word. */
function isForeignNamespace(ctx: Surroundings, name: string): boolean {
  const uri = parseUri(name)
  if (uri === undefined || uri.host === '') return false
  return !ctx.issuers.some((issuer) => {
    const { host } = new URL(issuer)
    return uri.host === host || uri.host.endsWith(`.${host}`)
  })
}
