/** Owns step 2: the fragment as it arrived, where it went, and what was checked. */

import type { App, Arrival } from '../app.ts'
import { code, fact, find, make } from '../dom.ts'
import { takeApart } from '../jwt.ts'
import { answerMeanings } from '../meanings.ts'
import { shorten, showFailure } from '../show.ts'

export function startAnswer(app: App): void {
  // An address arrives once in the life of a page, and what is said about it stays true.
  const arrived = app.arrival
    ? [...showArrival(app.arrival), ...(app.arrival.failure ? [] : [showChecks(app)])]
    : undefined
  app.onChange(() => find('answer-body').replaceChildren(...content(app, arrived)))
}

function content(app: App, arrived: readonly Node[] | undefined): readonly Node[] {
  if (app.came_by === 'popup' && app.tokens)
    return [
      make(
        'p',
        { class: 'note' },
        'This answer came as a message from the popup (response_mode web_message), so the address never held it. ' +
          "It counted because it came from that very window, from the server's origin, with the state that was sent.",
      ),
    ]
  if (arrived) return arrived
  const restored = app.tokens ? 'You were signed in already: a hidden frame brought new tokens. ' : ''
  return [make('p', { class: 'empty' }, `${restored}Sign in to see an answer arrive in the address.`)]
}

function showArrival({ address, parameters, failure }: Arrival): Node[] {
  const [page = ''] = address.split('#')
  const rows = [...parameters].map(([name, value]) => fact(name, code(shorten(value, 72)), answerMeanings[name]))
  return [
    make(
      'div',
      { class: 'address' },
      make('p', {}, 'It arrived at'),
      make(
        'pre',
        { tabindex: '0', 'aria-label': 'The address as it arrived' },
        page,
        make('mark', {}, `#${parameters}`),
      ),
      make('p', {}, 'and a moment later the address bar and the history said'),
      make('pre', {}, page),
    ),
    make('dl', { class: 'facts' }, ...rows),
    ...(failure ? [showFailure(failure)] : []),
  ]
}

function showChecks(app: App): HTMLElement {
  const claims = app.client.idTokenClaims()
  const header = takeApart(app.tokens?.id_token ?? '')?.header
  const checks = [
    'The state is that of a login this tab began, and is used up now.',
    `The answer's iss is exactly ${claims?.iss}.`,
    `The ID token is signed with ${header?.alg} by the server's published key ${shorten(String(header?.kid), 24)}.`,
    'It was issued by that server, for this app, and has not ended.',
    'Its nonce is the one that was sent.',
    'Its at_hash fits the access token.',
  ]
  return make(
    'div',
    { class: 'checked' },
    make('h3', {}, 'What the SDK checked'),
    make('ul', {}, ...checks.map((check) => make('li', {}, check))),
  )
}
