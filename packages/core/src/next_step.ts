/** Owns the one decision of a trip: which page comes next, or that it fails, or that the answer is issued. Pure. */
import { OAuthError } from '@latchkey/oauth'
import type { Prompt } from './prompts.ts'

/** What is known of a trip when the decision is made. */
export interface Trip {
  readonly prompt: readonly Prompt[]
  readonly screen_hint?: string
  /** Seconds. */
  readonly max_age?: number
  readonly hinted_user_id?: string
  readonly now: number
  /** Who is signed in in this browser, if anyone. */
  readonly signed_in?: {
    readonly user_id: string
    readonly auth_time: number
    readonly blocked: boolean
    /** The person signed in during this very trip. */
    readonly during_this_trip: boolean
    /** False where the session's connection is not one this client may use. */
    readonly allowed_connection: boolean
  }
  readonly account_chosen: boolean
  readonly consent_needed: boolean
  /** The person said yes during this very trip. */
  readonly consented: boolean
}

export type Page = 'login' | 'signup' | 'account' | 'consent'

export type Step =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'fail'; readonly error: OAuthError }
  | { readonly kind: 'issue' }

/**
 * @spec OpenID Connect Core §3.1.2.3
 * @spec OpenID Connect Core §3.1.2.6
 */
export function nextStep(trip: Trip): Step {
  const silent = trip.prompt.includes('none')
  if (mustSignIn(trip))
    return silent ? fail('login_required', 'Login required') : page(trip.screen_hint === 'signup' ? 'signup' : 'login')
  if (trip.signed_in?.blocked === true) return fail('access_denied', 'user is blocked')
  if (mustChoose(trip)) return page('account')
  if (mustConsent(trip)) return silent ? fail('consent_required', 'Consent required') : page('consent')
  return { kind: 'issue' }
}

function mustSignIn({ signed_in, ...trip }: Trip): boolean {
  if (signed_in === undefined || !signed_in.allowed_connection) return true
  if (trip.hinted_user_id !== undefined && trip.hinted_user_id !== signed_in.user_id) return true
  if (signed_in.during_this_trip) return false
  if (trip.prompt.includes('login')) return true
  // OpenID Connect Core §3.1.2.1: older than max_age means the person signs in again; 0 means always.
  return trip.max_age !== undefined && (trip.max_age === 0 || trip.now - signed_in.auth_time > trip.max_age)
}

function mustChoose(trip: Trip): boolean {
  return trip.prompt.includes('select_account') && !trip.account_chosen && trip.signed_in?.during_this_trip !== true
}

function mustConsent(trip: Trip): boolean {
  return !trip.consented && (trip.consent_needed || trip.prompt.includes('consent'))
}

function page(name: Page): Step {
  return { kind: 'page', page: name }
}

function fail(code: 'login_required' | 'consent_required' | 'access_denied', description: string): Step {
  return { kind: 'fail', error: new OAuthError(code, description) }
}
