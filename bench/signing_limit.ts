/** Owns the limit that signing sets: how many answers a second one core can sign if it does nothing else, in the quicker of two ways. */
import { join } from 'node:path'
import { perSecond, startAsked } from './processes.ts'

export interface SigningLimit {
  /** The row's words for it. */
  readonly reference: string
  /** @returns answers a second, see `perSecond` */
  measure(seconds: number): Promise<number>
  stop(): Promise<void>
}

/** @param count signatures of one answer, each of which needs the one before */
export async function openSigningLimit(root: string, alg: string, count: number): Promise<SigningLimit> {
  const program = startAsked([join(root, 'bench/limits/signatures.ts'), alg])
  const ask = async (way: string, seconds: number) => Number(await program.ask(`${way} ${count} ${seconds * 1000}`))
  for (const way of ['loop', 'pool']) await ask(way, 0.5)
  return {
    reference: `${count === 1 ? 'one' : 'two'} ${alg} signature${count === 1 ? '' : 's'}, nothing else`,
    async measure(seconds) {
      const ways: number[] = []
      for (const way of ['loop', 'pool']) ways.push(await perSecond(program, () => ask(way, seconds)))
      return Math.max(...ways)
    },
    stop: program.stop,
  }
}
