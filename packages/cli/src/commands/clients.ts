/** Owns `latchkey clients`: the applications of a tenant, and the tokens by which more of them register themselves. */
import { CommandFailure, defineCommand } from '../command.ts'
import { table } from '../table.ts'

const list = defineCommand({
  name: 'list',
  summary: 'List the applications.',
  options: 'users',
  async run({ config, print, now, random }) {
    const { openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const { clients } = await store.configuration.read()
      const rows = clients.map(({ client_id, name, app_type, is_first_party, registration }) => [
        ...[client_id, name, app_type, is_first_party ? 'first-party' : 'third-party'],
        registration === undefined ? '' : 'registered itself',
      ])
      print(rows.length === 0 ? 'There are no applications.' : table(['CLIENT_ID', 'NAME', 'TYPE', 'PARTY', ''], rows))
    } finally {
      await close()
    }
  },
})

const day = 86_400_000

const token = defineCommand({
  name: 'token',
  summary: 'Make an initial access token, with which applications can register themselves.',
  notes: `
The token is printed, this once. It counts where the tenant file says
  dynamic_client_registration: { require_initial_access_token: true }

Example:
  $ latchkey clients token --uses 5 --days 7`,
  options: 'users',
  switches: [
    { name: 'uses', placeholder: 'N', sentence: 'How many applications can register with it (default: 1).' },
    { name: 'days', placeholder: 'N', sentence: 'How long it is good for (default: 1).' },
  ],
  async run({ config, text, print, now, random }) {
    const uses = wholeNumber('uses', text('uses') ?? '1', 10_000)
    const days = wholeNumber('days', text('days') ?? '1', 365)
    const { openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const made = random(32)
      await store.registrationTokens.createInitial(made, uses, now() + days * day, now())
      print(made)
    } finally {
      await close()
    }
  },
})

function wholeNumber(name: string, value: string, most: number): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || number > most)
    throw new CommandFailure(`--${name} takes a number from 1 to ${most}, not ${value}.`)
  return number
}

export const clients = defineCommand({
  name: 'clients',
  summary: 'List the applications, or let new ones register themselves.',
  commands: [list, token],
})
