/** Owns the mailbox of `latchkey dev`: the mails that a real server would have sent, as a page and as JSON for tests. */
import { OAuthError } from '@latchkey/oauth'
import type { Mail } from '@latchkey/store'
import type { FastifyInstance } from 'fastify'
import type { Server } from '../app.ts'
import { sendPage } from '../page_answer.ts'

const shown = 100

export function mailbox(app: FastifyInstance, server: Server): void {
  app.get('/dev/mail', async (request, reply) => {
    const ctx = await server.context(request)
    const mails = (await ctx.store.mails.list(shown)).map(lineOf)
    return sendPage(ctx, server.pages, request, reply, { page: 'mailbox', model: { mails } })
  })
  app.get('/dev/mail.json', async (request) => {
    const ctx = await server.context(request)
    return (await ctx.store.mails.list(shown)).map((mail) => ({
      ...lineOf(mail),
      kind: mail.kind,
      text: mail.text,
      html: mail.html,
      links: linksOf(mail),
    }))
  })
  app.get<{ Params: { id: string } }>('/dev/mail/:id', async (request, reply) => {
    const ctx = await server.context(request)
    const mail = await ctx.store.mails.find(request.params.id)
    if (mail === undefined) throw new OAuthError('not_found', 'There is no such mail')
    const model = {
      ...lineOf(mail),
      from: ctx.configuration.settings.friendly_name ?? ctx.tenant,
      html: mail.html,
      text: mail.text,
      links: linksOf(mail),
    }
    return sendPage(ctx, server.pages, request, reply, { page: 'mailbox_message', model, inline_styles: true })
  })
}

function lineOf(mail: Mail) {
  return { id: mail.mail_id, to: mail.recipient, subject: mail.subject, time: mail.created_at }
}

function linksOf(mail: Mail): readonly string[] {
  return mail.text.match(/https?:\/\/[^\s>]+/g) ?? []
}
