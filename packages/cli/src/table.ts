/** Owns how rows are laid out on a terminal. */

/** Columns as wide as their widest cell, two spaces apart. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [columns, ...rows]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => printable(line[index]).length)))
  return lines
    .map((line) =>
      line
        .map((cell, index) => printable(cell).padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What people typed into a form must not move the cursor of whoever lists it. */
function printable(text = ''): string {
  return text.replaceAll(/\p{C}/gu, '?')
}
