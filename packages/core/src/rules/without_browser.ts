/** Owns the rules of a tenant where a person signs in without a browser: nobody may come in there whom they keep out elsewhere. */
import { OAuthError } from '@latchkey/oauth'
import type { Client, User } from '@latchkey/store'
import { type Context, seconds } from '../context.ts'
import type { CustomClaims, RunRules } from './rules.ts'
import { runRules } from './run.ts'

/** What a grant knows of the person's request. */
export interface DirectSignIn {
  readonly client: Client
  readonly user: User
  readonly scope: readonly string[]
  /** The API's identifier. */
  readonly audience?: string
  /** As Auth0's rules know it, such as `oauth2-password`. */
  readonly protocol: string
  readonly amr: readonly string[]
  readonly ip: string
  readonly user_agent: string
}

/**
 * @returns the scopes to grant and the claims of rules; what was asked for where the tenant has no rules
 * @throws OAuthError when a rule refuses, or asks for something that needs a browser
 */
export async function ruledWithoutBrowser(
  ctx: Context,
  sign_in: DirectSignIn,
): Promise<{ readonly scope: readonly string[]; readonly claims?: CustomClaims }> {
  const { rules } = ctx
  const { client, user, scope, audience, ip, user_agent, protocol, amr } = sign_in
  if (rules === undefined) return { scope }
  const request = {
    ...{ client_id: client.client_id, redirect_uri: '', response_mode: '', response_type: 'code', scope, prompt: [] },
    ...(audience === undefined ? {} : { audience }),
  }
  const now = ctx.now()
  const session = {
    session_id: '',
    user_id: user.user_id,
    auth_time: seconds(now),
    amr,
    created_at: now,
    seen_at: now,
    idle_ends_at: now,
    ends_at: now,
  }
  const visit = { ip, user_agent, during_this_trip: true }
  const outcome = await runRules(ctx, named(rules, protocol), request, { session, user }, visit)
  if (outcome.refusal !== undefined) throw outcome.refusal
  if (outcome.multifactor === true) throw needsBrowser('Multifactor authentication required')
  if (outcome.redirect !== undefined) throw needsBrowser('Interaction required')
  return { scope: outcome.scope ?? scope, claims: outcome.claims }
}

function named(rules: RunRules, protocol: string): RunRules {
  return ({ user, context: { sessionID: _, ...context } }) => rules({ user, context: { ...context, protocol } })
}

function needsBrowser(description: string): OAuthError {
  return new OAuthError('access_denied', description, {
    explanation: {
      summary: 'A rule asks for something that only a browser can show.',
      fix: 'Let the person sign in at /authorize, or change the rule for this protocol.',
      setting: 'rules[].script',
    },
  })
}
