/** Owns the reading of an authorization response, whichever way it came, and of the error page. */
import { type Answer, formOf } from './agent.ts'

export interface Outcome {
  readonly via: 'fragment' | 'query' | 'form_post' | 'web_message'
  /** Where it goes: the redirect URI without what was added, or the origin of a message. */
  readonly target: string
  readonly parameters: Readonly<Record<string, string>>
}

/** @throws Error when the answer is no authorization response */
export function outcomeOf(answer: Answer): Outcome {
  if (answer.location !== undefined) return fromAddress(answer.location)
  const message = messageOf(answer)
  if (message !== undefined) {
    const { target, response } = message
    const parameters = Object.fromEntries(Object.entries(response).map(([name, value]) => [name, String(value)]))
    return { via: 'web_message', target, parameters }
  }
  if (answer.body.includes('id="response"')) {
    const { action, fields } = formOf(answer)
    return { via: 'form_post', target: action, parameters: fields }
  }
  throw new Error(`No authorization response at ${answer.url}: ${answer.status} ${answer.body.slice(0, 300)}`)
}

function fromAddress(location: string): Outcome {
  const hash = location.indexOf('#')
  if (hash >= 0) return { via: 'fragment', target: location.slice(0, hash), parameters: read(location.slice(hash + 1)) }
  const mark = location.indexOf('?')
  return { via: 'query', target: location.slice(0, mark), parameters: read(location.slice(mark + 1)) }
}

/** A name that comes twice is an error, not a guess. */
function read(text: string): Record<string, string> {
  const pairs = [...new URLSearchParams(text)]
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Error(`Repeated in the answer: ${text}`)
  return Object.fromEntries(pairs)
}

export interface Message {
  readonly target: string
  readonly type: string
  readonly response: Readonly<Record<string, string | number>>
}

/** What the script of a `web_message` page posts, and to whom; undefined when it posts nothing. */
export function messageOf({ body }: Answer): Message | undefined {
  const [, data, target] = /postMessage\((\{.*\}), ("[^"]*")\)/.exec(body) ?? []
  if (data === undefined || target === undefined) return undefined
  return { ...(JSON.parse(data) as Omit<Message, 'target'>), target: JSON.parse(target) as string }
}

export interface ErrorPage {
  readonly status: number
  readonly error: string
  readonly description: string
  readonly tracking: string
}

/** @throws Error when the answer is a redirect or another page */
export function errorPageOf(answer: Answer): ErrorPage {
  if (answer.location !== undefined) throw new Error(`Not a page but a redirect to ${answer.location}`)
  const pick = (pattern: RegExp) => decode(pattern.exec(answer.body)?.[1] ?? '')
  const error = pick(/id="error-code"[^>]*>([^<]*)</)
  if (error === '') throw new Error(`Not an error page: ${answer.status} ${answer.body.slice(0, 300)}`)
  return {
    status: answer.status,
    error,
    description: pick(/<p class="lead"><bdi lang="en">([^<]*)</),
    tracking: pick(/id="tracking"[^>]*>([^<]*)</),
  }
}

function decode(text: string): string {
  return text
    .replaceAll('&#39;', "'")
    .replaceAll('&#34;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
