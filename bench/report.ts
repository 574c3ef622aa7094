/** Owns the rows of a run: as a table for people, as JSON for programs. */

export interface Row {
  readonly name: string
  readonly unit: string
  readonly ours: number
  /** What stands beside it. */
  readonly reference: string
  readonly reference_kind: 'limit' | 'peer'
  readonly reference_value: number
  /** Above 1 means ours is better. */
  readonly ratio: number
}

interface Measurement extends Omit<Row, 'ours' | 'reference_value' | 'ratio'> {
  /** One value a round. */
  readonly ours: readonly number[]
  readonly references: readonly number[]
  readonly better: 'more' | 'less'
}

/** The medians of the rounds; the ratio is that of the pairs, so that a slow minute hits both sides. */
export function toRow({ name, unit, reference, reference_kind, ours, references, better }: Measurement): Row {
  const ratios = ours.map((value, index) => {
    const beside = references[index] ?? Number.NaN
    return better === 'more' ? value / beside : beside / value
  })
  return {
    name,
    unit,
    ours: round(median(ours)),
    reference,
    reference_kind,
    reference_value: round(median(references)),
    ratio: round(median(ratios), 3),
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}

export function formatRows(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${row.ours} ${row.unit}`,
    `${row.reference_value} ${row.unit}`,
    row.reference,
    row.ratio.toFixed(2),
  ])
  const table = [['what', 'ours', 'beside it', 'which is', 'ratio'], ...cells]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
  return table.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}
