/** Owns the reading of an authorization request: who asks, where the answer may go, and then the rest of it. */
import { isScopeText, OAuthError, type Parameters, sameWords, words } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { resolveTarget, targetOf } from './audience.ts'
import { type AuthenticationRequest, readAuthentication } from './authentication_request.ts'
import { type AuthorizationDetail, readAuthorizationDetails } from './authorization_details.ts'
import type { Context } from './context.ts'
import type { DeviceTarget } from './device/decision.ts'
import { readIdTokenHint } from './id_token_hint.ts'
import { type CodeChallenge, readCodeChallenge } from './pkce.ts'
import { isPrompt, type Prompt, prompts } from './prompts.ts'
import { readDpopJkt, refuseUnbound } from './proofs/sender.ts'
import { checkRedirectUri } from './redirect_uri.ts'
import { apisOf } from './resources.ts'
import {
  findResponseMode,
  meantMode,
  offeredResponseModes,
  popupMode,
  type ResponseMode,
} from './response_modes/index.ts'
import { findResponseType, isFrontChannel, isOfferedType, offeredResponseTypes } from './response_types/index.ts'
import { userOfSubject } from './subjects.ts'
import { isSwitchedOff, switchedOff } from './switched_off.ts'

/** Who asks, and where every answer goes from here on. */
export interface ResponseDestination {
  readonly client_id: string
  readonly redirect_uri: string
  readonly response_mode: string
  /** The answer is told to the window that opened this one, rather than put into the address. */
  readonly owp?: true
  /** The answer waits for a device, and the browser is sent nowhere. */
  readonly device?: DeviceTarget
  readonly state?: string
}

/** A request that passed every check; it is kept as JSON while a person signs in. */
export interface AuthorizationRequest extends ResponseDestination, AuthenticationRequest {
  readonly response_type: string
  readonly scope: readonly string[]
  readonly audience?: string
  /** Words of `resource`. */
  readonly resource?: string
  readonly authorization_details?: readonly AuthorizationDetail[]
  readonly nonce?: string
  readonly prompt: readonly Prompt[]
  readonly login_hint?: string
  readonly ui_locales?: string
  readonly screen_hint?: string
  readonly connection?: string
  /** The request named its redirect URI, so the exchange of its code must name it too. */
  readonly redirect_uri_given?: true
  readonly challenge?: CodeChallenge
  /** The key that the code will be bound to. */
  readonly dpop_jkt?: string
  /** The key under which the request was pushed; it is answered once. */
  readonly pushed?: string
  /** The one user whom the answer may be about, by `id_token_hint` or a claim `sub`. */
  readonly hinted_user_id?: string
  /** Every parameter as it was sent, for rules; kept where there are any. */
  readonly query?: Readonly<Record<string, string>>
}

/** How a request came, besides as parameters of an address. */
export interface RequestOrigin {
  readonly signed?: true
  /** The key under which it was pushed. */
  readonly pushed?: string
}

/** A request as parameters, however it came. */
export interface MeantRequest {
  readonly parameters: Parameters
  readonly origin: RequestOrigin
}

const maximumState = 8192
/** Characters of what is only shown or looked up: a request is written down while a person signs in, and must stay small. */
const longestKept = 1024

/**
 * The first look: until the client and the address for the answer are trusted, a failure is shown on our own page and never redirected.
 * @throws OAuthError for that page
 * @spec RFC 6749 §4.2.2.1
 */
export function readDestination(ctx: Context, parameters: Parameters): ResponseDestination {
  const client = findClient(ctx, parameters.get('client_id'))
  const redirect_uri = checkRedirectUri(client, parameters.get('redirect_uri'))
  const state = parameters.get('state')
  const response_mode = answerMode(ctx, parameters, redirect_uri).name
  const owp = parameters.get('owp') === 'true' && goesIntoAddress(response_mode) && popupMode.reaches(redirect_uri)
  return {
    client_id: client.client_id,
    redirect_uri,
    response_mode,
    ...(owp ? { owp } : {}),
    ...(state === undefined ? {} : { state }),
  }
}

function goesIntoAddress(response_mode: string): boolean {
  return response_mode === 'fragment' || response_mode === 'query'
}

/** @throws OAuthError when no client has this id */
export function findClient(ctx: Context, client_id: string | undefined): Client {
  if (client_id === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: client_id')
  const client = ctx.configuration.client(client_id)
  if (client === undefined) {
    throw new OAuthError('invalid_request', `Unknown client: ${client_id.slice(0, 100)}`, {
      explanation: {
        summary: `No application with the client_id ${client_id.slice(0, 100)} is configured for this tenant.`,
        fix: 'Copy the client_id from the application, or add the application to the tenant file and apply it.',
        setting: 'clients[].client_id',
      },
    })
  }
  return client
}

// Where even the refusal of a mode goes: to the mode asked for if it may carry this answer, else to the default of the response type.
function answerMode(ctx: Context, parameters: Parameters, redirect_uri: string): ResponseMode {
  const front = isFrontChannel(words(parameters.get('response_type')))
  const mode = offeredMode(ctx, parameters.get('response_mode') ?? '', front)
  if (mode?.reaches(redirect_uri) === true && (mode.carries_tokens || !front)) return mode
  // Whoever asked for a signed answer gets a signed refusal.
  const usual = front ? 'fragment' : 'query'
  const wrapped = mode?.wraps === undefined ? undefined : offeredMode(ctx, `${usual}.${mode.wraps}`, front)
  return wrapped ?? findResponseMode(usual) ?? raise()
}

function offeredMode(ctx: Context, name: string, front: boolean): ResponseMode | undefined {
  const meant = meantMode(name, front)
  const isOff = isSwitchedOff(ctx, 'response_modes', name) || isSwitchedOff(ctx, 'response_modes', meant)
  return isOff ? undefined : findResponseMode(meant)
}

function raise(): never {
  throw new Error('The list of response modes lacks fragment or query')
}

/**
 * The rest of the request. A failure from here on is told to the client, through the response mode.
 * @throws OAuthError for the client
 * @spec RFC 6749 §4.2.1
 * @spec OpenID Connect Core §3.1.2.1
 * @spec OpenID Connect Core §3.2.2.1
 */
export async function readRequest(
  ctx: Context,
  destination: ResponseDestination,
  parameters: Parameters,
  origin: RequestOrigin = {},
): Promise<AuthorizationRequest> {
  const client = findClient(ctx, destination.client_id)
  checkOrigin(client, origin)
  refuseUnsupported(parameters)
  const response_type = checkResponseType(ctx, client, parameters)
  checkResponseMode(ctx, parameters, response_type, destination.redirect_uri)
  const scope = checkScope(parameters, response_type)
  const nonce = checkNonce(parameters, response_type)
  const prompt = checkPrompt(parameters)
  const { sub, ...authentication } = readAuthentication(client, parameters, scope)
  checkState(destination.state)
  checkConnection(ctx, client, parameters.get('connection'))
  const audience = resolveTarget(ctx, targetOf(parameters))
  const hint = await readIdTokenHint(ctx, client.client_id, parameters.get('id_token_hint'))
  const hinted_user_id = await onePerson(ctx, client, sub, hint)
  const request: Record<string, unknown> = { ...destination, response_type, scope, prompt }
  const optional = {
    nonce,
    ...authentication,
    hinted_user_id,
    pushed: origin.pushed,
    ...(words(response_type).includes('code') ? codeBinding(client, parameters) : undefined),
    resource: parameters.get('resource'),
  }
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) request[name] = value
  if (parameters.has('authorization_details'))
    request.authorization_details = readAuthorizationDetails(client, apisOf(audience), parameters)
  for (const name of ['audience', 'login_hint', 'ui_locales', 'screen_hint', 'connection'] as const) {
    const value = parameters.get(name)
    if (value !== undefined) request[name] = value.slice(0, longestKept)
  }
  if (ctx.rules !== undefined) request.query = queryForRules(parameters)
  return request as unknown as AuthorizationRequest
}

/** What the exchange of the code must match. */
function codeBinding(client: Client, parameters: Parameters) {
  const challenge = readCodeChallenge(client, parameters)
  const dpop_jkt = readDpopJkt(parameters.get('dpop_jkt'))
  return { challenge, dpop_jkt, ...(parameters.has('redirect_uri') ? { redirect_uri_given: true } : {}) }
}

// A trip is kept in the database, where no token has a place.
function queryForRules(parameters: Parameters): Readonly<Record<string, string>> {
  return Object.fromEntries([...parameters].filter(([name]) => name !== 'id_token_hint'))
}

/**
 * What a client has promised of all its requests counts for each of them: otherwise anybody could send one in another way.
 * @spec RFC 9101 §10.5
 * @spec RFC 9126 §6
 */
function checkOrigin(client: Client, { signed, pushed }: RequestOrigin): void {
  if (client.require_pushed_authorization_requests === true && pushed === undefined)
    throw unpromised(client, 'The client must push its requests', 'require_pushed_authorization_requests')
  if (client.require_signed_request_object === true && signed !== true)
    throw unpromised(client, 'The client must sign its requests', 'require_signed_request_object')
}

function unpromised({ name }: Client, description: string, setting: string): OAuthError {
  return new OAuthError('invalid_request', description, {
    explanation: {
      summary: `${name} is registered with ${setting}, and this request did not come so.`,
      fix: 'Send the request as registered, or change the registration.',
      setting: `clients[].${setting}`,
    },
  })
}

// OpenID Connect Core §3.1.2.6: a feature that changes the meaning of the request is refused by name, never ignored.
function refuseUnsupported(parameters: Parameters): void {
  if (parameters.has('registration'))
    throw new OAuthError('registration_not_supported', 'The registration parameter is not supported')
}

function checkResponseType(ctx: Context, client: Client, parameters: Parameters): string {
  const text = parameters.get('response_type')
  if (text === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: response_type')
  const types = findResponseType(text)
  if (types === undefined) {
    throw new OAuthError(
      'unsupported_response_type',
      `Unsupported response_type: ${text.slice(0, 100)}. Supported: ${offeredResponseTypes(ctx).join(', ')}`,
    )
  }
  if (!isOfferedType(ctx, types))
    throw switchedOff('unsupported_response_type', 'response_types', types.map(({ name }) => name).join(' '))
  for (const { grant_type } of types) {
    if (grant_type !== undefined && !client.grant_types.includes(grant_type)) {
      throw new OAuthError('unauthorized_client', `Grant type ${grant_type} not allowed for the client`, {
        explanation: {
          summary: `The application ${client.name} may not use the grant type ${grant_type}.`,
          fix: `Add ${grant_type} to the application's grant types.`,
          setting: 'clients[].grant_types',
        },
      })
    }
  }
  if (types.some((type) => type.name === 'token')) refuseUnbound(client)
  const registered = client.response_types
  if (registered !== undefined && !registered.some((one) => sameWords(words(one), words(text))))
    throw new OAuthError('unauthorized_client', 'The client has not registered this response_type')
  return types.map((type) => type.name).join(' ')
}

function checkResponseMode(ctx: Context, parameters: Parameters, response_type: string, redirect_uri: string): void {
  const name = parameters.get('response_mode')
  if (name === undefined) return
  const mode = findResponseMode(name)
  if (mode === undefined) {
    throw new OAuthError(
      'invalid_request',
      `Unsupported response_mode: ${name.slice(0, 100)}. Supported: ${offeredResponseModes(ctx)
        .map((one) => one.name)
        .join(', ')}`,
    )
  }
  const front = isFrontChannel(words(response_type))
  if (offeredMode(ctx, name, front) === undefined) throw switchedOff('invalid_request', 'response_modes', name)
  // Multiple Response Type Encoding Practices §5: tokens must never be put in the query.
  if (!mode.carries_tokens && front)
    throw new OAuthError('invalid_request', `response_mode ${name} is not allowed for response_type ${response_type}`)
  if (!mode.reaches(redirect_uri))
    throw new OAuthError('invalid_request', `response_mode ${name} needs a redirect_uri that is http or https`)
}

function checkScope(parameters: Parameters, response_type: string): readonly string[] {
  const text = parameters.get('scope') ?? ''
  if (!isScopeText(text))
    throw new OAuthError('invalid_scope', 'scope must be words of printable ASCII separated by spaces')
  const scope = words(text)
  if (words(response_type).includes('id_token') && !scope.includes('openid')) {
    throw new OAuthError('invalid_request', 'response_type id_token needs the scope openid')
  }
  return scope
}

/**
 * A nonce is required wherever an ID token travels through the browser.
 * @spec OpenID Connect Core §3.2.2.1
 * @spec OpenID Connect Core §3.3.2.11
 */
function checkNonce(parameters: Parameters, response_type: string): string | undefined {
  const nonce = parameters.get('nonce')
  const asked = words(response_type)
  if (!asked.includes('id_token') && !asked.includes('code')) return undefined
  if (nonce === undefined && !asked.includes('id_token')) return undefined
  if (nonce === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: nonce')
  if (nonce.length > maximumState)
    throw new OAuthError('invalid_request', `nonce is longer than ${maximumState} characters`)
  return nonce
}

function checkState(state: string | undefined): void {
  if (state !== undefined && state.length > maximumState) {
    throw new OAuthError('invalid_request', `state is longer than ${maximumState} characters`)
  }
}

function checkPrompt(parameters: Parameters): readonly Prompt[] {
  const asked = words(parameters.get('prompt'))
  const known = asked.filter(isPrompt)
  if (known.length < asked.length)
    throw new OAuthError('invalid_request', `prompt must be one or more of: ${prompts.join(', ')}`)
  // OpenID Connect Core §3.1.2.1: none with any other value is an error.
  if (known.includes('none') && known.length > 1)
    throw new OAuthError('invalid_request', 'prompt none cannot be combined')
  return known
}

/** @spec OpenID Connect Core §5.5.1 */
async function onePerson(
  ctx: Context,
  { client_id }: Client,
  sub: string | undefined,
  hinted: string | undefined,
): Promise<string | undefined> {
  if (sub === undefined) return hinted
  const user_id = (await userOfSubject(ctx, client_id, sub)) ?? sub
  if (hinted !== undefined && user_id !== hinted)
    throw new OAuthError('login_required', 'id_token_hint and the claim sub name different users')
  return user_id
}

function checkConnection(ctx: Context, client: Client, name: string | undefined): void {
  const open = ctx.configuration.connectionsOf(client)
  if (name === undefined || open.some((one) => one.name === name)) return
  const known = ctx.configuration.connection(name) !== undefined
  throw new OAuthError(
    'invalid_request',
    known ? 'the connection is not enabled for this client' : 'the connection was not found',
  )
}
