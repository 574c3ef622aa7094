/** Owns the comparison of what a page shows with what happens: `…` stands for anything, and on a line of its own for any lines. */

/** True when a text is what the page shows, whatever stands for `…`. */
export function looksLike(shown: string, actual: string): boolean {
  const lines = tidy(shown).split('\n')
  const pattern = lines
    .map((line, index) =>
      line.trim() === '…' ? '(?:.*\\n)*?' : `${lineShape(line)}${index < lines.length - 1 ? '\\n' : ''}`,
    )
    .join('')
  return new RegExp(`^${pattern}\\n*$`).test(`${tidy(actual)}\n`)
}

function tidy(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '').replace(/^\n+|\n+$/g, '')
}

function lineShape(line: string): string {
  return line
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
    .join('.*?')
}

/**
 * Where a JSON value differs from what the page shows of it. Numbers only have to be numbers, texts with `…` only have to fit.
 * @returns a line for each difference
 */
export function differences(shown: unknown, actual: unknown, path = ''): readonly string[] {
  if (typeof shown === 'number') return typeof actual === 'number' ? [] : [`${path} is no number`]
  if (typeof shown === 'string') {
    const fits = typeof actual === 'string' && looksLike(shown, actual)
    return fits ? [] : [`${path} is ${JSON.stringify(actual)}, not ${JSON.stringify(shown)}`]
  }
  if (typeof shown !== 'object' || shown === null)
    return shown === actual ? [] : [`${path} is ${JSON.stringify(actual)}`]
  if (typeof actual !== 'object' || actual === null) return [`${path} is ${JSON.stringify(actual)}`]
  const [left, right] = [shown as Record<string, unknown>, actual as Record<string, unknown>]
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].flatMap((name) => {
    const place = path === '' ? name : `${path}.${name}`
    if (!Object.hasOwn(left, name)) return [`${place} is there and not on the page`]
    if (!Object.hasOwn(right, name)) return [`${place} is on the page and not there`]
    return differences(left[name], right[name], place)
  })
}
