/** Owns the client that is measured with: keep-alive connections, and steps that follow one from another, which no load generator does. */
import { Agent as Connections, request as open } from 'node:http'

const connections = new Connections({ keepAlive: true, maxSockets: 64 })

export interface Reply {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

export function call(
  url: string,
  headers: Readonly<Record<string, string>>,
  fields?: Readonly<Record<string, string>>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const body = fields === undefined ? undefined : new URLSearchParams(fields).toString()
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body?.length ?? 0) }
    const sent = open(
      url,
      {
        agent: connections,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, ...(body === undefined ? {} : form) },
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, location: answer.headers.location, body: text }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/**
 * Walks so many journeys beside each other, again and again.
 * @param step one journey; what it returns is given to the next one of the same walker
 * @returns how many journeys were walked
 */
export async function walk<State>(
  walkers: readonly State[],
  seconds: number,
  step: (state: State) => Promise<State>,
): Promise<{ done: number; walkers: State[] }> {
  const end = performance.now() + seconds * 1000
  let done = 0
  const after = await Promise.all(
    walkers.map(async (walker) => {
      let state = walker
      while (performance.now() < end) {
        state = await step(state)
        done++
      }
      return state
    }),
  )
  return { done, walkers: after }
}
