/** Owns the app of a page as a reader has it running: the tenant file applied, the APIs started, a tab that shows nothing yet. */
import type { Browser, Page } from 'playwright-core'
import { readPages } from './blocks.ts'
import { serveApp } from './browser.ts'
import { startDemoApi } from './demo_api.ts'
import { run, start } from './run.ts'
import { openStage, type Stage } from './stage.ts'

export interface App {
  readonly stage: Stage
  readonly page: Page
  /** Where the app is. */
  readonly home: string
  /** What went wrong in the page and was caught by nobody. */
  readonly errors: readonly string[]
  close(): Promise<void>
}

/** @param folder of the page's samples, the one that a reader would give to vite */
export async function openApp(browser: Browser, path: string, folder: string): Promise<App> {
  const found = readPages().find((one) => one.path === path)
  if (found === undefined) throw new Error(`There is no ${path}`)
  const stage = await openStage(found)
  const closers: (() => Promise<unknown>)[] = [() => stage.close()]
  for (const { kind, code } of found.blocks) {
    if (kind !== 'shell' || !code.includes('latchkey apply')) continue
    const { code: ended, stderr } = await run('bash', ['-c', stage.toTest(code)], stage.folder)
    if (ended !== 0) throw new Error(stderr)
  }
  for (const { kind, code, detail } of found.blocks) {
    if (kind !== 'api') continue
    const port = Number(/listen\(\{? ?(?:port: )?(\d+)/.exec(code)?.[1])
    const api = await start(stage.write(detail, code), stage.folder, `http://localhost:${stage.port(port)}/`)
    closers.push(() => api.stop())
  }
  const api = await startDemoApi(stage)
  const app = await serveApp(stage, folder)
  const context = await browser.newContext()
  closers.push(
    () => api.close(),
    () => app.close(),
    () => context.close(),
  )
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  const home = stage.toTest('http://localhost:5173/')
  return {
    ...{ stage, page, home, errors },
    async close() {
      for (const close of closers.toReversed()) await close()
    },
  }
}
