/** Owns `latchkey serve`. */
import { defineCommand } from '../command.ts'
import { untilStopped } from '../until_stopped.ts'

export const serve = defineCommand({
  name: 'serve',
  summary: 'Run the server.',
  notes: `
Example:
  $ latchkey serve --issuer https://login.example.com/ --database sqlite:/var/lib/latchkey/latchkey.sqlite \\
      --apply tenant.yaml --trust-proxy 10.0.0.0/8

Every option is also an environment variable. Logs are JSON lines on the standard output. SIGTERM stops it once the
requests in flight are answered.`,
  options: 'serve',
  async run({ config }) {
    const { startServer } = await import('@latchkey/server')
    await untilStopped(await startServer(config), config.shutdown_timeout)
  },
})
