/** Owns running the demo MCP server alone, configured by the environment. */
import { startMcp } from './index.ts'

const { LATCHKEY_ISSUER, PORT, RESOURCE } = process.env
const mcp = await startMcp({
  issuer: LATCHKEY_ISSUER ?? 'http://localhost:8400/',
  port: Number(PORT ?? 8403),
  ...(RESOURCE === undefined ? {} : { resource: RESOURCE }),
})
console.log(`The demo MCP server listens on ${mcp.url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void mcp.close())
