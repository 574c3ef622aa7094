/** Owns how a plan reads for a person. */
import type { Change, FieldChange } from './change.ts'
import type { Plan } from './plan.ts'
import { formatRemark, type IgnoredKey } from './problems.ts'

const longestValue = 60

/**
 * @param state whether the plan was carried out
 * @returns several lines, without a break at the end
 */
export function formatPlan(
  { changes, ignored, warnings }: Pick<Plan, 'changes' | 'ignored' | 'warnings'>,
  state: 'planned' | 'applied' = 'planned',
): string {
  const parts = [
    changes.map(formatChange).join('\n'),
    section('Worth a look:', warnings.map(formatRemark)),
    section('Not supported yet, and ignored:', formatIgnored(ignored)),
    summary(changes, state),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => `  ${line}`)].join('\n')
}

function summary(changes: readonly Change[], state: 'planned' | 'applied'): string {
  if (changes.length === 0) return 'Nothing to change.'
  const done = state === 'applied'
  const count = (action: Change['action']) => changes.filter((change) => change.action === action).length
  const words = [
    [count('create'), done ? 'created' : 'to create'],
    [count('update'), done ? 'updated' : 'to update'],
  ] as const
  return `${words
    .filter(([number]) => number > 0)
    .map(([number, verb]) => `${number} ${verb}`)
    .join(', ')}.`
}

function formatChange({ kind, name, id, action, fields = [] }: Change): string {
  const mark = action === 'create' ? '+' : '~'
  const title = kind === 'tenant' ? `${mark} tenant ${name}` : `${mark} ${kind} ${JSON.stringify(name)}`
  return [`${title}${id === undefined ? '' : ` (${id})`}`, ...fields.flatMap(formatField)].join('\n')
}

function formatField({ name, before, after }: FieldChange): readonly string[] {
  if (before === undefined && after === undefined) return [`    ${name}: changed`]
  if (Array.isArray(before) || Array.isArray(after))
    return [`    ${name}:`, ...formatList(asList(before), asList(after))]
  if (before === undefined) return [`    ${name}: ${short(after)}`]
  return [`    ${name}: ${short(before)} → ${short(after)}`]
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function formatList(before: readonly unknown[], after: readonly unknown[]): readonly string[] {
  const [old, made] = [before, after].map((list) => list.map((item) => JSON.stringify(item)))
  const gone = (old ?? []).filter((item) => !made?.includes(item))
  const added = (made ?? []).filter((item) => !old?.includes(item))
  if (gone.length + added.length === 0) return ['      in another order']
  const line = (mark: string) => (item: string) => `      ${mark} ${cut(item)}`
  return [...gone.map(line('-')), ...added.map(line('+'))]
}

function short(value: unknown): string {
  return value === undefined ? 'nothing' : cut(JSON.stringify(value))
}

function cut(text: string): string {
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`
}

/** One line for each key, however many records have it. */
function formatIgnored(ignored: readonly IgnoredKey[]): readonly string[] {
  const lines = new Map<string, number[]>()
  for (const { path, line } of ignored) {
    const key = path.replaceAll(/\[\d+\]/g, '[]')
    lines.set(key, [...(lines.get(key) ?? []), line])
  }
  return [...lines].map(([key, at]) => `${key} (${at.length === 1 ? 'line' : 'lines'} ${at.join(', ')})`)
}
