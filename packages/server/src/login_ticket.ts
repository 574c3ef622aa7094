/** Owns the ticket between a password that was right and the form that takes the person on: sealed, for one trip, for once. */
import { OAuthError } from '@latchkey/oauth'
import type { User } from '@latchkey/store'
import { csrfToken, type Visit } from './visit.ts'

/** Milliseconds; the page hands it on at once. */
const ticketLasts = 60_000

interface LoginTicket {
  readonly kind: 'login'
  readonly id: string
  /** The trip and the browser that it is for. */
  readonly proof: string
  readonly user_id: string
  readonly password_changed_at: number | undefined
  /** Milliseconds since 1970. */
  readonly ends_at: number
}

/** A ticket for a person whose password has just been right. */
export function sealLoginTicket({ ctx, trip }: Visit, { user_id, password_changed_at }: User): string {
  const ticket: LoginTicket = {
    ...{ kind: 'login', id: ctx.random(16), proof: csrfToken(ctx, trip) },
    ...{ user_id, password_changed_at, ends_at: ctx.now() + ticketLasts },
  }
  return ctx.store.vault.seal(JSON.stringify(ticket))
}

/**
 * The person of a ticket, which works once, in its own trip and browser.
 * @throws OAuthError for our own page
 */
export async function openLoginTicket({ ctx, trip }: Visit, sealed: string): Promise<User> {
  const ticket = read(sealed, (text) => ctx.store.vault.open(text))
  if (ticket === undefined || ticket.proof !== csrfToken(ctx, trip) || ticket.ends_at <= ctx.now()) throw useless()
  const user = await ctx.store.users.find(ticket.user_id)
  // A password that was changed since is not the one that was right.
  if (user === undefined || user.password_changed_at !== ticket.password_changed_at) throw useless()
  if (!(await ctx.store.usedIds.take('login ticket', ticket.id, ticket.ends_at))) throw useless()
  return user
}

function read(sealed: string, open: (sealed: string) => string): LoginTicket | undefined {
  try {
    const ticket = JSON.parse(open(sealed)) as Partial<LoginTicket>
    return ticket.kind === 'login' ? (ticket as LoginTicket) : undefined
  } catch {
    return undefined
  }
}

function useless(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'This sign-in was completed already or took too long. Go back and sign in again',
  )
}
