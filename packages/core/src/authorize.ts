/**
 * Owns the authorization endpoint's path from a request to an answer: judge, decide, collect the parts, answer. The pages and the
 * sessions are others'; they come back to `decide` after every step.
 */
import { OAuthError, sameWords, words } from '@latchkey/oauth'
import type { Client, SignedIn } from '@latchkey/store'
import { acrOf } from './acr.ts'
import { grantableScopes, resolveTarget } from './audience.ts'
import { shortfall, toldOfSignIn } from './authentication_request.ts'
import type { Audience, PersonalAuthorization } from './authorization.ts'
import { type AuthorizationRequest, findClient, type ResponseDestination } from './authorization_request.ts'
import { askedScopes, claimsWithin, type RequestedClaims } from './claims_request.ts'
import { maySkip, needsConsent } from './consent.ts'
import { type Context, seconds } from './context.ts'
import { nextStep, type Step } from './next_step.ts'
import { grantsOf } from './resources.ts'
import { type AuthorizationResponse, findResponseMode, popupMode } from './response_modes/index.ts'
import { findResponseType, isOfferedType } from './response_types/index.ts'
import type { ResponseParameters } from './response_types/response_type.ts'
import type { CustomClaims, RulesOutcome } from './rules/rules.ts'
import { rememberClient } from './session_clients.ts'
import { sessionState } from './session_state.ts'
import { signResponse } from './signed_response.ts'
import { switchedOff } from './switched_off.ts'

/** How far a browser has come with a request. */
export interface Progress {
  readonly signed_in?: SignedIn
  /** The steps taken during this trip, each by the id of the session that took it; another person's step counts for nothing. */
  readonly authenticated?: string
  readonly account_chosen?: string
  readonly consented?: string
  /** What the rules said during this trip. */
  readonly rules?: RulesOutcome
}

export interface Decision {
  readonly step: Step
  readonly client: Client
  readonly audience: Audience
  /** What will be granted. */
  readonly scope: readonly string[]
  /** What the person is asked about: the scopes of single claims are among it. */
  readonly asked_scope: readonly string[]
  readonly requested_claims?: RequestedClaims
  /** Of rules. */
  readonly claims?: CustomClaims
}

/** Gathers what the decision needs, and makes it. */
export async function decide(ctx: Context, request: AuthorizationRequest, progress: Progress): Promise<Decision> {
  const client = findClient(ctx, request.client_id)
  const audience = resolveTarget(ctx, request)
  const { signed_in } = progress
  const rules = ctx.rules === undefined ? undefined : outcomeOf(progress)
  const outcome = rules === 'pending' ? undefined : rules
  const scope = outcome?.scope ?? grantableScopes(client, audience, request.scope, request.response_type)
  const requested_claims = claimsWithin(request.claims, outcome?.scope)
  const asked_scope = askedScopes(scope, requested_claims)
  const step = nextStep({
    prompt: request.prompt,
    now: seconds(ctx.now()),
    consent_needed:
      signed_in !== undefined &&
      rules !== 'pending' &&
      (await asks(ctx, client, request, audience, asked_scope, signed_in.user.user_id)),
    rules,
    asks_each_time: request.authorization_details === undefined ? undefined : true,
    screen_hint: request.screen_hint,
    max_age: request.max_age,
    hinted_user_id: request.hinted_user_id,
    signed_in: signed_in === undefined ? undefined : facts(ctx, client, request, progress, signed_in),
  })
  return {
    ...{ step, client, audience, scope, asked_scope },
    ...(requested_claims === undefined ? {} : { requested_claims }),
    ...(outcome === undefined ? {} : { claims: outcome.claims }),
  }
}

// An outcome about another session is none.
function outcomeOf({ rules, signed_in }: Progress): RulesOutcome | 'pending' {
  return rules === undefined || rules.session_id !== signed_in?.session.session_id ? 'pending' : rules
}

function facts(
  ctx: Context,
  client: Client,
  request: AuthorizationRequest,
  progress: Progress,
  { session, user }: SignedIn,
) {
  const open = ctx.configuration.connectionsOf(client).map((one) => one.name)
  const lacks = shortfall(request, acrOf(session.amr))
  return {
    user_id: user.user_id,
    auth_time: session.auth_time,
    blocked: user.blocked,
    during_this_trip: progress.authenticated === session.session_id,
    chose_account: progress.account_chosen === session.session_id,
    consented: progress.consented === session.session_id,
    ...(lacks === undefined ? {} : { shortfall: lacks }),
    allowed_connection:
      open.includes(user.connection) && (request.connection === undefined || request.connection === user.connection),
  }
}

async function asks(
  ctx: Context,
  client: Client,
  request: AuthorizationRequest,
  audience: Audience,
  scope: readonly string[],
  user_id: string,
): Promise<boolean> {
  const { redirect_uri } = request
  if (maySkip({ client, redirect_uri, audience })) return false
  for (const one of grantsOf(audience, scope)) {
    const allowed = await ctx.store.grants.scope(user_id, client.client_id, one.audience)
    if (needsConsent({ client, redirect_uri, audience, scope: one.scope, allowed })) return true
  }
  return false
}

/**
 * Collects the parts of a successful answer.
 * @spec RFC 6749 §4.1.2
 * @spec RFC 6749 §4.2.2
 * @spec OpenID Connect Core §3.2.2.5
 * @spec OpenID Connect Core §3.3.2.5
 * @spec RFC 9207 §2
 * @spec OpenID Connect Session Management §2
 */
export async function issue(
  ctx: Context,
  request: AuthorizationRequest,
  decision: Decision,
  { session, user }: SignedIn,
): Promise<AuthorizationResponse> {
  const response_type = words(request.response_type)
  const types = findResponseType(request.response_type) ?? []
  // Switched off while the person signed in is switched off.
  if (!isOfferedType(ctx, types))
    throw switchedOff('unsupported_response_type', 'response_types', request.response_type)
  const authorization: PersonalAuthorization = {
    client: decision.client,
    user,
    session: { session_id: session.session_id, auth_time: session.auth_time, amr: session.amr },
    audience: decision.audience,
    scope: decision.scope,
    asked: request.scope,
    response_type,
    ...(response_type.includes('code') ? { lineage: ctx.random(16) } : {}),
    ...toldOfSignIn(decision.client, request, request.prompt.includes('login')),
    ...(decision.requested_claims === undefined ? {} : { requested_claims: decision.requested_claims }),
    ...(request.authorization_details === undefined ? {} : { authorization_details: request.authorization_details }),
    ...(request.nonce === undefined ? {} : { nonce: request.nonce }),
    ...(decision.claims === undefined ? {} : { claims: decision.claims }),
  }
  let parameters: ResponseParameters = {}
  for (const type of types) {
    parameters = { ...parameters, ...(await type.parts(ctx, authorization, parameters, request)) }
  }
  // RFC 6749 §3.3: the granted scopes are told when they are not those asked for.
  const granted = parameters.scope ?? decision.scope.join(' ')
  if (parameters.access_token !== undefined && !sameWords(words(granted), request.scope)) {
    parameters = { ...parameters, scope: granted }
  }
  await rememberClient(ctx, decision.client, session)
  const session_state = sessionState(ctx, request, session)
  if (session_state !== undefined) parameters = { ...parameters, session_state }
  return respond(ctx, request, parameters)
}

/** @spec RFC 6749 §4.2.2.1 */
export function refuse(
  ctx: Context,
  destination: ResponseDestination,
  error: OAuthError,
): Promise<AuthorizationResponse> {
  return respond(ctx, destination, { error: error.code, error_description: error.description })
}

async function respond(
  ctx: Context,
  destination: ResponseDestination,
  parameters: ResponseParameters,
): Promise<AuthorizationResponse> {
  const mode = destination.owp === true ? popupMode : findResponseMode(destination.response_mode)
  if (mode === undefined) throw new OAuthError('server_error', 'The response mode is not known')
  const client = findClient(ctx, destination.client_id)
  const { redirect_uri, state } = destination
  const answer = { ...parameters, ...(state === undefined ? {} : { state }), iss: ctx.issuer }
  return mode.respond(
    { redirect_uri, web_origins: client.web_origins },
    mode.wraps === undefined ? answer : await signResponse(ctx, client, answer),
  )
}
