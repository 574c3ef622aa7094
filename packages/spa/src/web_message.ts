/** Owns answers that come as a message from another window: the hidden frame of renew(), the window of popup(). */

import { LatchkeyError } from './errors.ts'
import type { Answer } from './response.ts'

interface Wait {
  /** The address of `/authorize`. */
  readonly url: string
  readonly state: string
  /** Seconds to wait. */
  readonly seconds: number
}

/** Loads the address in a frame nobody sees. @throws {LatchkeyError} `timeout`. */
export async function askInFrame(wait: Wait): Promise<Answer> {
  const frame = document.createElement('iframe')
  frame.style.display = 'none'
  frame.title = 'sign-in'
  frame.src = wait.url
  document.body.append(frame)
  try {
    return await listen(frame.contentWindow, wait)
  } finally {
    frame.remove()
  }
}

/** Opens the address in a window. @throws {LatchkeyError} `popup_blocked`, `popup_closed`, `timeout`. */
export async function askInPopup(wait: Wait): Promise<Answer> {
  const width = 460
  const height = 720
  const left = Math.max(0, screenX + (outerWidth - width) / 2)
  const top = Math.max(0, screenY + (outerHeight - height) / 2)
  const popup = open(wait.url, 'latchkey', `popup,width=${width},height=${height},left=${left},top=${top}`)
  if (!popup) throw new LatchkeyError('popup_blocked', 'The browser did not open the window.')
  try {
    return await listen(popup, wait, () => popup.closed)
  } finally {
    popup.close()
  }
}

/** Waits for the one message that comes from this window, from the server's origin, with this state. */
function listen(source: Window | null, { url, state, seconds }: Wait, isClosed = () => false): Promise<Answer> {
  const { origin } = new URL(url)
  return new Promise<Answer>((resolve, reject) => {
    let closed = false
    const watch = setInterval(() => {
      // One round of grace: the answer may have been posted just before the window closed.
      if (closed) end(() => reject(new LatchkeyError('popup_closed', 'The window was closed.')))
      closed = isClosed()
    }, 300)
    const timer = setTimeout(() => {
      end(() => reject(new LatchkeyError('timeout', `The server did not answer within ${seconds} seconds.`)))
    }, seconds * 1000)
    const receive = (event: MessageEvent<unknown>) => {
      if (event.origin !== origin || event.source !== source) return
      const answer = readMessage(event.data)
      if (answer?.state === state) end(() => resolve(answer))
    }
    const end = (settle: () => void) => {
      removeEventListener('message', receive)
      clearInterval(watch)
      clearTimeout(timer)
      settle()
    }
    addEventListener('message', receive)
  })
}

function readMessage(data: unknown): Answer | undefined {
  const { type, response } = (data ?? {}) as { type?: unknown; response?: unknown }
  if (type !== 'authorization_response' || typeof response !== 'object' || response === null) return undefined
  const texts = Object.entries(response).filter(([, value]) => typeof value === 'string' || typeof value === 'number')
  return Object.fromEntries(texts.map(([name, value]) => [name, String(value)]))
}
