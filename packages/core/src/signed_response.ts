/** Owns the answer to an authorization request as a signed JWT. */
import type { Client } from '@latchkey/store'
import { type Context, seconds } from './context.ts'
import type { ResponseParameters } from './response_types/response_type.ts'
import { makeFor } from './tokens/for_client.ts'

/** Seconds. @spec JARM §2.1 */
const lasts = 600

/**
 * @returns the one parameter that travels
 * @spec JARM §2.1
 * @spec JARM §2.2
 */
export async function signResponse(
  ctx: Context,
  client: Client,
  parameters: ResponseParameters,
): Promise<ResponseParameters> {
  const response = await makeFor(ctx, client, 'authorization', 'JWT', {
    ...parameters,
    iss: ctx.issuer,
    aud: client.client_id,
    exp: seconds(ctx.now()) + lasts,
  })
  return { response }
}
