/** Owns the grant of RFC 8628: a device asks until its person has decided elsewhere. */
import { OAuthError } from '@latchkey/oauth'
import type { DeviceCode, User } from '@latchkey/store'
import type { Context } from '../context.ts'
import { deviceCodeGrant } from '../device/grant_type.ts'
import { AlreadyTaken, defineGrant, type Granted } from '../grant.ts'
import { boundTo } from '../proofs/sender.ts'
import { beginFamily, isRefreshable } from '../refresh.ts'
import { forTarget } from '../resources.ts'
import { restoreAuthorization } from '../stored_authorization.ts'

const invalid = () => new OAuthError('invalid_grant', 'Invalid device code')
const denied = (why: string) => new OAuthError('access_denied', why, { status: 400 })

/**
 * @spec RFC 8628 §3.4
 * @spec RFC 8628 §3.5
 */
export const deviceCode = defineGrant({
  type: deviceCodeGrant,
  async authorize(ctx, client, { parameters, confirmation }): Promise<Granted> {
    const device_code = parameters.get('device_code')
    if (device_code === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: device_code')
    const row = await ctx.store.deviceCodes.peek(device_code)
    if (row === undefined || row.client_id !== client.client_id || row.used) throw invalid()
    if (row.ends_at <= ctx.now()) throw new OAuthError('expired_token', 'The device code has expired. Begin again')
    if (row.decision === undefined) throw await notYet(ctx, device_code)
    if (row.decision === 'denied' || row.authorization === undefined) throw denied('The person said no')
    const authorization = boundTo(await restore(ctx, row, row.authorization), confirmation)
    const { lineage = ctx.random(16) } = authorization
    const begun = isRefreshable(authorization) ? beginFamily(ctx, authorization, lineage) : undefined
    return {
      // Without `asked` the answer always tells the scope, as Auth0 does here.
      authorization: forTarget(ctx, authorization, parameters),
      ...(begun === undefined ? {} : { refresh_token: begun.refresh_token }),
      async take(store) {
        const now = ctx.now()
        if (!(await store.deviceCodes.take(device_code, now))) throw new AlreadyTaken()
        // Who was blocked or has a new password since the look is told so by the next one.
        const person = await store.users.find(authorization.user.user_id)
        if (person === undefined || person.blocked || changedSince(person, row)) throw new AlreadyTaken()
        if (begun !== undefined) await store.refreshTokens.create(begun.family, begun.refresh_token, now)
      },
    }
  },
})

async function notYet(ctx: Context, device_code: string): Promise<OAuthError> {
  if (await ctx.store.deviceCodes.poll(device_code, ctx.now()))
    return new OAuthError('authorization_pending', 'The person has not decided yet')
  return new OAuthError('slow_down', 'Asked too early: wait five seconds longer from now on')
}

async function restore(ctx: Context, row: DeviceCode, text: string) {
  const authorization = await restoreAuthorization(ctx, text)
  if (changedSince(authorization.user, row)) throw denied('The password has changed since')
  return authorization
}

/** A new password ends what was allowed under the old one. */
function changedSince({ password_changed_at = 0 }: User, { decided_at = 0 }: DeviceCode): boolean {
  return password_changed_at > decided_at
}
