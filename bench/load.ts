/** Owns sending requests as fast as they are answered, and counting. */
import autocannon from 'autocannon'

export interface Load {
  readonly url: string
  readonly headers?: Record<string, string>
  /** Seconds. */
  readonly seconds: number
  /** The status that every answer must have. */
  readonly status: number
}

/** @returns answers a second @throws Error when an answer has another status, for then it was something else that was measured */
export async function send({ url, headers = {}, seconds, status }: Load): Promise<number> {
  const result = await autocannon({ url, headers, duration: seconds, connections: 20 })
  const counts: Readonly<Record<string, { count?: number }>> = result.statusCodeStats ?? {}
  const wrong = Object.keys(counts).filter((code) => code !== String(status))
  if (wrong.length > 0 || result.errors > 0)
    throw new Error(`${url} answered ${JSON.stringify(counts)} with ${result.errors} errors`)
  return (counts[String(status)]?.count ?? 0) / result.duration
}
