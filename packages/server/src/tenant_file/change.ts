/** Owns what a plan would do to one record, and what of it may be shown. */
import { isDeepStrictEqual } from 'node:util'
import type { Aggregates } from '@latchkey/store'

export type RecordName =
  | 'tenant'
  | 'client'
  | 'resource server'
  | 'connection'
  | 'client grant'
  | 'rule'
  | 'rules config'
  | 'user'

export interface FieldChange {
  /** Nested names are joined by a dot. */
  readonly name: string
  /** Undefined for what was not there, and for secrets, whose values are never shown. */
  readonly before?: unknown
  readonly after?: unknown
}

export interface Change {
  readonly kind: RecordName
  /** What a person knows it by, such as a client's name or a user's address. */
  readonly name: string
  readonly id?: string
  readonly action: 'create' | 'update'
  /** Of an update. */
  readonly fields?: readonly FieldChange[]
}

/** A change with the way to make it. */
export interface PlannedChange extends Change {
  /** Slow work that must not be done while the database is locked, such as hashing. */
  readonly prepare?: () => Promise<void>
  readonly write: (store: Aggregates, now: number) => Promise<void>
}

type Fields = Readonly<Record<string, unknown>>

/** The fields in which a record differs, nested mappings by their own fields. `hidden` ones are named without their values. */
export function changedFields(before: object, after: object, hidden: readonly string[] = []): readonly FieldChange[] {
  const old = before as Fields
  const made = after as Fields
  return [...new Set([...Object.keys(old), ...Object.keys(made)])].flatMap((name) => {
    const [from, to] = [old[name], made[name]]
    if (isDeepStrictEqual(from, to)) return []
    if (hidden.includes(name)) return [{ name }]
    if (!isMapping(from) || !isMapping(to)) return [{ name, before: from, after: to }]
    return changedFields(from, to).map((field) => ({ ...field, name: `${name}.${field.name}` }))
  })
}

/** The record with what was given; a mapping is merged, anything else is replaced. */
export function merged<T extends object>(before: T, given: object): T {
  const entries = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const old = (before as Fields)[name]
      return [name, isMapping(old) && isMapping(value) ? merged(old, value) : value]
    })
  return { ...before, ...Object.fromEntries(entries) }
}

function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
