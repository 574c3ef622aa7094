/** Owns the reading of what clients encrypt for this server: with one of our keys, and never unpacked. */
import { compactDecrypt } from 'jose/jwe/compact/decrypt'
import type { Context } from '../context.ts'
import { decryptionAlgs } from './algorithms.ts'
import { encryptionEncs } from './encryption.ts'

/** True for five parts, as only an encrypted text has. */
export function isEncrypted(text: string): boolean {
  return /^[\w-]+(\.[\w-]*){4}$/.test(text)
}

/**
 * What is inside; anybody can have encrypted it.
 * @returns undefined when it is not for us, was changed, or is compressed: unpacking what a stranger packed can take all the memory
 * there is
 * @spec RFC 7516 §5.2
 * @spec RFC 8725 §3.6
 */
export async function decrypt(ctx: Context, jwe: string): Promise<string | undefined> {
  try {
    const { plaintext } = await compactDecrypt(
      jwe,
      ({ alg, kid, zip }) => {
        const key = ctx.keys.decrypting(alg, kid)
        if (key === undefined || zip !== undefined) throw new Error('unknown key, or compressed')
        return key
      },
      { keyManagementAlgorithms: [...decryptionAlgs.keys()], contentEncryptionAlgorithms: [...encryptionEncs] },
    )
    return Buffer.from(plaintext).toString('utf8')
  } catch {
    return undefined
  }
}
