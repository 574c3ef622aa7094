/** Owns putting the example together: the configuration, one client for the life of the page, the root of React. */

import { createClient } from '@latchkey/spa'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { LatchkeyProvider } from './latchkey.tsx'

const defaults = {
  issuer: 'http://localhost:8400/',
  client_id: 'LatchkeyDemoReactApp000000000001',
  audience: 'http://localhost:8402/',
  api: 'http://localhost:8402',
}
const given: unknown = await fetch('/config.json')
  .then((answer) => (answer.ok ? answer.json() : undefined))
  .catch(() => undefined)
const { issuer, client_id, audience, api } = { ...defaults, ...(given as Partial<typeof defaults> | undefined) }

const client = createClient({
  issuer,
  client_id,
  audience,
  redirect_uri: `${location.origin}/`,
  scope: 'openid profile email read:messages',
})

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no #root')
createRoot(root).render(
  <StrictMode>
    <LatchkeyProvider client={client}>
      <App api={api} />
    </LatchkeyProvider>
  </StrictMode>,
)
