/** Owns answering with a hosted page: the frame around it and the headers that keep it safe. */
import { randomBytes } from 'node:crypto'
import type { IdentityContext } from '@latchkey/identity'
import type { Client } from '@latchkey/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  contentSecurityPolicy,
  type Frame,
  imageSources,
  type PageModels,
  type PageName,
  type Pages,
  pickLocale,
} from './pages/index.ts'

export interface PageAnswer<Name extends PageName> {
  readonly page: Name
  readonly model: PageModels[Name]
  readonly status?: number
  readonly client?: Client | undefined
  readonly ui_locales?: string | undefined
  /** Where the page's form may lead besides this server. */
  readonly form_action?: readonly string[]
  readonly frame_ancestors?: readonly string[]
  /** Origins of the frames on the page. */
  readonly frame_src?: readonly string[]
  /** True on pages that a popup may be showing: cutting its opener off would lose the answer. */
  readonly keeps_opener?: boolean
  readonly inline_styles?: boolean
  /** Makes the page in place of the built-in one, or gives nothing when it cannot. */
  readonly render?: (frame: Frame) => string | undefined
}

export function localeOf(
  ctx: IdentityContext,
  request: FastifyRequest,
  pages: Pages,
  ui_locales: string | undefined,
): string {
  const enabled = ctx.configuration.settings.enabled_locales ?? [
    'en',
    ...pages.locales.filter((locale) => locale !== 'en'),
  ]
  return pickLocale(ui_locales, request.headers['accept-language'], enabled)
}

export function sendPage<Name extends PageName>(
  ctx: IdentityContext,
  pages: Pages,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: PageAnswer<Name>,
): FastifyReply {
  const nonce = randomBytes(16).toString('base64url')
  const frame = frameOf(ctx, answer.client, localeOf(ctx, request, pages, answer.ui_locales), nonce)
  const html = answer.render?.(frame) ?? pages.render(answer.page, answer.model, frame)
  return reply
    .code(answer.status ?? 200)
    .header('content-type', 'text/html; charset=utf-8')
    .header(
      'content-security-policy',
      contentSecurityPolicy({
        nonce,
        form_action: answer.form_action ?? [],
        frame_ancestors: answer.frame_ancestors ?? [],
        img_src: imageSources([frame.tenant.picture_url, frame.client?.logo_uri]),
        ...(answer.frame_src === undefined ? {} : { frame_src: answer.frame_src }),
        connects: pages.replaced(answer.page),
        inline_styles: answer.inline_styles ?? false,
      }),
    )
    .headers(
      answer.frame_ancestors === undefined || answer.frame_ancestors.length === 0 ? { 'x-frame-options': 'DENY' } : {},
    )
    .header('cross-origin-opener-policy', answer.keeps_opener === true ? 'unsafe-none' : 'same-origin')
    .send(html)
}

function frameOf(ctx: IdentityContext, client: Client | undefined, locale: string, nonce: string): Frame {
  const { settings } = ctx.configuration
  return {
    locale,
    nonce,
    tenant: {
      friendly_name: settings.friendly_name ?? ctx.tenant,
      picture_url: settings.branding?.logo_url ?? settings.picture_url,
      support_email: settings.support_email,
      support_url: settings.support_url,
      colors: settings.branding?.colors,
    },
    client:
      client === undefined
        ? undefined
        : { ...namesOf(client), logo_uri: client.logo_uri, policy_uri: client.policy_uri, tos_uri: client.tos_uri },
  }
}

/** Of a client that publishes itself only the host is proved: it stands first, and the name is what it says. */
function namesOf({ client_id, name, registration }: Client): { name: string; calls_itself?: string } {
  if (registration?.by !== 'document') return { name }
  const { host } = new URL(client_id)
  return name === host ? { name } : { name: host, calls_itself: name }
}
