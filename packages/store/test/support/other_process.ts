/** Owns the other process of these tests: it opens the same file and does what it is told, line by line. */
import { createInterface } from 'node:readline'
import { migrate, openDatabase, openStore, openVault } from '../../src/index.ts'

const [address = '', secret = '', ...rest] = process.argv.slice(2)
const db = openDatabase(address)
if (rest.includes('migrate')) await migrate(db)
const store = openStore(db, 'one', openVault([secret]))
const now = 1_800_000_000_000

const work: Readonly<Record<string, (...words: string[]) => Promise<unknown>>> = {
  createUser: (user_id = '') =>
    store.users.create({ user_id, connection: 'db', email_verified: false, profile: {} }, now),
  touch: () => store.configuration.touch(now),
  async count(key = '', times = '') {
    const counts: number[] = []
    for (let index = 0; index < Number(times); index++) counts.push((await store.counters.add(key, 1e9, now)).count)
    return counts
  },
  // Reads first and writes later: without the write lock from the start, another process could write in between.
  async allow(user_id = '', prefix = '', times = '') {
    for (let index = 0; index < Number(times); index++) {
      const grant = {
        grant_id: `${prefix}${index}`,
        user_id,
        client_id: 'c',
        audience: 'a',
        scope: [`${prefix}${index}`],
      }
      await store.grants.allow(grant, now)
    }
  },
  async take(...tickets: string[]) {
    const taken: string[] = []
    for (const ticket of tickets) if (await store.tickets.take('unblock', ticket, now)) taken.push(ticket)
    return taken
  },
  async hold(milliseconds = '') {
    await store.atomically(async (trx) => {
      await trx.configuration.touch(now)
      await new Promise((resolve) => setTimeout(resolve, Number(milliseconds)))
    })
  },
}

process.stdout.write('"ready"\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', ...words] = line.split(' ')
  const answer = await work[name]?.(...words)
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
}
await db.destroy()
