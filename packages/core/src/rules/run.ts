/** Owns running the rules of a trip, and reading what they left behind as text of strangers. */
import { OAuthError, parseUri, words } from '@latchkey/oauth'
import type { SignedIn } from '@latchkey/store'
import { grantableScopes, resolveTarget } from '../audience.ts'
import { type AuthorizationRequest, findClient } from '../authorization_request.ts'
import type { Context } from '../context.ts'
import { customClaims } from './custom_claims.ts'
import { type RulesVisit, rulesInput } from './input.ts'
import type { RulesOutcome, RulesResult, RunRules } from './rules.ts'

/** Characters of a rule's own words that travel to the client. */
const longestMessage = 300

/**
 * Runs the rules for a person who is signed in. What they refuse is part of the outcome.
 * @param run the tenant's rules
 */
export async function runRules(
  ctx: Context,
  run: RunRules,
  request: AuthorizationRequest,
  signed_in: SignedIn,
  visit: RulesVisit,
): Promise<RulesOutcome> {
  const { session_id } = signed_in.session
  const result = await run(rulesInput(ctx, findClient(ctx, request.client_id), request, signed_in, visit))
  if (result.kind !== 'passed') return refused(session_id, refusalOf(ctx, result))
  const { idToken, accessToken, redirect, multifactor } = result.output
  const away = visit.returned_with === undefined ? readRedirect(redirect) : undefined
  if (away === 'unusable') {
    const reason = 'context.redirect.url must be an absolute http or https URL'
    return refused(session_id, refusalOf(ctx, { kind: 'failed', reason }))
  }
  const audience = resolveTarget(ctx, request)
  const asked = isObject(accessToken) ? readScope(accessToken.scope) : undefined
  const client = findClient(ctx, request.client_id)
  const grantable = (words: readonly string[]) => grantableScopes(client, audience, words, request.response_type)
  const scope = asked === undefined ? undefined : grantable(asked)
  const granted = scope ?? grantable(request.scope)
  const { scope: _, ...accessClaims } = isObject(accessToken) ? accessToken : {}
  return {
    session_id,
    claims: {
      id_token: customClaims(ctx, idToken, granted),
      access_token: customClaims(ctx, accessClaims, granted),
    },
    ...(scope === undefined ? {} : { scope }),
    ...(away === undefined ? {} : { redirect: away }),
    ...(isObject(multifactor) ? { multifactor: true } : {}),
  }
}

function refused(session_id: string, refusal: OAuthError): RulesOutcome {
  return { session_id, refusal, claims: { id_token: {}, access_token: {} } }
}

function refusalOf(ctx: Context, result: Exclude<RulesResult, { kind: 'passed' }>): OAuthError {
  if (result.kind === 'busy') return new OAuthError('temporarily_unavailable', 'Too many people sign in at the moment')
  if (result.kind === 'denied') {
    const { rule, message } = result
    return new OAuthError('access_denied', message.trim().slice(0, longestMessage) || 'Access denied', {
      explanation: {
        summary: `The rule ${rule} called back with an UnauthorizedError.`,
        fix: 'Change the rule, or sign in as somebody whom it lets in. The session stays, so the application must send prompt=login for that.',
        setting: 'rules[].script',
      },
    })
  }
  const { rule, reason } = result
  ctx.log.error({ rule, reason }, 'a rule failed')
  // What went wrong inside a rule is for the log alone: its words may hold what it was working with.
  const cause = new Error(rule === undefined ? `The rules failed: ${reason}` : `The rule ${rule} failed: ${reason}`)
  return new OAuthError('server_error', 'The sign-in could not be completed: a rule of the server failed', { cause })
}

function readRedirect(given: unknown): string | 'unusable' | undefined {
  if (!isObject(given)) return undefined
  const uri = typeof given.url === 'string' ? parseUri(given.url) : undefined
  if (uri === undefined || !/^https?:\/\/[^/?#]/i.test(uri.href)) return 'unusable'
  return uri.href
}

function readScope(given: unknown): readonly string[] | undefined {
  if (typeof given === 'string') return words(given)
  if (!Array.isArray(given)) return undefined
  return [...new Set(given.filter((word): word is string => typeof word === 'string'))]
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
