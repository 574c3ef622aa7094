/** Owns where the values of a tenant file's keywords come from. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** By name; a value is text, or anything JSON can say. */
export type Keywords = Readonly<Record<string, unknown>>

/** A source that cannot be read. The message says which and what to change. */
export class BadKeywords extends Error {
  override readonly name = 'BadKeywords'
}

const deployCliMappings = 'AUTH0_KEYWORD_REPLACE_MAPPINGS'

/**
 * @param environment every variable that may be used
 * @param files `NAME=VALUE` lines, a JSON object, or a configuration of the Deploy CLI; a later one wins
 * @param pairs `NAME=VALUE`; they win over everything
 * @throws BadKeywords
 */
export function readKeywords(
  environment: Readonly<Record<string, string | undefined>>,
  files: readonly string[],
  pairs: readonly string[],
): Keywords {
  const mappings = environment[deployCliMappings] ?? ''
  const keywords: Record<string, unknown> = { ...environment }
  if (mappings !== '') Object.assign(keywords, jsonObject(`The environment variable ${deployCliMappings}`, mappings))
  for (const file of files) Object.assign(keywords, keywordsOfFile(file))
  for (const pair of pairs) keywords[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1)
  return keywords
}

function keywordsOfFile(file: string): Keywords {
  const text = readText(file)
  if (!text.trimStart().startsWith('{')) return parseEnv(text)
  const { [deployCliMappings]: nested, ...others } = jsonObject(`The keyword file ${file}`, text)
  return { ...others, ...(isObject(nested) ? nested : {}) }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BadKeywords(`The keyword file ${file} cannot be read: ${cause instanceof Error ? cause.message : cause}.`)
  }
}

function jsonObject(source: string, text: string): Keywords {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Said below: the parser's own words quote the text, which may hold secrets.
  }
  throw new BadKeywords(`${source} is not a JSON object of keywords, such as { "ENVIRONMENT": "test" }.`)
}

function isObject(value: unknown): value is Keywords {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
