/** Owns step 3: the two tokens taken apart, each claim with its meaning. */

import type { App } from '../app.ts'
import { code, fact, find, make } from '../dom.ts'
import { type TokenParts, takeApart } from '../jwt.ts'
import { claimMeanings } from '../meanings.ts'
import { moment } from '../show.ts'

export function startTokens(app: App): void {
  let shown: string | undefined
  app.onChange(() => {
    const { id_token, access_token } = app.tokens ?? {}
    const next = `${id_token} ${access_token}`
    // What has not changed stays in place, with what is folded open and scrolled.
    if (next === shown) return
    shown = next
    const cards = [
      id_token === undefined ? undefined : showToken('ID token', 'for this app', id_token),
      access_token === undefined ? undefined : showToken('Access token', 'for the API', access_token),
    ].filter((card) => card !== undefined)
    const empty = make('p', { class: 'empty' }, 'The tokens show up here once you have signed in.')
    find('tokens-body').replaceChildren(...(cards.length > 0 ? cards : [empty]))
  })
}

function showToken(title: string, audience: string, token: string): HTMLElement {
  const parts = takeApart(token)
  const heading = make('h3', {}, title, ' ', make('small', {}, audience))
  if (parts === undefined)
    return make(
      'article',
      { class: 'token' },
      heading,
      make('p', {}, 'Opaque: a text that only the server understands.'),
      make('pre', { class: 'wrap' }, token),
    )
  return make('article', { class: 'token' }, heading, ...showParts(title, parts))
}

function showParts(title: string, { raw: [header, payload, signature], ...decoded }: TokenParts): Node[] {
  return [
    make(
      'pre',
      { class: 'raw', tabindex: '0', 'aria-label': `${title}, encoded` },
      make('span', { class: 'part-header' }, header),
      '.',
      make('span', { class: 'part-payload' }, payload),
      '.',
      make('span', { class: 'part-signature' }, signature),
    ),
    make('h4', { class: 'part-header' }, 'Header'),
    make('dl', { class: 'claims' }, ...claims(decoded.header)),
    make('h4', { class: 'part-payload' }, 'Payload'),
    make('dl', { class: 'claims' }, ...claims(decoded.payload)),
    make('h4', { class: 'part-signature' }, 'Signature'),
    make('p', { class: 'quiet' }, `${Math.floor((signature.length * 3) / 4)} bytes over the two parts above.`),
  ]
}

const moments = ['exp', 'iat', 'auth_time', 'updated_at']

function claims(values: Readonly<Record<string, unknown>>): HTMLElement[] {
  return Object.entries(values).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const when = moments.includes(name) && typeof value === 'number' ? `, ${moment(value)}` : ''
    return fact(name, code(text), `${claimMeanings[name] ?? 'a claim of its own'}${when}`)
  })
}
