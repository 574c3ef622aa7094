/** Owns building the example programs and serving what was built. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import type { WebApp } from './web_app.ts'

const root = join(import.meta.dirname, '../..')

/** Builds an example as `vite build` in its folder does, and gives its files to an app, with a configuration beside them. */
export function addExample(app: WebApp, name: 'react' | 'mobile' | 'spa', config: object): void {
  const folder = mkdtempSync(join(tmpdir(), `latchkey-${name}-`))
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vite/bin/vite.js'),
      ...['build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'],
    ],
    { cwd: join(root, 'examples', name), encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' } },
  )
  if (status !== 0) throw new Error(`examples/${name} does not build:\n${stdout}${stderr}`)
  app.files.clear()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    app.files.set(`/${relative(folder, file).split(sep).join('/')}`, readFileSync(file))
  }
  app.files.set('/', app.files.get('/index.html') ?? '')
  // The mobile page is packed into an app and has no icon of its own; a browser asks for one all the same.
  app.files.set('/favicon.ico', '')
  app.files.set('/config.json', JSON.stringify(config))
  rmSync(folder, { recursive: true })
}
