/** Owns mails on their way: written to the database in the moment they are caused, sent by a loop that tries again. */
import type { Log } from '@latchkey/core'
import type { IdentityContext, MailKind } from '@latchkey/identity'
import type { Mail, Store, User } from '@latchkey/store'
import type { Pages } from '../pages/index.ts'

/** Sends one mail. @throws Error when it was not taken over */
export type SendMail = (mail: Mail) => Promise<void>

/** Seconds that each kind of link works, as the mail says. */
const linkLifetimes = {
  verify_email: 432_000,
  reset_password: 86_400,
  blocked_account: 86_400,
} as const satisfies Record<MailKind, number>

const lookEvery = 5_000
const sendingTakes = 60_000
const longestWait = 3_600_000

/** Writes a mail to a user. */
export async function writeMail(
  ctx: IdentityContext,
  pages: Pages,
  kind: MailKind,
  user: User,
  path: string,
  locale: string | undefined,
): Promise<void> {
  if (user.email === undefined) return
  const { settings } = ctx.configuration
  const { subject, html, text } = pages.renderMail(
    kind,
    {
      tenant: {
        friendly_name: settings.friendly_name ?? ctx.tenant,
        colors: settings.branding?.colors,
        support_email: settings.support_email,
        support_url: settings.support_url,
      },
      email: user.email,
      // Until the address is proved, anyone may have written the name, to have us send it to a stranger.
      name: user.email_verified ? (user.profile.given_name ?? user.profile.name) : undefined,
      link: `${ctx.issuer}${path}`,
      lifetime: linkLifetimes[kind],
    },
    locale ?? user.profile.locale ?? 'en',
  )
  const mail = {
    mail_id: ctx.random(12),
    recipient: user.email,
    kind,
    subject,
    text,
    html,
    created_at: ctx.now(),
    attempts: 0,
  }
  await ctx.store.mails.add(mail)
}

export interface Outbox {
  /** Looks for mails now. */
  wake(): void
  close(): Promise<void>
}

/** Sends what is due. A mail that fails waits longer each time, from five seconds to an hour. */
export function openOutbox(store: Store, send: SendMail, now: () => number, log: Log): Outbox {
  let running: Promise<void> | undefined
  let closed = false
  const timer = setInterval(() => wake(), lookEvery)
  timer.unref()

  async function sendDue(): Promise<void> {
    for (;;) {
      if (closed) return
      const mail = await store.mails.takeDue(now(), now() + sendingTakes)
      if (mail === undefined) return
      try {
        await send(mail)
        await store.mails.sent(mail.mail_id, now())
      } catch (error) {
        const wait = Math.min(5_000 * 2 ** Math.min(mail.attempts, 20), longestWait)
        log.warn(
          { err: error, mail_id: mail.mail_id, kind: mail.kind, attempts: mail.attempts },
          'a mail could not be sent and is tried again',
        )
        await store.mails.failed(mail.mail_id, error instanceof Error ? error.message : String(error), now() + wait)
      }
    }
  }

  function wake(): void {
    running ??= sendDue()
      .catch((error: unknown) => log.error({ err: error }, 'the mails could not be read'))
      .finally(() => {
        running = undefined
      })
  }

  return {
    wake,
    async close() {
      closed = true
      clearInterval(timer)
      await running
    },
  }
}
