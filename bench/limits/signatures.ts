/** Owns the limit of signing: the signatures of a response one after the other, as it needs them, several responses at a time. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

const [alg = 'RS256', milliseconds = '2000', count = '2'] = process.argv.slice(2)
const keys: Readonly<Record<string, () => KeyObject>> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
}
const makeKey = keys[alg]
if (makeKey === undefined) throw new Error(`No limit is known for ${alg}`)
const key = makeKey()
const data = Buffer.alloc(600, 'x')

function signOnce(): Promise<void> {
  return new Promise((resolve, reject) => {
    sign('sha256', data, key, (error) => (error === null ? resolve() : reject(error)))
  })
}

async function measure(time: number): Promise<number> {
  const began = performance.now()
  let responses = 0
  const walkers = Array.from({ length: 20 }, async () => {
    while (performance.now() - began < time) {
      for (let one = 0; one < Number(count); one++) await signOnce()
      responses++
    }
  })
  await Promise.all(walkers)
  return responses / ((performance.now() - began) / 1000)
}

await measure(300)
process.stdout.write(String(await measure(Number(milliseconds))))
