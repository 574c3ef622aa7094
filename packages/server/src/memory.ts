/** Owns giving memory back: a start needs a heap twice the size of what the running server keeps. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Milliseconds after the start; by then nothing of it is needed any more, and the compile cache is written. */
const afterStart = 4000

export function giveBackMemory(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as (options: object) => void
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, afterStart).unref()
}
