/** Owns `latchkey keys`: the signing keys of a tenant. */
import { defineCommand } from '../command.ts'
import { table } from '../table.ts'

const list = defineCommand({
  name: 'list',
  summary: 'List the signing keys.',
  options: 'keys',
  async run({ config, print, now, random }) {
    const { openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const keys = await store.signingKeys.list()
      if (keys.length === 0) return print('There are no keys yet: they are made when the server first starts.')
      const rows = keys.map(({ alg, state, kid, created_at }) => [alg, state, new Date(created_at).toISOString(), kid])
      print(table(['ALG', 'STATE', 'CREATED', 'KID'], rows.toSorted(byColumns)))
    } finally {
      await close()
    }
  },
})

const rotate = defineCommand({
  name: 'rotate',
  summary: 'Let the next keys sign from now on.',
  notes: `
The keys that signed until now still verify; the ones before them no longer do. Running servers follow at once.`,
  options: 'keys',
  switches: [{ name: 'alg', placeholder: 'ALG', sentence: 'Only the keys of this algorithm, such as RS256.' }],
  async run({ config, text, print, now, random }) {
    const { openAdministration, rotateSigningKeys } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const rotated = await rotateSigningKeys(config, store, { now, alg: text('alg') })
      print(rotated.map(({ alg, kid }) => `${alg}: ${kid} signs from now on.`).join('\n'))
    } finally {
      await close()
    }
  },
})

export const keys = defineCommand({
  name: 'keys',
  summary: 'List or rotate the signing keys.',
  commands: [list, rotate],
})

function byColumns(a: readonly string[], b: readonly string[]): number {
  return a.join(' ').localeCompare(b.join(' '))
}
