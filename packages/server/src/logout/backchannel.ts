/** Owns telling clients directly that a session has ended: what is due lies in the database, and is tried until it is heard. */
import { type Context, issueLogoutToken, type Log } from '@latchkey/core'
import type { LogoutNotice, Store } from '@latchkey/store'

const lookEvery = 5_000
const sendingTakes = 30_000
const firstWait = 5_000
const longestWait = 3_600_000
/** Clients that are told at the same time: a slow one holds nobody up. */
const atOnce = 8

export interface LogoutOutbox {
  /** Tells whom there is to tell now. @returns when that is done */
  wake(): Promise<void>
  close(): Promise<void>
}

/**
 * @param contextOf the context of a name of the server, as it is now
 * @spec OpenID Connect Back-Channel Logout §2.5
 */
export function openLogoutOutbox(
  store: Store,
  contextOf: (issuer: string) => Promise<Context>,
  now: () => number,
  log: Log,
): LogoutOutbox {
  const workers = new Set<Promise<void>>()
  let closed = false
  const timer = setInterval(() => void wake(), lookEvery)
  timer.unref()

  /** Whoever finds something to do sees that somebody else looks for more meanwhile. */
  async function work(): Promise<void> {
    while (!closed) {
      const notice = await store.sessionClients.takeDue(now(), now() + sendingTakes)
      if (notice === undefined) return
      await Promise.all([deliver(notice), wake()])
    }
  }

  async function deliver(notice: LogoutNotice): Promise<void> {
    try {
      await tell(await contextOf(notice.issuer), notice)
      await store.sessionClients.told(notice.sid, notice.client_id)
    } catch (error) {
      await tryLater(notice, error)
    }
  }

  async function tryLater(notice: LogoutNotice, error: unknown): Promise<void> {
    const { sid, client_id, attempts, ends_at } = notice
    const next = now() + Math.min(firstWait * 2 ** Math.min(attempts - 1, 20), longestWait)
    const says = next < ends_at ? 'is told of a logout again later' : 'was not told of a logout and is not tried again'
    log.warn({ err: error, client_id, attempts }, `a client ${says}`)
    await store.sessionClients.failed(sid, client_id, error instanceof Error ? error.message : String(error), next)
  }

  async function wake(): Promise<void> {
    if (closed || workers.size >= atOnce) return
    const worker = work().catch((error: unknown) =>
      log.error({ err: error }, 'the logouts to tell of could not be read'),
    )
    workers.add(worker)
    await worker
    workers.delete(worker)
  }

  return {
    wake,
    async close() {
      closed = true
      clearInterval(timer)
      await Promise.all(workers)
    },
  }
}

/** @throws Error when the client has not heard */
async function tell(ctx: Context, notice: LogoutNotice): Promise<void> {
  const client = ctx.configuration.client(notice.client_id)
  const uri = client?.backchannel_logout_uri
  if (client === undefined || uri === undefined) return
  const logout_token = await issueLogoutToken(ctx, client, notice)
  const { status } = await ctx.fetch(uri, {
    method: 'POST',
    accept: [],
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `logout_token=${logout_token}`,
  })
  // OpenID Connect Back-Channel Logout §2.8: 200; some frameworks turn an empty answer into 204.
  if (status !== 200 && status !== 204) throw new Error(`${client.name} answered its logout token with ${status}`)
}
