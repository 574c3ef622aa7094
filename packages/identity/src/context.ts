/** Owns what identity needs beside the protocol's context: the password workers and somebody to send mails. */
import type { Context } from '@latchkey/core'
import type { User } from '@latchkey/store'
import type { Passwords } from './passwords.ts'

export type MailKind = 'verify_email' | 'reset_password' | 'blocked_account'

export interface AddressLimits {
  readonly failures_per_day: number
  readonly signups_per_minute: number
  /** 0 is no limit. */
  readonly trips_per_hour: number
}

export interface IdentityContext extends Context {
  readonly passwords: Passwords
  /** Writes a mail to a user; it is on its way once the promise is kept. `path` is relative to the issuer and carries the ticket. */
  readonly post: (kind: MailKind, user: User, path: string, locale: string | undefined) => Promise<void>
  /** What one address may do; `undefined` in development, where a whole test suite comes from one. */
  readonly per_address: AddressLimits | undefined
}
