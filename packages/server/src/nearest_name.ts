/** Owns the guess at what somebody meant who misspelled a name. */

/** The name with the fewest edits away, at most a third of its length. */
export function closest(text: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, away: edits(text, name) }))
    .filter(({ away }) => away <= Math.ceil(text.length / 3))
    .toSorted((a, b) => a.away - b.away)
  return best?.name
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
