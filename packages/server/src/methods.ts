/** Owns which methods an address has, so that another one is answered with 405 and told what would do. */
import type { FastifyInstance } from 'fastify'

/**
 * For addresses where GET acts: begins or ends something. HEAD must never act, so there it is refused.
 * @spec RFC 9110 §9.2.1
 */
export const withoutHead = { exposeHeadRoute: false } as const

/**
 * Watches the routes that are added from here on.
 * @returns for a path, the methods it has; none for a path that nothing answers
 * @spec RFC 9110 §15.5.6
 */
export function watchMethods(app: FastifyInstance): (path: string) => readonly string[] {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
    routes.set(url, route)
    for (const one of [method].flat()) route.methods.add(one)
  })
  return (path) => {
    const single = path.replaceAll(/\/{2,}/g, '/')
    const route = [...routes.values()].find(({ pattern }) => pattern.test(single))
    return [...(route?.methods ?? [])]
  }
}

function patternOf(url: string): RegExp {
  const escaped = url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll(/:\w+/g, '[^/]+')}$`)
}
