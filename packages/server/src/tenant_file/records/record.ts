/** Owns the shape of a kind of record: its key in the file, its schema, and how one entry becomes part of the plan. */
import type { Static, TSchema } from 'typebox'
import type { Draft } from '../draft.ts'
import type { Path } from '../problems.ts'

/** One entry of the file, with a way to say something about it. */
export interface Entry<T> {
  readonly value: T
  /** @param path from this entry on */
  problem(path: Path, sentence: string): void
  warning(path: Path, sentence: string): void
  ignored(path: Path): void
}

export interface RecordKind<S extends TSchema> {
  /** The key in the file. */
  readonly key: string
  /** True where the key holds one mapping; otherwise it holds a list of them. */
  readonly single?: true
  /** Of one entry. */
  readonly schema: S
  /** The fields that other records refer to it by. */
  readonly names?: readonly string[]
  plan(entry: Entry<Static<S>>, draft: Draft): void | Promise<void>
}

/** A kind of record as the list holds it. */
export interface AnyRecordKind extends Omit<RecordKind<TSchema>, 'plan'> {
  plan(entry: Entry<never>, draft: Draft): void | Promise<void>
}

export function defineRecord<S extends TSchema>(kind: RecordKind<S>): RecordKind<S> {
  return kind
}
