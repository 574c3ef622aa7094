/** Owns the starting and stopping of test servers on a free port of this machine. */
import { once } from 'node:events'
import type { Server } from 'node:net'

/** Listens on a free port and returns the origin. */
export async function addressOf(server: Server): Promise<string> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return `http://127.0.0.1:${address.port}`
}

export async function close(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections?.()
  await closed
}
