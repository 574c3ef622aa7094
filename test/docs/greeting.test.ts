import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@latchkey/server/config'
import { startDevelopment } from '@latchkey/server/dev'
import { expect, test } from 'vitest'
import { freePort } from '../support/latchkey.ts'
import { readPages } from './support/blocks.ts'
import { looksLike } from './support/compare.ts'

const shown = readPages().flatMap(({ blocks }) => blocks.filter(({ kind }) => kind === 'greeting'))

test('npm start prints what the front page shows', async () => {
  expect(shown).toHaveLength(1)
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-docs-'))
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const [port = '', https_port = '', app_port = '', api_port = ''] = ports.map(String)
  const printed: string[] = []
  const config = loadConfig('dev', { port, https_port, app_port, api_port, directory }, {})
  const server = await startDevelopment(config, { print: (text) => printed.push(text) })
  try {
    const names: Record<string, string> = {
      8400: port,
      8443: https_port,
      8401: app_port,
      8402: api_port,
    }
    const expected = shown[0]?.code.replaceAll(
      /localhost:(\d+)/g,
      (_, documented: string) => `localhost:${names[documented]}`,
    )
    const text = printed.join('\n')
    const end = text.slice(text.indexOf('Latchkey is running.'))
    expect(looksLike(expected ?? '', end) ? expected : end).toBe(expected)
  } finally {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
