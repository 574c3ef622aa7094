/** Owns sending requests as fast as they are answered, and counting. */
import autocannon from 'autocannon'

export interface Load {
  readonly url: string
  readonly headers?: Record<string, string>
  /** Seconds, or a number of answers: when to end. */
  readonly until: { readonly seconds: number } | { readonly answers: number }
  /** The status that every answer must have. */
  readonly status: number
}

/**
 * The sender stays awake between answers: to wake a core that sleeps costs whoever writes to it, and a client on the same machine is not
 * what a server has to pay for.
 * @returns the number of answers
 * @throws Error when an answer has another status, for then it was something else that was measured
 */
export async function send({ url, headers = {}, until, status }: Load): Promise<number> {
  const rest = stayAwake()
  const result = await autocannon({
    ...{ url, headers, connections: 20 },
    ...('answers' in until ? { amount: until.answers } : { duration: until.seconds }),
  })
  rest()
  const counts: Readonly<Record<string, { count?: number }>> = result.statusCodeStats ?? {}
  const wrong = Object.keys(counts).filter((code) => code !== String(status))
  if (wrong.length > 0 || result.errors > 0)
    throw new Error(`${url} answered ${JSON.stringify(counts)} with ${result.errors} errors`)
  return counts[String(status)]?.count ?? 0
}

/** Keeps the event loop turning. @returns what ends that */
export function stayAwake(): () => void {
  let turning = setImmediate(turn)
  function turn(): void {
    turning = setImmediate(turn)
  }
  return () => clearImmediate(turning)
}
