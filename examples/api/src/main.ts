/** Owns running the demo API alone, configured by the environment. */
import { startApi } from './index.ts'

const { LATCHKEY_ISSUER, AUDIENCE, PORT, ALLOWED_ORIGINS } = process.env
const list = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '')

const api = await startApi({
  issuer: list(LATCHKEY_ISSUER ?? 'http://localhost:8400/'),
  audience: AUDIENCE ?? 'http://localhost:8402/',
  port: Number(PORT ?? 8402),
  allowed_origins: list(ALLOWED_ORIGINS ?? 'http://localhost:8401'),
})
console.log(`The demo API listens on ${api.url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void api.close())
