/** Owns the error page that a tenant has of its own: an address that is told of the error, or a template that is shown. */
import type { IdentityContext } from '@latchkey/identity'
import type { OAuthError } from '@latchkey/oauth'
import type { FastifyRequest } from 'fastify'
import { localeOf } from './page_answer.ts'
import type { CustomErrorModel, Frame, Pages } from './pages/index.ts'

type ErrorModel = Omit<CustomErrorModel, 'client_id' | 'connection' | 'show_log_link'>

/** Where the tenant wants people sent; it is told what our own page tells, and nothing that is not registered. */
export function tenantErrorAddress(
  ctx: IdentityContext,
  pages: Pages,
  request: FastifyRequest,
  error: OAuthError,
  tracking: string,
): string | undefined {
  const address = ctx.configuration.settings.error_page?.url
  if (address === undefined || !URL.canParse(address)) return undefined
  const url = new URL(address)
  const told = {
    ...namedInRequest(ctx, request),
    ...{ lang: localeOf(ctx, request, pages, undefined), error: error.code },
    ...{ error_description: error.description, tracking },
  }
  for (const [name, value] of Object.entries(told)) url.searchParams.set(name, value)
  return url.href
}

/** The tenant's template as a way to make the page; a broken one makes none, and the log says why. */
export function tenantErrorTemplate(
  ctx: IdentityContext,
  pages: Pages,
  request: FastifyRequest,
  model: ErrorModel,
): ((frame: Frame) => string | undefined) | undefined {
  const { html = '', show_log_link = true } = ctx.configuration.settings.error_page ?? {}
  if (html === '') return undefined
  return (frame) => {
    try {
      return pages.renderCustomError(html, { ...model, ...namedInRequest(ctx, request), show_log_link }, frame)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      request.log.warn(
        { tracking: model.tracking, setting: 'tenant.error_page.html', reason },
        'the error page of the tenant cannot be rendered; the built-in one is shown',
      )
      return undefined
    }
  }
}

/** The client and the connection of the request, where there are such. */
function namedInRequest({ configuration }: IdentityContext, request: FastifyRequest): Record<string, string> {
  const query = new URLSearchParams((request.raw.url ?? '').split('?')[1])
  const [client_id, connection] = [query.get('client_id') ?? '', query.get('connection') ?? '']
  return {
    ...(configuration.client(client_id) === undefined ? {} : { client_id }),
    ...(configuration.connection(connection) === undefined ? {} : { connection }),
  }
}
