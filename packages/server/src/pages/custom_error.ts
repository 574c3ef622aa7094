/** Owns a tenant's own error page: a template out of the tenant file, filled in where it reaches nothing but what it is given. */
import type { createRequire } from 'node:module'
import type { Liquid, Template } from 'liquidjs'

/** Characters of a template. */
export const longestTemplate = 100_000

/** What a template may use up: milliseconds, and what it makes anew, as the engine counts it. */
const limits = { parseLimit: longestTemplate, renderLimit: 100, memoryLimit: 10_000_000 }

export interface CustomErrorPage {
  /**
   * The template filled in; every value is escaped, whatever the template says.
   * @throws Error when it cannot be parsed or filled in, or takes too much
   */
  render(html: string, view: object): string
}

/** @param require loads the engine, which costs time and memory, with the first page that needs it */
export function openCustomErrorPage(require: ReturnType<typeof createRequire>): CustomErrorPage {
  let engine: Liquid | undefined
  let parsed: { readonly html: string; readonly template: Template[] } | undefined
  return {
    render(html, view) {
      engine ??= openEngine(require)
      if (parsed?.html !== html) parsed = { html, template: engine.parse(html) }
      return String(engine.renderSync(parsed.template, view))
    },
  }
}

/** Why a template cannot be read; undefined for one that can. */
export function problemOfTemplate(require: ReturnType<typeof createRequire>, html: string): string | undefined {
  try {
    openEngine(require).parse(html)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function openEngine(require: ReturnType<typeof createRequire>): Liquid {
  const { Liquid: Engine } = require('liquidjs') as typeof import('liquidjs')
  const engine = new Engine({
    ...limits,
    // In place of the file system: a template includes nothing.
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    jsTruthy: true,
    outputEscape: 'escape',
  })
  // What is shown comes out of an address that anybody can write: there is no way around the escape.
  engine.registerFilter('raw', (value: unknown) => value)
  return engine
}
