/** Owns what identity needs beside the protocol's context: the password workers and somebody to send mails. */
import type { Context } from '@latchkey/core'
import type { User } from '@latchkey/store'
import type { Passwords } from './passwords.ts'

export type MailKind = 'verify_email' | 'reset_password' | 'blocked_account'

export interface IdentityContext extends Context {
  readonly passwords: Passwords
  /** Writes a mail to a user; it is on its way once the promise is kept. `path` is relative to the issuer and carries the ticket. */
  readonly post: (kind: MailKind, user: User, path: string, locale: string | undefined) => Promise<void>
  /** Failed sign-ins that one address may have in a day; none counts for `undefined`. */
  readonly failures_per_address: number | undefined
}
