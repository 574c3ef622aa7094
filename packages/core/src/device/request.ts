/** Owns the device authorization request: a device gets a code for itself and one for its person. */
import { isScopeText, OAuthError, words } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { resolveTarget, type Target, targetOf } from '../audience.ts'
import type { EndpointRequest } from '../client_auth/index.ts'
import { authenticateClient } from '../client_auth/index.ts'
import type { Context } from '../context.ts'
import { isSwitchedOff } from '../switched_off.ts'
import { deviceCodeGrant } from './grant_type.ts'
import { newUserCode } from './user_code.ts'

/** Seconds that a device code lives, and between two questions of the device. */
const lasts = 900
const interval = 5
/** Milliseconds that it is told afterwards what became of a code. */
const keptFor = 3_600_000
/** A code that another device shows at this time is drawn again. */
const tries = 5

/** What is kept with the code. */
export interface DeviceRequest extends Target {
  readonly scope: readonly string[]
}

/**
 * @returns the JSON of the answer
 * @throws OAuthError `unauthorized_client`, `invalid_scope` and others of RFC 6749 §5.2
 * @spec RFC 8628 §3.1
 * @spec RFC 8628 §3.2
 */
export async function authorizeDevice(ctx: Context, request: EndpointRequest): Promise<Record<string, unknown>> {
  checkDevicesServed(ctx)
  const client = await authenticateClient(ctx, request)
  if (!client.grant_types.includes(deviceCodeGrant)) throw notAllowed(client)
  const asked = readDeviceRequest(ctx, request)
  const device_code = ctx.random(32)
  const user_code = await writeCodes(ctx, client, device_code, asked)
  return {
    device_code,
    user_code,
    verification_uri: `${ctx.issuer}activate`,
    verification_uri_complete: `${ctx.issuer}activate?user_code=${user_code}`,
    expires_in: lasts,
    interval,
  }
}

/** What discovery does not announce is not there. @throws OAuthError `endpoint_disabled` */
export function checkDevicesServed(ctx: Pick<Context, 'configuration'>): void {
  if (isSwitchedOff(ctx, 'grant_types', deviceCodeGrant))
    throw new OAuthError('endpoint_disabled', 'Devices cannot sign in here')
}

function readDeviceRequest(ctx: Context, { parameters }: EndpointRequest): DeviceRequest {
  const scope = parameters.get('scope') ?? ''
  const target = targetOf(parameters)
  if (!isScopeText(scope))
    throw new OAuthError('invalid_scope', 'scope must be words of printable ASCII separated by spaces')
  resolveTarget(ctx, target)
  return { scope: words(scope), ...target }
}

async function writeCodes(ctx: Context, client: Client, device_code: string, asked: DeviceRequest): Promise<string> {
  const now = ctx.now()
  const ends_at = now + lasts * 1000
  const { client_id } = client
  const row = { client_id, request: JSON.stringify(asked), ends_at, kept_until: ends_at + keptFor }
  for (let left = tries; left > 0; left--) {
    const user_code = newUserCode(ctx.random)
    if (await ctx.store.deviceCodes.create({ device_code, user_code }, { ...row, poll_interval: interval }, now))
      return user_code
  }
  throw new OAuthError('temporarily_unavailable', 'There is no free code at the moment. Ask again')
}

function notAllowed(client: Client): OAuthError {
  return new OAuthError('unauthorized_client', 'The client may not use the device flow', {
    explanation: {
      summary: `The application ${client.name} may not use the grant type ${deviceCodeGrant}.`,
      fix: `Add ${deviceCodeGrant} to the application's grant types.`,
      setting: 'clients[].grant_types',
    },
  })
}
