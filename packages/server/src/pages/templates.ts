/** Owns the template engine: where templates are found, how a built-in one is replaced, and what a template can say. */
import { readdirSync } from 'node:fs'
import type { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Liquid, Template } from 'liquidjs'
import type { Catalogue, Values } from './texts.ts'

/** Fills a template by its name, such as `login` or `mails/reset_password`. */
export interface Templates {
  /** As HTML: every value is escaped. */
  html(name: string, view: object, lang: string): string
  /** As plain text, for mails. */
  text(name: string, view: object, lang: string): string
}

const builtIn = fileURLToPath(new URL('./templates/', import.meta.url))
const extension = '.liquid'

/**
 * Opens the templates. A file in `overrideDir` replaces the built-in one of the same name, and all of them are read at once.
 * @throws Error naming the file, when one has no counterpart or cannot be parsed
 */
export function openTemplates(
  require: ReturnType<typeof createRequire>,
  catalogue: Catalogue,
  overrideDir: string | undefined,
): Templates {
  const root = overrideDir === undefined ? [builtIn] : [overrideDir, builtIn]
  const html = openEngine(require, catalogue, root, true)
  const text = openEngine(require, catalogue, root, false)
  const parsed = new Map<string, Template[]>()

  function fill(engine: Liquid, name: string, view: object, lang: string): string {
    const template = parsed.get(name) ?? engine.parseFileSync(name)
    parsed.set(name, template)
    // A global is seen by every part and cannot be assigned from within a template.
    return String(engine.renderSync(template, view, { globals: { lang, dir: catalogue.texts(lang).dir } }))
  }

  if (overrideDir !== undefined) checkOverrides(html, overrideDir)
  return {
    html: (name, view, lang) => fill(html, name, view, lang),
    text: (name, view, lang) => fill(text, name, view, lang),
  }
}

function openEngine(
  require: ReturnType<typeof createRequire>,
  catalogue: Catalogue,
  root: string[],
  escaped: boolean,
): Liquid {
  const { Liquid: Engine } = require('liquidjs') as typeof import('liquidjs')
  const engine = new Engine({
    root,
    extname: extension,
    cache: true,
    relativeReference: false,
    ownPropertyOnly: true,
    strictFilters: true,
    jsTruthy: true,
    ...(escaped ? { outputEscape: 'escape' as const } : {}),
  })
  // {{ 'login.to_client' | t: client: client.name }}
  engine.registerFilter('t', function (key: unknown, ...pairs: unknown[]) {
    return catalogue.texts(langOf(this.context.globals)).t(String(key), toValues(pairs))
  })
  // The same with the values marked as names; it escapes by itself.
  engine.registerFilter('marked', {
    raw: true,
    handler(key: unknown, ...pairs: unknown[]) {
      return catalogue.texts(langOf(this.context.globals)).marked(String(key), toValues(pairs))
    },
  })
  return engine
}

function langOf(globals: object): string {
  return 'lang' in globals ? String(globals.lang) : 'en'
}

function toValues(pairs: readonly unknown[]): Values {
  const values: Record<string, string | number> = {}
  for (const pair of pairs) {
    if (!Array.isArray(pair)) continue
    const [name, value]: readonly unknown[] = pair
    if (typeof value === 'number' || typeof value === 'string') values[String(name)] = value
  }
  return values
}

function checkOverrides(engine: Liquid, directory: string): void {
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).slice(0, -extension.length))
  const known = new Set(files(builtIn))
  for (const name of files(directory)) {
    const file = join(directory, name + extension)
    if (!known.has(name)) {
      throw new Error(`The template ${file} replaces nothing: the names are ${[...known].toSorted().join(', ')}`)
    }
    try {
      engine.parseFileSync(name)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`The template ${file} cannot be read: ${reason}`, { cause })
    }
  }
}
