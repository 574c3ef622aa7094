/** Owns step 1: what is asked, and leaving for the server with exactly the request that is shown. */

import type { AuthorizeOptions } from '@latchkey/spa'
import { type App, explain, withIdentity } from '../app.ts'
import { code, fact, find, make, onClick } from '../dom.ts'
import { requestMeanings } from '../meanings.ts'
import { showFailure } from '../show.ts'

const sent = 'latchkey-demo.sent'

export function startRequest(app: App): void {
  const form = find('ask') as HTMLFormElement
  let url = ''

  const prepare = () => {
    try {
      url = app.client.buildAuthorizeUrl(read(form))
      show(url, '')
    } catch (error) {
      find('request-note').replaceChildren(showFailure(explain(error)))
    }
  }
  const leave = () => go(url)

  const before = takeSent(app.arrival?.parameters.get('state'))
  prepare()
  if (before) show(before, 'This is the request that was sent. The next one gets a new state and a new nonce.')
  form.addEventListener('change', prepare)
  form.addEventListener('submit', (event) => event.preventDefault())
  onClick('sign-in', leave)
  onClick('bar-sign-in', leave)
  onClick('sign-in-popup', async () => {
    const failure = await app.settle(app.client.popup(read(form)))
    if (failure) find('request-note').replaceChildren(showFailure(failure))
    else {
      app.came_by = 'popup'
      app.changed()
    }
  })
}

function read(form: HTMLFormElement): AuthorizeOptions {
  const choices = new FormData(form)
  const scopes = choices.getAll('scope').map(String)
  const prompt = choices.get('prompt')
  return {
    scope: withIdentity(scopes),
    ...(prompt === 'login' || prompt === 'consent' || prompt === 'select_account' || prompt === 'none'
      ? { prompt }
      : {}),
    app_state: { scopes },
  }
}

/** Leaves for the server, remembering the request so that it can be shown beside its answer. */
export function go(url: string): void {
  sessionStorage.setItem(sent, url)
  location.assign(url)
}

/** The request this answer belongs to. */
function takeSent(state: string | null | undefined): string | undefined {
  const url = sessionStorage.getItem(sent)
  sessionStorage.removeItem(sent)
  return url !== null && new URL(url).searchParams.get('state') === state ? url : undefined
}

function show(url: string, note: string): void {
  const { searchParams } = new URL(url)
  const rows = [...searchParams].map(([name, value]) => fact(name, code(value), requestMeanings[name]))
  find('request-parameters').replaceChildren(...rows)
  find('request-url').textContent = url
  find('request-note').replaceChildren(...(note ? [make('span', {}, note)] : []))
}
