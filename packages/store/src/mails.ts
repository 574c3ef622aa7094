/** Owns the mails to be sent. A mail is written before it is sent, so that none is lost; its text is sealed, for it carries a ticket. */
import type { Selectable } from 'kysely'
import type { MailTable } from './schema.ts'
import type { Scope } from './scope.ts'

export interface Mail {
  readonly mail_id: string
  readonly recipient: string
  readonly kind: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly created_at: number
  readonly attempts: number
}

export type MailStore = ReturnType<typeof mailStore>

export function mailStore({ db, tenant, vault }: Scope) {
  const mailOf = (row: Selectable<MailTable>): Mail => {
    const { mail_id, recipient, kind, subject, created_at, attempts } = row
    const { text, html } = JSON.parse(vault.open(row.message)) as { text: string; html: string }
    return { mail_id, recipient, kind, subject, text, html, created_at, attempts }
  }
  return {
    async add({ text, html, attempts: _, ...mail }: Mail): Promise<void> {
      const message = vault.seal(JSON.stringify({ text, html }))
      await db
        .insertInto('mails')
        .values({ ...mail, tenant, message, next_attempt_at: mail.created_at })
        .execute()
    },

    /** Takes a mail that is due, and keeps others from taking it until `until`. */
    async takeDue(now: number, until: number): Promise<Mail | undefined> {
      const [row] = await db
        .updateTable('mails')
        .set((eb) => ({ attempts: eb('attempts', '+', 1), next_attempt_at: until }))
        .where('tenant', '=', tenant)
        .where('sent_at', 'is', null)
        .where('next_attempt_at', '<=', now)
        .where('mail_id', '=', (eb) =>
          eb
            .selectFrom('mails')
            .select('mail_id')
            .where('tenant', '=', tenant)
            .where('sent_at', 'is', null)
            .where('next_attempt_at', '<=', now)
            .orderBy('next_attempt_at')
            .limit(1),
        )
        .returningAll()
        .execute()
      return row === undefined ? undefined : mailOf(row)
    },

    /** A sent mail's text is dropped: it holds a ticket. */
    async sent(mail_id: string, now: number): Promise<void> {
      const message = vault.seal(JSON.stringify({ text: '', html: '' }))
      await db
        .updateTable('mails')
        .set({ sent_at: now, message, failure: null })
        .where('tenant', '=', tenant)
        .where('mail_id', '=', mail_id)
        .execute()
    },

    async failed(mail_id: string, failure: string, next_attempt_at: number): Promise<void> {
      await db
        .updateTable('mails')
        .set({ failure, next_attempt_at })
        .where('tenant', '=', tenant)
        .where('mail_id', '=', mail_id)
        .execute()
    },

    /** The newest first: for the mailbox page of `latchkey dev`. */
    async list(limit: number): Promise<readonly Mail[]> {
      const rows = await db
        .selectFrom('mails')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('created_at', 'desc')
        .orderBy('mail_id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(mailOf)
    },

    async find(mail_id: string): Promise<Mail | undefined> {
      const row = await db
        .selectFrom('mails')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('mail_id', '=', mail_id)
        .executeTakeFirst()
      return row === undefined ? undefined : mailOf(row)
    },
  }
}
