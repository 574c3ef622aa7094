/** Owns the choice of a page's language. */

const maxLength = 1_024
const maxEntries = 32

/**
 * Chooses the language to answer in: the request's `ui_locales` first, then the browser's `Accept-Language`, then the
 * first enabled one. A wanted `ar-EG` is served by `ar` (RFC 4647 lookup), and a wanted `pt` by an enabled `pt-BR`.
 *
 * @param ui_locales space-separated language tags in order of preference
 * @param accept_language the header as it came; a malformed entry is skipped
 * @param enabled_locales the tenant's languages, the default first
 * @spec OpenID Connect Core §3.1.2.1
 * @spec RFC 4647 §3.4
 */
export function pickLocale(
  ui_locales: string | undefined,
  accept_language: string | undefined,
  enabled_locales: readonly string[],
): string {
  const wanted = [...readTags(ui_locales ?? ''), ...readAcceptLanguage(accept_language ?? '')]
  for (const tag of wanted) {
    const found = matchTag(tag, enabled_locales)
    if (found !== undefined) return found
  }
  return enabled_locales[0] ?? 'en'
}

/** The entry of a list that serves a language tag best; undefined when none does. */
export function matchTag(tag: string, list: readonly string[]): string | undefined {
  const subtags = tag.toLowerCase().replaceAll('_', '-').split('-')
  for (let length = subtags.length; length > 0; length--) {
    const range = subtags.slice(0, length).join('-')
    const found = list.find((entry) => entry.toLowerCase() === range)
    if (found !== undefined) return found
  }
  return list.find((entry) => entry.toLowerCase().startsWith(`${subtags[0]}-`))
}

function readTags(text: string): readonly string[] {
  return text.slice(0, maxLength).split(' ').slice(0, maxEntries).filter(isTag)
}

function readAcceptLanguage(header: string): readonly string[] {
  return header
    .slice(0, maxLength)
    .split(',')
    .slice(0, maxEntries)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return { tag, q: weight === undefined ? 1 : Number(weight.slice(2)) }
    })
    .filter(({ tag, q }) => isTag(tag) && q > 0 && q <= 1)
    .toSorted((a, b) => b.q - a.q)
    .map(({ tag }) => tag)
}

function isTag(text: string): boolean {
  return /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(text)
}
