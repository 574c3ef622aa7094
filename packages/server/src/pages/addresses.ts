/** Owns which addresses from settings and registrations may stand in a page, and in which role. */

const pageSchemes = new Set(['http:', 'https:'])
// A browser runs or renders these in the page's own name; a native app never registers one.
const ownSchemes = new Set([
  'javascript:',
  'data:',
  'vbscript:',
  'blob:',
  'file:',
  'filesystem:',
  'about:',
  'view-source:',
])

/** The address when it is http or https, for pictures, policies and forms; else undefined. */
export function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && URL.canParse(text) && pageSchemes.has(new URL(text).protocol) ? text : undefined
}

/** The address when a link may lead there: http, https or the scheme of a native app; else undefined. */
export function linkAddress(text: string | undefined): string | undefined {
  return text !== undefined && URL.canParse(text) && !ownSchemes.has(new URL(text).protocol) ? text : undefined
}

/** The origin when the text is exactly one, as a message's target must be; else undefined. */
export function exactOrigin(text: string | undefined): string | undefined {
  return text !== undefined && webAddress(text) !== undefined && new URL(text).origin === text ? text : undefined
}
