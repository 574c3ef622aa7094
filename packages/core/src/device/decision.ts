/** Owns what a person says to a device: the trip in which it is said, and what comes of a yes or a no. */
import type { PendingDevice, SignedIn } from '@latchkey/store'
import type { PersonalAuthorization } from '../authorization.ts'
import type { AuthorizationRequest } from '../authorization_request.ts'
import type { Decision } from '../authorize.ts'
import type { Context } from '../context.ts'
import { storeAuthorization } from '../stored_authorization.ts'
import type { DeviceRequest } from './request.ts'

/** The device that a trip is for, in the place of a redirect URI. */
export interface DeviceTarget {
  readonly device_id: string
  /** What the device shows to its person, sealed: the trip is kept in the database. */
  readonly user_code: string
}

/**
 * The trip of the person who typed the code: the usual pages, and the question on the last of them is always asked.
 * @spec RFC 8628 §3.3
 */
export function deviceTrip(ctx: Context, pending: PendingDevice, user_code: string): AuthorizationRequest {
  const { scope, ...target } = JSON.parse(pending.request) as DeviceRequest
  return {
    client_id: pending.client_id,
    // Nobody is sent there: the answer waits for the device.
    redirect_uri: `${ctx.issuer}activate`,
    response_mode: 'query',
    response_type: 'device_code',
    scope,
    ...target,
    prompt: ['consent'],
    device: { device_id: pending.device_id, user_code: ctx.store.vault.seal(user_code) },
  }
}

/** The code that the person must see on the device. */
export function shownCode(ctx: Context, { user_code }: DeviceTarget): string {
  return ctx.store.vault.open(user_code)
}

/**
 * The person said yes. The device is no part of the session that said it, and outlives it.
 * @returns false when the code is over, or something was said before
 */
export function allowDevice(
  ctx: Context,
  { device_id }: DeviceTarget,
  { client, audience, scope, claims }: Decision,
  { user }: SignedIn,
): Promise<boolean> {
  const authorization: PersonalAuthorization = {
    ...{ client, user, audience, scope },
    ...{ response_type: [], tell_auth_time: false, lineage: ctx.random(16) },
    ...(claims === undefined ? {} : { claims }),
  }
  const decision = { decision: 'allowed', authorization: storeAuthorization(authorization) } as const
  return ctx.store.deviceCodes.decide(device_id, decision, ctx.now())
}

/** The person said no. */
export function denyDevice(ctx: Context, { device_id }: DeviceTarget): Promise<boolean> {
  return ctx.store.deviceCodes.decide(device_id, { decision: 'denied' }, ctx.now())
}
