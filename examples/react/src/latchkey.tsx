/** Owns the bridge from the SDK to React: a provider that starts the client, and a hook that tells who is signed in. */

import { type AuthorizeOptions, type Client, LatchkeyError, type User } from '@latchkey/spa'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'

type State =
  | { readonly status: 'starting' | 'signed-out' }
  | { readonly status: 'signed-in'; readonly user: User | undefined }
  | { readonly status: 'failed'; readonly error: LatchkeyError }

export type Latchkey = State & {
  signIn(options?: AuthorizeOptions): void
  signOut(): void
  /** An access token for the API; when nobody is signed in any more, the state says so. */
  getToken(): Promise<string>
}

const LatchkeyContext = createContext<Latchkey | undefined>(undefined)

export function LatchkeyProvider({ client, children }: { readonly client: Client; readonly children: ReactNode }) {
  const [state, setState] = useState<State>({ status: 'starting' })

  useEffect(() => {
    let isMounted = true
    start(client).then((next) => {
      if (isMounted) setState(next)
    })
    return () => {
      isMounted = false
    }
  }, [client])

  const value = useMemo<Latchkey>(
    () => ({
      ...state,
      signIn: (options) => client.authorize(options),
      signOut: () => client.logout({ returnTo: `${location.origin}/` }),
      getToken: () =>
        client.getToken().catch((error: unknown) => {
          setState(afterFailure(error))
          throw error
        }),
    }),
    [state, client],
  )
  return <LatchkeyContext value={value}>{children}</LatchkeyContext>
}

/** @throws outside a LatchkeyProvider. */
export function useLatchkey(): Latchkey {
  const value = useContext(LatchkeyContext)
  if (value === undefined) throw new Error('useLatchkey needs a LatchkeyProvider above it')
  return value
}

const starts = new WeakMap<Client, Promise<State>>()

/** Reads an answer in the address, or asks silently. Once per client: in strict mode React runs effects twice. */
function start(client: Client): Promise<State> {
  const running = starts.get(client)
  if (running) return running
  const answer = client.isCallback() ? client.handleCallback() : client.renew()
  const starting = answer.then((): State => ({ status: 'signed-in', user: client.user() }), afterFailure)
  starts.set(client, starting)
  return starting
}

function afterFailure(error: unknown): State {
  if (!(error instanceof LatchkeyError)) throw error
  // To be signed out is no failure; neither is a consent that is still to be given.
  const needsPage = ['login_required', 'consent_required', 'interaction_required'].includes(error.code)
  return needsPage ? { status: 'signed-out' } : { status: 'failed', error }
}
