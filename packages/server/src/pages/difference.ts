/** Owns the comparison of two addresses for human eyes: which characters differ, on each side. */

export interface Segment {
  readonly text: string
  readonly same: boolean
}

export interface Difference {
  readonly registered: readonly Segment[]
  readonly requested: readonly Segment[]
  /** The first character that differs, counted from 0. */
  readonly differs_at: number
}

// The table below costs the product of both lengths; longer texts are compared by their ends alone.
const maxLength = 600

/** Splits both texts into what they share and what only one of them has. A text may be missing at a place: an empty segment. */
export function difference(registered: string, requested: string): Difference {
  const a = [...registered]
  const b = [...requested]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const middle = compare(a.slice(start, a.length - end), b.slice(start, b.length - end))
  const around = (side: 'left' | 'right'): readonly Segment[] =>
    join([
      { text: a.slice(0, start).join(''), same: true },
      ...middle.map((piece) => ({ text: piece[side], same: piece.same })),
      { text: end === 0 ? '' : a.slice(-end).join(''), same: true },
    ])
  return { registered: around('left'), requested: around('right'), differs_at: start }
}

interface Piece {
  readonly left: string
  readonly right: string
  readonly same: boolean
}

function compare(a: readonly string[], b: readonly string[]): readonly Piece[] {
  if (a.length === 0 && b.length === 0) return []
  const whole = [{ left: a.join(''), right: b.join(''), same: false }]
  if (a.length > maxLength || b.length > maxLength) return whole
  const lengths = commonLengths(a, b)
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0
  const pieces: Piece[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const from = [i, j] as const
    while (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    }
    if (i > from[0]) {
      const text = a.slice(from[0], i).join('')
      pieces.push({ left: text, right: text, same: true })
    }
    const apart = [i, j] as const
    while ((i < a.length || j < b.length) && (i >= a.length || j >= b.length || a[i] !== b[j])) {
      if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) i++
      else j++
    }
    if (i > apart[0] || j > apart[1]) {
      pieces.push({ left: a.slice(apart[0], i).join(''), right: b.slice(apart[1], j).join(''), same: false })
    }
  }
  return withoutConfetti(pieces)
}

/** The length of the longest common subsequence of what follows each pair of places. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly Uint16Array[] {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    const row = rows[i]
    const below = rows[i + 1]
    if (row === undefined || below === undefined) continue
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return rows
}

/** Two unlike words share letters by chance; an agreement of under three characters between two differences is none. */
function withoutConfetti(pieces: readonly Piece[]): readonly Piece[] {
  const joined: Piece[] = []
  for (const [index, piece] of pieces.entries()) {
    const inside = index > 0 && index < pieces.length - 1
    const same = piece.same && !(inside && piece.left.length < 3)
    const last = joined.at(-1)
    if (last === undefined || last.same !== same) joined.push({ ...piece, same })
    else joined[joined.length - 1] = { left: last.left + piece.left, right: last.right + piece.right, same }
  }
  return joined
}

function join(segments: readonly Segment[]): readonly Segment[] {
  return segments.filter((segment) => !segment.same || segment.text !== '')
}
