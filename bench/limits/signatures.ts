/**
 * Owns the limit of signing: the signatures of a response one after the other, as it needs them, and nothing else. It is asked on its
 * standard input, a line each time: the way (`loop`: called and waited for; `pool`: in the thread pool, twenty responses at a time), how
 * many signatures a response needs, and for how many milliseconds. It answers with the number of responses.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createInterface } from 'node:readline'

const [alg = 'RS256'] = process.argv.slice(2)
const keys: Readonly<Record<string, () => KeyObject>> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
}
const makeKey = keys[alg]
if (makeKey === undefined) throw new Error(`No limit is known for ${alg}`)
const key = makeKey()
const data = Buffer.alloc(600, 'x')

const ways: Readonly<Record<string, (count: number, end: number) => number | Promise<number>>> = { loop, pool }

function loop(count: number, end: number): number {
  let responses = 0
  while (performance.now() < end) {
    for (let one = 0; one < count; one++) sign('sha256', data, key)
    responses++
  }
  return responses
}

async function pool(count: number, end: number): Promise<number> {
  let responses = 0
  const walkers = Array.from({ length: 20 }, async () => {
    while (performance.now() < end) {
      for (let one = 0; one < count; one++) await signInPool()
      responses++
    }
  })
  await Promise.all(walkers)
  return responses
}

function signInPool(): Promise<void> {
  return new Promise((resolve, reject) => {
    sign('sha256', data, key, (error) => (error === null ? resolve() : reject(error)))
  })
}

for await (const line of createInterface({ input: process.stdin })) {
  const [way = '', count, milliseconds] = line.split(' ')
  const responses = await ways[way]?.(Number(count), performance.now() + Number(milliseconds))
  process.stdout.write(`${responses}\n`)
}
