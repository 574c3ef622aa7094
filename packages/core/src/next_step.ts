/** Owns the one decision of a trip: which page comes next, or that it fails, or that the answer is issued. Pure. */
import { OAuthError } from '@latchkey/oauth'
import type { Prompt } from './prompts.ts'
import type { RulesOutcome } from './rules/rules.ts'

/** What is known of a trip when the decision is made. */
export interface Trip {
  readonly prompt: readonly Prompt[]
  readonly screen_hint?: string | undefined
  /** Seconds. */
  readonly max_age?: number | undefined
  readonly hinted_user_id?: string | undefined
  readonly now: number
  /** Who is signed in in this browser, if anyone. */
  readonly signed_in?:
    | {
        readonly user_id: string
        readonly auth_time: number
        readonly blocked: boolean
        /** The person signed in during this very trip. */
        readonly during_this_trip: boolean
        /** False where the session's connection is not one this client may use. */
        readonly allowed_connection: boolean
        /** The person picked this account during this very trip. */
        readonly chose_account: boolean
        /** The person said yes during this very trip. */
        readonly consented: boolean
        /** The sign-in is not of a class that was asked for: `essential` where it must be. */
        readonly shortfall?: 'essential' | 'wanted'
      }
    | undefined
  /** A yes counts for this one request alone: it is asked each time. */
  readonly asks_each_time?: true | undefined
  /** No stored yes covers the request, and it may not be skipped. */
  readonly consent_needed: boolean
  /** What the tenant's rules said, or that they have not run; undefined where it has none. */
  readonly rules?: 'pending' | Pick<RulesOutcome, 'refusal' | 'redirect' | 'multifactor'> | undefined
}

export type Page = 'login' | 'signup' | 'account' | 'consent'

export type Step =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'rules' }
  | { readonly kind: 'redirect'; readonly url: string }
  | { readonly kind: 'fail'; readonly error: OAuthError }
  | { readonly kind: 'issue' }

/**
 * @spec OpenID Connect Core §3.1.2.3
 * @spec OpenID Connect Core §3.1.2.6
 * @spec OpenID Connect Core §5.5.1.1
 */
export function nextStep(trip: Trip): Step {
  const silent = trip.prompt.includes('none')
  if (isSomebodyElse(trip) && trip.signed_in?.during_this_trip === true)
    return fail('login_required', 'Another user signed in')
  if (trip.signed_in?.shortfall === 'essential' && trip.signed_in.during_this_trip)
    return fail('unmet_authentication_requirements', 'The sign-in is not of the class asked for')
  if (mustSignIn(trip))
    return silent ? fail('login_required', 'Login required') : page(wantsSignup(trip) ? 'signup' : 'login')
  if (trip.signed_in?.blocked === true) return fail('access_denied', 'user is blocked')
  if (mustChoose(trip)) return page('account')
  const ruled = byRules(trip, silent)
  if (ruled !== undefined) return ruled
  if (mustConsent(trip)) return silent ? fail('consent_required', 'Consent required') : page('consent')
  return { kind: 'issue' }
}

// OpenID Connect Core §3.1.2.1: an answer about anyone but the user of id_token_hint must not be given.
function isSomebodyElse({ signed_in, hinted_user_id }: Trip): boolean {
  return hinted_user_id !== undefined && signed_in !== undefined && hinted_user_id !== signed_in.user_id
}

/** @spec Initiating User Registration via OpenID Connect §4 */
function wantsSignup({ screen_hint, prompt }: Trip): boolean {
  return screen_hint === 'signup' || prompt.includes('create')
}

function mustSignIn(trip: Trip): boolean {
  const { signed_in, max_age } = trip
  if (signed_in === undefined || !signed_in.allowed_connection || isSomebodyElse(trip)) return true
  if (signed_in.during_this_trip) return false
  if (trip.prompt.includes('login') || trip.prompt.includes('create')) return true
  // A class that is only wished for is no reason to fail where no page may be shown.
  if (signed_in.shortfall === 'essential' || (signed_in.shortfall === 'wanted' && !trip.prompt.includes('none')))
    return true
  // OpenID Connect Core §3.1.2.1: older than max_age means the person signs in again; 0 means always.
  return max_age !== undefined && (max_age === 0 || trip.now - signed_in.auth_time > max_age)
}

function mustChoose({ prompt, signed_in }: Trip): boolean {
  return prompt.includes('select_account') && signed_in?.chose_account !== true && signed_in?.during_this_trip !== true
}

function mustConsent({ prompt, signed_in, consent_needed, asks_each_time }: Trip): boolean {
  const asked = prompt.includes('consent') || asks_each_time === true
  return consent_needed || (asked && signed_in?.consented !== true)
}

// Rules come after the person and before consent: they may change what is granted, and so what must be asked.
function byRules({ rules }: Trip, silent: boolean): Step | undefined {
  if (rules === undefined) return undefined
  if (rules === 'pending') return { kind: 'rules' }
  if (rules.refusal !== undefined) return { kind: 'fail', error: rules.refusal }
  // There is no second factor yet. To go on without the one that a rule asks for would open what it closes.
  if (rules.multifactor === true)
    return fail(silent ? 'interaction_required' : 'access_denied', 'Multifactor authentication required')
  if (rules.redirect === undefined) return undefined
  return silent ? fail('interaction_required', 'Interaction required') : { kind: 'redirect', url: rules.redirect }
}

function page(name: Page): Step {
  return { kind: 'page', page: name }
}

function fail(
  code:
    | 'login_required'
    | 'consent_required'
    | 'interaction_required'
    | 'access_denied'
    | 'unmet_authentication_requirements',
  description: string,
): Step {
  return { kind: 'fail', error: new OAuthError(code, description) }
}
