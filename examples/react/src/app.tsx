/** Owns the pages of the example: signed out, signed in with the profile, and the answer of the API. */

import { useState } from 'react'
import { useLatchkey } from './latchkey.tsx'

export function App({ api }: { readonly api: string }) {
  const latchkey = useLatchkey()
  return (
    <main data-state={latchkey.status}>
      <img src="/latchkey.svg" alt="" width="44" height="44" />
      <h1>Latchkey with React</h1>
      {latchkey.status === 'starting' && <p role="status">Looking for a session…</p>}
      {latchkey.status === 'signed-out' && <SignedOut />}
      {latchkey.status === 'signed-in' && <SignedIn api={api} />}
      {latchkey.status === 'failed' && (
        <div role="alert">
          <p>
            <code>{latchkey.error.code}</code> {latchkey.error.message}
          </p>
          <p>{latchkey.error.fix}</p>
          <SignedOut />
        </div>
      )}
    </main>
  )
}

function SignedOut() {
  const { signIn } = useLatchkey()
  return (
    <>
      <p>You are not signed in.</p>
      <button type="button" className="primary" onClick={() => signIn()}>
        Sign in
      </button>
    </>
  )
}

function SignedIn({ api }: { readonly api: string }) {
  const latchkey = useLatchkey()
  const user = latchkey.status === 'signed-in' ? latchkey.user : undefined
  return (
    <>
      <dl>
        <dt>Name</dt>
        <dd>{user?.name}</dd>
        <dt>E-mail</dt>
        <dd>{user?.email}</dd>
        <dt>Subject</dt>
        <dd>
          <code>{user?.sub}</code>
        </dd>
      </dl>
      <Messages api={api} />
      <button type="button" onClick={() => latchkey.signOut()}>
        Sign out
      </button>
    </>
  )
}

interface Message {
  readonly id: string
  readonly text: string
}

function Messages({ api }: { readonly api: string }) {
  const { getToken } = useLatchkey()
  const [messages, setMessages] = useState<readonly Message[]>([])
  const [problem, setProblem] = useState('')

  const load = async () => {
    try {
      const headers = { authorization: `Bearer ${await getToken()}` }
      const answer = await fetch(`${api}/messages`, { headers })
      const body = await answer.json()
      setMessages(answer.ok ? body.messages : [])
      setProblem(answer.ok ? '' : `${answer.status} ${body.error_description}`)
    } catch (error) {
      setProblem(String(error))
    }
  }

  return (
    <section>
      <button type="button" className="primary" onClick={load}>
        Read my messages
      </button>
      <div role="status">
        {problem !== '' && <p className="problem">{problem}</p>}
        <ul>
          {messages.map(({ id, text }) => (
            <li key={id}>{text}</li>
          ))}
        </ul>
      </div>
    </section>
  )
}
