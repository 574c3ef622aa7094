/** Owns `latchkey version`. */
import { readFileSync } from 'node:fs'
import { defineCommand } from '../command.ts'

export const version = defineCommand({
  name: 'version',
  summary: 'Print the version.',
  async run({ print }) {
    print(`latchkey ${packageVersion()}`)
  },
})

/** The version in this package's own package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : ''
}
