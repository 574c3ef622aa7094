/** Owns putting the demo together: read where the servers are, take in an answer, start the steps. */

import { type App, createApp, explain } from './app.ts'
import { loadConfig } from './config.ts'
import { find, onClick } from './dom.ts'
import { showFailure } from './show.ts'
import { startAnswer } from './steps/answer.ts'
import { startApi } from './steps/api.ts'
import { startRenewal } from './steps/renewal.ts'
import { startRequest } from './steps/request.ts'
import { startTokens } from './steps/tokens.ts'

const config = await loadConfig()
find('party-app').textContent = location.origin
find('party-issuer').textContent = config.issuer
find('party-api').textContent = config.api

try {
  await start(createApp(config))
} catch (error) {
  const failure = explain(error)
  const fix =
    config.client_id === '' ? 'Start the demo with npm start: it writes the client_id into config.json.' : failure.fix
  find('setup').replaceChildren(showFailure({ ...failure, fix }))
  find('setup').hidden = false
  document.body.dataset.state = 'broken'
  find('who').textContent = 'Not set up'
}

async function start(app: App): Promise<void> {
  await takeIn(app)
  startRequest(app)
  startAnswer(app)
  startTokens(app)
  startApi(app)
  const { renew } = startRenewal(app)
  startSigningOut(app)
  app.onChange(() => showState(app))
  app.changed()
  if (app.arrival) find('answer').scrollIntoView({ behavior: 'instant' })
  // A new page knows no tokens, but the session at the server may still be there.
  if (!app.client.isAuthenticated()) await renew('on opening the page')
  app.changed()
}

/** Takes the answer out of the address before anything is shown; a copy is kept to show. */
async function takeIn(app: App): Promise<void> {
  if (!app.client.isCallback()) return
  const address = location.href
  const parameters = new URLSearchParams(location.hash.slice(1))
  const failure = await app.settle(app.client.handleCallback())
  app.arrival = failure ? { address, parameters, failure } : { address, parameters }
}

function startSigningOut(app: App): void {
  const request = { returnTo: `${location.origin}/` }
  const leave = () => {
    sessionStorage.clear()
    app.client.logout(request)
  }
  find('logout-url').textContent = app.client.buildLogoutUrl(request)
  onClick('sign-out', leave)
  onClick('bar-sign-out', leave)
}

function showState(app: App): void {
  const user = app.client.user()
  const signedIn = app.client.isAuthenticated()
  document.body.dataset.state = signedIn ? 'signed-in' : 'signed-out'
  find('who').textContent = signedIn ? `Signed in as ${user?.name ?? user?.email ?? user?.sub}` : 'Not signed in'
  find('bar-sign-in').hidden = signedIn
  find('bar-sign-out').hidden = !signedIn
}
