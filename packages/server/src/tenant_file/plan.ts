/** Owns turning a tenant file into a plan: what would change, what is not supported, and the one act that carries it out. */
import type { Store } from '@latchkey/store'
import type { Change } from './change.ts'
import { readDocument, type TenantDocument } from './document.ts'
import { type Draft, type DraftOptions, newDraft } from './draft.ts'
import { type IgnoredKey, type Path, pathText, type Remark, TenantFileError } from './problems.ts'
import { recordKinds } from './records/index.ts'
import type { AnyRecordKind, Entry } from './records/record.ts'
import { checkShape, isEmpty } from './schema_problems.ts'
import { TenantChanged } from './tenant_changed.ts'

export interface PlanOptions extends Omit<DraftOptions, 'existing_users'> {
  /** The file's name, for messages. */
  readonly file?: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** By default `update`. */
  readonly existing_users?: DraftOptions['existing_users']
}

export interface Plan {
  readonly changes: readonly Change[]
  /** Keys of the file that are not supported yet. */
  readonly ignored: readonly IgnoredKey[]
  /** What can be applied, but had better be another way. */
  readonly warnings: readonly Remark[]
  /**
   * Carries the plan out: everything, or nothing.
   * @throws TenantChanged when the tenant is no longer what the plan was made for
   * @throws UserExists when somebody took an address meanwhile
   */
  apply(): Promise<void>
}

/**
 * Reads a tenant file, in the format of Auth0's Deploy CLI, and works out what it would change. Nothing is written, and nothing is
 * ever deleted.
 * @throws TenantFileError with every problem in the file
 */
export async function planTenant(text: string, options: PlanOptions): Promise<Plan> {
  const { file = 'tenant.yaml', keywords, store, now, existing_users = 'update' } = options
  const document = readDocument(file, text, keywords)
  const configuration = await store.configuration.read()
  const draft = newDraft(configuration, { ...options, existing_users })
  const remarks = newRemarks(document)
  const supported = new Set(recordKinds.map(({ key }) => key))
  for (const [key, value] of Object.entries(document.root)) {
    if (!supported.has(key) && !isEmpty(value)) remarks.ignore([key])
  }
  for (const kind of recordKinds) await planKind(kind, document, draft, remarks)
  if (remarks.problems.length > 0) throw new TenantFileError(remarks.problems.toSorted(byPlace))
  return {
    changes: draft.changes,
    ignored: outermost(remarks.ignored).toSorted(byPlace),
    warnings: remarks.warnings.toSorted(byPlace),
    apply: () => applyChanges(draft, store, configuration.version, now),
  }
}

/** Passwords that are hashed at a time: enough for every thread, few enough for the logins beside them. */
const atOnce = 8

async function applyChanges({ changes }: Draft, store: Store, version: number, now: () => number): Promise<void> {
  if (changes.length === 0) return
  for (let from = 0; from < changes.length; from += atOnce)
    await Promise.all(changes.slice(from, from + atOnce).map(({ prepare }) => prepare?.()))
  await store.atomically(async (trx) => {
    const at = now()
    if ((await trx.configuration.version()) !== version) throw new TenantChanged()
    await trx.configuration.ensureTenant(at)
    for (const { write } of changes) await write(trx, at)
    // Running servers keep the configuration in memory, but not people.
    if (changes.some(({ kind }) => kind !== 'user')) await trx.configuration.touch(at)
  })
}

/** Of a record that is ignored as a whole, its fields need no line of their own. */
function outermost(ignored: readonly IgnoredKey[]): readonly IgnoredKey[] {
  const paths = ignored.map(({ path }) => path)
  return ignored.filter(
    ({ path }) => !paths.some((outer) => path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`)),
  )
}

function byPlace(a: IgnoredKey, b: IgnoredKey): number {
  return a.line - b.line || a.column - b.column
}

interface Remarks {
  readonly problems: Remark[]
  readonly warnings: Remark[]
  readonly ignored: IgnoredKey[]
  problem(path: Path, sentence: string): void
  warn(path: Path, sentence: string): void
  ignore(path: Path): void
}

function newRemarks({ locate }: TenantDocument): Remarks {
  const problems: Remark[] = []
  const warnings: Remark[] = []
  const ignored: IgnoredKey[] = []
  const at = (path: Path) => ({ ...locate(path), path: pathText(path) })
  return {
    ...{ problems, warnings, ignored },
    problem: (path, sentence) => void problems.push({ ...at(path), sentence }),
    warn: (path, sentence) => void warnings.push({ ...at(path), sentence }),
    ignore: (path) => void ignored.push(at(path)),
  }
}

async function planKind(kind: AnyRecordKind, { root }: TenantDocument, draft: Draft, remarks: Remarks): Promise<void> {
  const given = Object.hasOwn(root, kind.key) ? root[kind.key] : undefined
  if (given === undefined || given === null) return
  if (kind.single === true) return planEntry(kind, given, [kind.key], draft, remarks)
  if (!Array.isArray(given)) {
    remarks.problem([kind.key], 'This must be a list.')
    return
  }
  for (const [index, item] of given.entries()) await planEntry(kind, item, [kind.key, index], draft, remarks)
}

async function planEntry(
  kind: AnyRecordKind,
  given: unknown,
  path: Path,
  draft: Draft,
  remarks: Remarks,
): Promise<void> {
  const before = remarks.problems.length
  const { value, ignored, faults } = checkShape(kind.schema, given)
  for (const more of ignored) remarks.ignore([...path, ...more])
  for (const fault of faults) remarks.problem([...path, ...fault.path], fault.sentence)
  const entry: Entry<unknown> = {
    value,
    problem: (more, sentence) => remarks.problem([...path, ...more], sentence),
    warning: (more, sentence) => remarks.warn([...path, ...more], sentence),
    ignored: (more) => remarks.ignore([...path, ...more]),
  }
  // The schema has been held against it, so it is what the kind expects.
  if (faults.length === 0) await kind.plan(entry as Entry<never>, draft)
  if (remarks.problems.length === before) return
  for (const name of kind.names ?? []) {
    const text = (value as Readonly<Record<string, unknown>> | undefined)?.[name]
    if (typeof text === 'string') draft.broken.add(text)
  }
}
