/** Owns the strict reading of the JSON objects inside a JWT. */
import { base64url } from 'jose'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a base64url part that holds a JSON object; undefined when it does not, or when a member is repeated.
 * @spec RFC 7515 §4
 * @spec RFC 7519 §4
 */
export function parseObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = utf8.decode(base64url.decode(part))
    const value: unknown = JSON.parse(text)
    return isObject(value) && countMembers(text) === Object.keys(value).length ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Counts the members of the outermost object of valid JSON: JSON.parse keeps the last of two equal names in silence. */
function countMembers(json: string): number {
  let count = 0
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at)
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    else if (character === ':' && depth === 1) count++
  }
  return count
}

function endOfString(json: string, start: number): number {
  let at = start + 1
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at
}
