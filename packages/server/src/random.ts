/** Owns random bytes: they are needed a few at a time and often, so they are taken from the system many at a time. */
import { randomBytes, randomFillSync } from 'node:crypto'

/** Asking the system costs more than anything that is done with sixteen bytes. */
const stockSize = 4096

/** @returns a function that gives as many random bytes as it is asked for, as base64url */
export function openRandom(): (bytes: number) => string {
  const stock = Buffer.alloc(stockSize)
  let used = stockSize
  return (bytes) => {
    if (bytes > stockSize) return randomBytes(bytes).toString('base64url')
    if (used + bytes > stockSize) {
      randomFillSync(stock)
      used = 0
    }
    const text = stock.toString('base64url', used, used + bytes)
    // What was given out is a secret now: nothing of it stays here.
    stock.fill(0, used, used + bytes)
    used += bytes
    return text
  }
}
