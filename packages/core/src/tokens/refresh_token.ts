/** Owns the text of refresh tokens: dots around dates that any client may read, and behind them the family, chance, and a tag. */
import { equal } from '@latchkey/store'
import { type Context, seconds } from '../context.ts'

const familyLength = 22
const chanceLength = 43
const tagLength = 22

/**
 * `rt.<{"exp","iat"}>.<family, 256 random bits, tag>`: some clients read a refresh token as if it were a JWT. The tag shows that a token
 * was made here for its family, so that a used-up token is told from an invented one.
 * @param ends_at milliseconds since 1970
 */
export function newRefreshToken(ctx: Context, family_id: string, ends_at: number): string {
  const dates = Buffer.from(JSON.stringify({ exp: seconds(ends_at), iat: seconds(ctx.now()) })).toString('base64url')
  const body = `${family_id}${ctx.random(32)}`
  return `rt.${dates}.${body}${tagOf(ctx.store.vault.hash('refresh family', `${dates}.${body}`))}`
}

/** An id for {@link newRefreshToken}. */
export function newFamilyId(ctx: Context): string {
  return ctx.random(16)
}

/** @returns the family of a token that was made here; undefined for anything else */
export function familyOf(ctx: Context, token: string): string | undefined {
  const [, dates = '', rest = ''] = /^rt\.([\w-]{1,200})\.([\w-]+)$/.exec(token) ?? []
  if (rest.length !== familyLength + chanceLength + tagLength) return undefined
  const body = rest.slice(0, -tagLength)
  const tag = rest.slice(-tagLength)
  const made = ctx.store.vault.hashes('refresh family', `${dates}.${body}`).some((hash) => equal(tagOf(hash), tag))
  return made ? body.slice(0, familyLength) : undefined
}

/** When a token was made that {@link familyOf} knows, in seconds since 1970. */
export function madeAt(token: string): number {
  const dates = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(dates) as { readonly iat: number }).iat
}

function tagOf(hash: string): string {
  return hash.slice(0, tagLength)
}
