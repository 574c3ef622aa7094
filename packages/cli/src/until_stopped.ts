/** Owns the end of a server: the signal to stop, the time to finish, and the exit. */

interface Running {
  close(): Promise<void>
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Milliseconds. */
const sameWish = 500

/**
 * Waits for a signal, then lets the server finish. A second signal, or the end of the time, ends the process at once.
 * @param seconds that requests in flight have to finish
 */
export async function untilStopped(server: Running, seconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve())
  })
  const told = performance.now()
  for (const signal of signals) {
    process.removeAllListeners(signal)
    // A terminal signals the whole group, and npm passes its own on: two at once are one wish.
    process.on(signal, () => {
      if (performance.now() - told > sameWish) process.exit(1)
    })
  }
  const timer = setTimeout(() => {
    process.stderr.write(`Some requests were still running after ${seconds} s; they were broken off.\n`)
    process.exit(1)
  }, seconds * 1000)
  await server.close()
  clearTimeout(timer)
  // Whatever else is still open must not keep a stopped server alive.
  process.exit(0)
}
