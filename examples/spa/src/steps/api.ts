/** Owns step 4: calls to the API, good ones and refused ones, and asking for more permission. */

import { type App, explain } from '../app.ts'
import { find, make, onClick } from '../dom.ts'
import { shorten, showFailure } from '../show.ts'
import { go } from './request.ts'

interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: Readonly<Record<string, string>>
  /** The bearer of the call; none sends no header. */
  readonly token: string | undefined
}

export function startApi(app: App): void {
  const withAccessToken = (call: Omit<Call, 'token'>) => async () => {
    try {
      const token = await app.client.getToken({ scope: app.tokens?.scope })
      await run(app, { ...call, token })
    } catch (error) {
      find('api-answer').replaceChildren(showFailure(explain(error)))
    }
    app.changed()
  }
  onClick('read-messages', withAccessToken({ method: 'GET', path: '/messages' }))
  onClick('read-contacts', withAccessToken({ method: 'GET', path: '/contacts' }))
  onClick(
    'post-message',
    withAccessToken({ method: 'POST', path: '/messages', body: { text: 'Hello from the demo app' } }),
  )
  onClick('call-with-id-token', () => run(app, { method: 'GET', path: '/messages', token: app.tokens?.id_token }))
  onClick('call-without-token', () => run(app, { method: 'GET', path: '/messages', token: undefined }))

  app.onChange(() => {
    const signedIn = app.tokens !== undefined
    find('call-with-id-token').toggleAttribute('disabled', !signedIn)
    if (!signedIn && find('api-answer').dataset.bearer === 'yes') find('api-answer').replaceChildren()
  })
}

async function run(app: App, call: Call): Promise<void> {
  const place = find('api-answer')
  place.dataset.bearer = call.token === undefined ? 'no' : 'yes'
  place.setAttribute('aria-busy', 'true')
  try {
    place.replaceChildren(...(await exchange(app, call)))
  } catch {
    const message = `${app.config.api} did not answer.`
    const fix = 'Check that the demo API runs, and that it allows the origin of this page.'
    place.replaceChildren(showFailure({ code: 'api_unreachable', message, fix }))
  }
  place.removeAttribute('aria-busy')
}

async function exchange(app: App, { method, path, token, body }: Call): Promise<Node[]> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await fetch(app.config.api + path, { method, headers, ...sent })
  const text = await answer.text()
  const challenge = answer.headers.get('www-authenticate') ?? ''
  const lines = [
    `${method} ${app.config.api}${path}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${shorten(token, 32)}`]),
    ...(body === undefined ? [] : ['', JSON.stringify(body)]),
  ]
  return [
    make(
      'div',
      { class: 'exchange' },
      half('Sent', lines.join('\n')),
      half('Answered', answered(answer, challenge, text)),
    ),
    judge(answer.status, challenge),
    ...(challenge.includes('insufficient_scope') ? [moreButton(app, challenge)] : []),
  ]
}

function half(title: string, text: string): HTMLElement {
  return make(
    'div',
    {},
    make('h3', {}, title),
    make('pre', { class: 'wrap', tabindex: '0', 'aria-label': title }, text),
  )
}

function answered(answer: Response, challenge: string, text: string): string {
  const status = `${answer.status} ${answer.statusText}`.trim()
  const header = challenge === '' ? '' : `\nWWW-Authenticate: ${challenge}`
  return `${status}${header}\n\n${pretty(text)}`
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function judge(status: number, challenge: string): HTMLElement {
  const [kind, words] =
    status < 300
      ? (['good', 'The API knew the token, and the token allowed this.'] as const)
      : status === 403
        ? (['refused', 'The token is good, but you have not allowed the app to do this.'] as const)
        : challenge.includes('error=')
          ? (['refused', 'Refused: this token is not an access token for this API.'] as const)
          : (['refused', 'Refused: no token, no answer.'] as const)
  return make(
    'p',
    { class: `verdict ${kind}`, id: 'api-status', 'data-status': String(status) },
    make('code', { class: 'status' }, String(status)),
    ` ${words}`,
  )
}

/** Asks the person for the scope the API named. */
function moreButton(app: App, challenge: string): HTMLElement {
  const scope = /scope="([^"]*)"/.exec(challenge)?.[1] ?? 'write:messages'
  const button = make('button', { class: 'primary', id: 'more-permission', type: 'button' }, 'Ask for more permission')
  button.addEventListener('click', () => go(app.client.buildAuthorizeUrl({ scope: `${app.tokens?.scope} ${scope}` })))
  return make('div', { class: 'actions' }, button)
}
