/** Owns the files that pages link to: one stylesheet, one script that no page needs, one icon; each named by its content. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface Asset {
  /** Relative to the server's root; changes with the content, so it may be cached for ever. */
  readonly path: string
  readonly type: string
  readonly body: Buffer
}

export const stylesheet = readAsset('latchkey.css', 'text/css; charset=utf-8')
export const script = readAsset('latchkey.js', 'text/javascript; charset=utf-8')
export const icon = readAsset('latchkey.svg', 'image/svg+xml')

/** Everything to serve, with `Cache-Control: public, max-age=31536000, immutable`. */
export const assets: readonly Asset[] = [stylesheet, script, icon]

function readAsset(name: string, type: string): Asset {
  const body = readFileSync(new URL(`./assets/${name}`, import.meta.url))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { path: `/u/assets/${name.replace('.', `.${hash}.`)}`, type, body }
}
