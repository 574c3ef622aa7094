/** Owns how rich requests read on the consent page: every field of each, so that nothing is allowed unseen. */

/** One of them. */
export interface ShownDetail {
  readonly title: string
  readonly lines: readonly { readonly name: string; readonly value: string }[]
}

interface Detail {
  readonly type: string
  readonly [field: string]: unknown
}

export function describeDetails(details: readonly Detail[]): readonly ShownDetail[] {
  return details.map(({ type, ...fields }) => ({ title: readable(type), lines: [...linesOf(fields, '')] }))
}

/** `payment_initiation` reads as words; an address stays one. */
function readable(name: string): string {
  if (!/^[A-Za-z][\w-]*$/.test(name)) return name
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1)
}

function* linesOf(fields: Readonly<Record<string, unknown>>, before: string): Generator<ShownDetail['lines'][number]> {
  for (const [name, value] of Object.entries(fields)) {
    const path = before === '' ? readable(name) : `${before}, ${readable(name).toLowerCase()}`
    if (isPlain(value)) yield { name: path, value: textOf(value) }
    else if (Array.isArray(value) && value.every(isPlain))
      yield { name: path, value: textOf(value.map(textOf).join(', ')) }
    else if (Array.isArray(value)) yield* linesOf(Object.fromEntries(value.map((one, at) => [`${at + 1}`, one])), path)
    else if (Object.keys(value).length === 0) yield { name: path, value: textOf('') }
    else yield* linesOf({ ...value }, path)
  }
}

function isPlain(value: unknown): value is string | number | boolean | null | undefined {
  return typeof value !== 'object' || value === null
}

function textOf(value: string | number | boolean | null | undefined): string {
  return value === undefined || value === null || value === '' ? '-' : String(value)
}
