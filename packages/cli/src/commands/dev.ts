/** Owns `latchkey dev`. */
import { defineCommand } from '../command.ts'
import { untilStopped } from '../until_stopped.ts'

export const dev = defineCommand({
  name: 'dev',
  summary: 'Run a server for development, with a tenant, a user, the demo app and the demo API.',
  notes: `
It listens on http and on https with a certificate of its own authority, prints how to trust it, and prints settings for
your own app. Mails go into a mailbox page. What it makes is kept in the directory ".latchkey" for the next start.`,
  options: 'dev',
  async run({ config, print }) {
    const { startDevelopment } = await import('@latchkey/server/dev')
    await untilStopped(await startDevelopment(config, { print }), config.shutdown_timeout)
  },
})
