/** Owns where the demo finds its servers: `config.json` beside the page, with the addresses of `npm start` as defaults. */

export interface Config {
  readonly issuer: string
  readonly client_id: string
  readonly audience: string
  /** The base URL of the API, without a slash at its end. */
  readonly api: string
}

const defaults: Config = {
  issuer: 'http://localhost:8400/',
  client_id: 'LatchkeyDemoSinglePageApp0000001',
  audience: 'http://localhost:8402/',
  api: 'http://localhost:8402',
}

export async function loadConfig(): Promise<Config> {
  const given: unknown = await fetch('/config.json', { cache: 'no-store' })
    .then((answer) => (answer.ok ? answer.json() : undefined))
    .catch(() => undefined)
  const config = { ...defaults, ...(given as Partial<Config> | undefined) }
  return { ...config, api: config.api.replace(/\/$/, '') }
}
