/** Owns the demo API beside a stage, as `npm start` runs it. It is a program of its own, so it is found as a file. */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './blocks.ts'
import type { Stage } from './stage.ts'

interface Running {
  close(): Promise<void>
}

export async function startDemoApi(stage: Stage): Promise<Running> {
  const file = pathToFileURL(join(root, 'examples/api/src/index.ts')).href
  const { startApi } = (await import(file)) as { startApi(options: object): Promise<Running> }
  return startApi({
    issuer: stage.latchkey.issuer,
    audience: stage.toTest('http://localhost:8402/'),
    port: stage.port(8402),
    allowed_origins: [stage.toTest('http://localhost:8401'), stage.toTest('http://localhost:5173')],
  })
}
