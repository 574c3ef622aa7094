/** Owns the rotation of signing keys from outside a running server. */
import type { Store } from '@latchkey/store'
import type { Config } from '../config.ts'
import { AdministrationError, type Source } from './open.ts'

export interface RotatedKey {
  readonly alg: string
  /** The key that signs now. */
  readonly kid: string
}

/**
 * Rotates the signing keys: the next ones sign, the current ones still verify, older ones no longer count.
 * @param alg one algorithm; without it every algorithm that has keys
 * @throws AdministrationError when there is nothing to rotate, or another process rotated at the same time
 */
export async function rotateSigningKeys(
  config: Config,
  store: Store,
  { now, alg }: Pick<Source, 'now'> & { readonly alg?: string | undefined },
): Promise<readonly RotatedKey[]> {
  const { rotateKeys } = await import('@latchkey/core')
  const keys = await store.signingKeys.list()
  const there = [...new Set(keys.filter(({ state }) => state === 'current').map((key) => key.alg))]
  if (there.length === 0)
    throw new AdministrationError('The tenant has no signing keys yet: they are made when the server first starts.')
  if (alg !== undefined && !there.includes(alg))
    throw new AdministrationError(`The tenant has no keys for ${alg}: it has keys for ${there.join(', ')}.`)
  const [canonical] = config.issuer
  const subject = canonical === undefined ? 'latchkey' : new URL(canonical).hostname
  const rotated: RotatedKey[] = []
  for (const one of alg === undefined ? there : [alg]) {
    const kid = await rotateKeys(store, one, subject, now())
    if (kid === undefined)
      throw new AdministrationError(
        `The keys for ${one} were rotated by another process just now: they stay as they are.`,
      )
    rotated.push({ alg: one, kid })
  }
  return rotated
}
