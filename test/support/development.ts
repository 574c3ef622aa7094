/** Owns running what `npm start` runs, on free ports, with nothing kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@latchkey/server'
import { startDevelopment } from '@latchkey/server/dev'
import { freePort } from './latchkey.ts'

export interface Development {
  /** What the person at the terminal reads. */
  readonly printed: string
  /** The addresses and the account, as they are printed. */
  readonly app: string
  readonly issuer: string
  readonly person: { readonly email: string; readonly password: string }
  close(): Promise<void>
}

/** @param where `usual_ports` takes those of `npm start`, for whoever shows the addresses to people */
export async function runDevelopment(where: 'usual_ports' | 'free_ports' = 'free_ports'): Promise<Development> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-development-'))
  const ports: Record<string, string> = {}
  for (const name of where === 'usual_ports' ? [] : ['port', 'https_port', 'app_port', 'api_port'])
    ports[name] = String(await freePort())
  const lines: string[] = []
  const config = loadConfig('dev', { ...ports, ephemeral: true, directory: folder }, {})
  const server = await startDevelopment(config, { print: (text) => void lines.push(text) })
  const printed = lines.join('\n')
  const find = (pattern: RegExp) => {
    const found = pattern.exec(printed)?.[1]
    if (found === undefined) throw new Error(`Nothing printed fits ${pattern}:\n${printed}`)
    return found
  }
  return {
    printed,
    app: find(/Open (\S+) in your browser/),
    issuer: find(/Server +(\S+)/),
    person: { email: find(/Sign in as +(\S+)/), password: find(/Sign in as .*password +(\S+)/) },
    async close() {
      await server.close()
      rmSync(folder, { recursive: true })
    },
  }
}
