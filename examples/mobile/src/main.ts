/** Owns the page of a mobile app: it asks the app around it to show the sign-in, and reads the callback it is handed. */

import { createClient, LatchkeyError } from '@latchkey/spa'

/** What the app around this page does for it. */
interface Shell {
  /** Shows a web view at `url`; answers with the address that starts with `callback`, or nothing when it was closed. */
  signIn(url: string, callback: string): Promise<string | undefined>
}

declare global {
  interface Window {
    shell?: Shell
  }
}

const callback = 'com.example.latchkey://callback'
const { issuer, client_id, audience, api } = await fetch('config.json').then((answer) => answer.json())
const client = createClient({
  issuer,
  client_id,
  audience,
  redirect_uri: callback,
  scope: 'openid profile read:messages',
})

show(window.shell ? 'signed-out' : 'broken', window.shell ? 'You are not signed in.' : 'This page belongs in its app.')
find('sign-in').addEventListener('click', () => void signIn())
find('read').addEventListener('click', () => void readMessages())

async function signIn(): Promise<void> {
  const address = await window.shell?.signIn(client.buildAuthorizeUrl(), callback)
  if (address === undefined) return show('signed-out', 'You closed the sign-in.')
  try {
    const { user } = await client.handleCallback(address)
    show('signed-in', `Hello, ${user?.name ?? user?.sub}.`)
  } catch (error) {
    show('signed-out', error instanceof LatchkeyError ? `${error.message} ${error.fix}` : String(error))
  }
}

async function readMessages(): Promise<void> {
  // Silent renewal needs a frame that shares its cookies with the sign-in; here the person signs in again instead.
  if (!client.isAuthenticated()) return signIn()
  const headers = { authorization: `Bearer ${await client.getToken({ min_ttl: 0 })}` }
  const { messages } = await fetch(`${api}/messages`, { headers }).then((answer) => answer.json())
  const items = messages.map(({ text }: { readonly text: string }) => {
    const item = document.createElement('li')
    item.textContent = text
    return item
  })
  find('messages').replaceChildren(...items)
}

function show(state: string, text: string): void {
  document.body.dataset.state = state
  find('status').textContent = text
  find('sign-in').hidden = state !== 'signed-out'
  find('read').hidden = state !== 'signed-in'
}

function find(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no #${id}`)
  return element
}
