/** Owns the memory of the DPoP proofs that were used, so that each works once. */

export interface ProofMemory {
  /**
   * Takes a proof; only the first caller gets it. Several processes of one API share what they remember, or each counts for itself.
   * @param id a short text without a secret, the same for the same proof
   * @param ends_at when the proof counts no more by itself, in milliseconds since 1970
   * @throws when it cannot remember more: the request is then refused with 503
   */
  take(id: string, ends_at: number): boolean | Promise<boolean>
}

/** Proofs that are remembered at once: about 40 megabytes. */
const most = 500_000

/**
 * The memory of this process. Two sets take turns, so that what has ended is forgotten in one stroke.
 * @param clock milliseconds since 1970
 */
export function createProofMemory(clock: () => number, limit = most): ProofMemory {
  let current = new Set<string>()
  let previous = new Set<string>()
  /** When nothing of the previous set counts any more. */
  let previous_ends = 0
  let current_ends = 0
  return {
    take(id, ends_at) {
      if (clock() > previous_ends) {
        previous = current
        previous_ends = current_ends
        current = new Set()
        current_ends = 0
      }
      if (current.has(id) || previous.has(id)) return false
      if (current.size + previous.size >= limit) throw new Error(`More than ${limit} proofs count at once`)
      current.add(id)
      current_ends = Math.max(current_ends, ends_at)
      return true
    },
  }
}
