/** Owns what is said about a tenant file: where it is wrong, and what to change. */

/** The way to a value: keys of mappings and indexes of lists. */
export type Path = readonly (string | number)[]

/** A place in the file; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Something said about a place. */
export interface Remark extends Place {
  /** Such as `clients[0].callbacks[1]`; empty for the file as a whole. */
  readonly path: string
  /** What is wrong, and what to change. */
  readonly sentence: string
}

/** A key that is not supported yet. */
export interface IgnoredKey extends Place {
  readonly path: string
}

/** A tenant file that cannot be applied, with every problem at once. */
export class TenantFileError extends Error {
  override readonly name = 'TenantFileError'
  readonly problems: readonly Remark[]
  constructor(problems: readonly Remark[]) {
    super(problems.map(formatRemark).join('\n'))
    this.problems = problems
  }
}

export function formatRemark({ file, line, column, path, sentence }: Remark): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${sentence}`
}

export function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')
}
