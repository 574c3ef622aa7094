/** Owns the count of what each client is used for: kept in memory and written now and then, so that no answer waits for it. */
import type { Log } from '@latchkey/core'
import type { Store } from '@latchkey/store'

const writeEvery = 10_000

export interface UsageCount {
  count(client_id: string, response_type: string): void
  /** Writes what was counted, and counts no more. */
  close(): Promise<void>
}

export function countUsage(store: Store, now: () => number, log: Log): UsageCount {
  let counts = new Map<string, number>()
  const timer = setInterval(() => void write(), writeEvery)
  timer.unref()

  async function write(): Promise<void> {
    const taken = counts
    counts = new Map()
    const day = new Date(now()).toISOString().slice(0, 10)
    try {
      for (const [key, count] of taken) {
        const [client_id = '', response_type = ''] = key.split('\n')
        await store.upkeep.countUse(client_id, response_type, day, count)
      }
    } catch (error) {
      log.error({ err: error }, 'the use of clients could not be counted')
    }
  }

  return {
    count(client_id, response_type) {
      const key = `${client_id}\n${response_type}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    async close() {
      clearInterval(timer)
      await write()
    },
  }
}
