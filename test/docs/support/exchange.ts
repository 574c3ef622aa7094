/** Owns HTTP messages as pages show them: a request that is sent, and an answer that is compared. Indented lines go on the one before. */
import type { Agent, Answer } from '../../support/agent.ts'
import { differences, looksLike } from './compare.ts'

export interface Message {
  /** The request line or the status line. */
  readonly first: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export function readMessage(text: string): Message {
  const [head = '', ...rest] = text.split('\n\n')
  const [first = '', ...lines] = head.replaceAll(/\n\s+/g, '').trim().split('\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { first, headers, body: rest.join('\n\n').trim() }
}

/**
 * Sends a request as it stands on a page. Names in braces, such as `{access_token}`, are filled in.
 * @param origin where it goes instead of the host on the page
 */
export function send(
  agent: Agent,
  origin: string,
  text: string,
  values: Readonly<Record<string, string>>,
): Promise<Answer> {
  const filled = text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
  const { first, headers, body } = readMessage(filled)
  const [method = 'GET', path = '/'] = first.split(' ')
  const sent = Object.fromEntries(headers.filter(([name]) => name !== 'host'))
  const isForm = sent['content-type'] === 'application/x-www-form-urlencoded'
  const payload = isForm ? body.replaceAll(/\s+/g, '') : body
  return agent.request(new URL(path, origin).href, { method, headers: sent, ...(body === '' ? {} : { body: payload }) })
}

/** Where an answer differs from the page. @returns a line for each difference */
export function answerDifferences(shown: string, answer: Answer, toPage: (text: string) => string): readonly string[] {
  const { first, headers, body } = readMessage(shown)
  const problems: string[] = []
  const status = /^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]
  if (Number(status) !== answer.status) problems.push(`the status is ${answer.status}`)
  for (const [name, value] of headers) {
    const actual =
      answer.headers.getSetCookie !== undefined && name === 'set-cookie'
        ? answer.headers.getSetCookie().join('\n')
        : (answer.headers.get(name) ?? 'missing')
    const lines = toPage(actual).split('\n')
    if (!lines.some((line) => looksLike(value, line))) problems.push(`the header ${name} is ${lines.join(' and ')}`)
  }
  return [...problems, ...bodyDifferences(body, toPage(answer.body))]
}

function bodyDifferences(shown: string, actual: string): readonly string[] {
  if (shown === '') return []
  if (/^[{[]/.test(shown)) return differences(JSON.parse(shown), JSON.parse(actual))
  return looksLike(shown, actual) ? [] : [`the body is ${actual.slice(0, 2000)}`]
}
