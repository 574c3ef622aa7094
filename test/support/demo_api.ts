/** Owns starting the demo API for a test. */
export interface DemoApi {
  /** Without a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

export interface DemoApiOptions {
  readonly issuer: readonly string[]
  readonly audience: string
  readonly allowed_origins: readonly string[]
}

/** The example is a program of its own, so it is found as a file and not imported as a part of this one. */
export async function startDemoApi(options: DemoApiOptions): Promise<DemoApi> {
  const file = new URL('../../examples/api/src/index.ts', import.meta.url)
  const { startApi } = (await import(file.href)) as {
    startApi(options: DemoApiOptions & { port: number }): Promise<DemoApi>
  }
  return startApi({ ...options, port: 0 })
}
