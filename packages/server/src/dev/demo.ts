/** Owns starting the demo app and the demo API beside a development server, where this is a clone that has them. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildDemoApp } from './demo_app.ts'
import { demo, demoAudience } from './seed.ts'

const examples = new URL('../../../../examples/', import.meta.url)

export interface Demo {
  /** Undefined where the app is not built. */
  readonly app: string | undefined
  readonly api: string | undefined
  close(): Promise<void>
}

interface Ports {
  readonly app_port: number
  readonly api_port: number
}

/** @param issuers the names of the server; the first is the one that the app uses */
export async function startDemo(issuers: readonly string[], { app_port, api_port }: Ports): Promise<Demo> {
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    await Promise.all(closers.map((one) => one()))
  }
  try {
    const api = await startDemoApi(issuers, app_port, api_port)
    if (api !== undefined) closers.push(() => api.close())
    const app = await startDemoApp(issuers, app_port, api_port)
    if (app !== undefined) closers.push(() => app.close())
    return { app: app?.url, api: api?.url, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Running {
  readonly url: string
  close(): Promise<void>
}

/** The example is a program of its own, so it is found as a file and not imported as a part of this one. */
async function startDemoApi(
  issuers: readonly string[],
  app_port: number,
  api_port: number,
): Promise<Running | undefined> {
  const file = new URL('api/src/index.ts', examples)
  if (!existsSync(file)) return undefined
  const { startApi } = (await import(file.href)) as { startApi(options: object): Promise<Running> }
  const allowed_origins = [`http://localhost:${app_port}`, 'http://localhost:5173']
  return startApi({ issuer: issuers, audience: demoAudience(api_port), port: api_port, allowed_origins })
}

async function startDemoApp(
  issuers: readonly string[],
  app_port: number,
  api_port: number,
): Promise<Running | undefined> {
  const folder = fileURLToPath(new URL('spa/dist/', examples))
  if (!existsSync(folder)) return undefined
  const [issuer = ''] = issuers
  const config = {
    issuer,
    client_id: demo.client_id,
    audience: demoAudience(api_port),
    api: `http://localhost:${api_port}`,
  }
  const app = buildDemoApp({ folder, config })
  await app.listen({ port: app_port, host: 'localhost' })
  return { url: `http://localhost:${app_port}`, close: () => app.close() }
}
