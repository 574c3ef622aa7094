/** Owns what travels between the server and a password worker. */
import type { Costs } from './encoded.ts'

export type Job =
  | { readonly kind: 'hash'; readonly secret: Uint8Array; readonly costs: Costs }
  /** True when any of the passwords matches; there are two where the typed text is not in normal form. */
  | { readonly kind: 'verify'; readonly encoded: string; readonly passwords: readonly (string | Uint8Array)[] }

export interface Done {
  readonly value: string | boolean
  /** What the work cost, without any wait. */
  readonly ms: number
}

export type Answer = Done | { readonly failure: string }
