/** Owns `latchkey grants`: what users have allowed applications to do. */
import { CommandFailure, defineCommand } from '../command.ts'
import { table } from '../table.ts'

const list = defineCommand({
  name: 'list',
  summary: 'List what a user has allowed.',
  args: [{ name: 'user', sentence: 'The user id, or the e-mail address.' }],
  options: 'users',
  async run({ config, args, print, now, random }) {
    const { findUser, openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const user = await findUser(store, args[0] ?? '')
      const grants = await store.grants.list(user.user_id)
      if (grants.length === 0) return print(`${user.user_id} has allowed nothing yet.`)
      const rows = grants.map(({ grant_id, client_id, audience, scope }) => [
        grant_id,
        client_id,
        audience,
        scope.join(' '),
      ])
      print(table(['GRANT', 'CLIENT', 'AUDIENCE', 'SCOPE'], rows))
    } finally {
      await close()
    }
  },
})

const revoke = defineCommand({
  name: 'revoke',
  summary: 'Take back what a user has allowed: the application has to ask again.',
  notes: `
Refresh tokens end with it; access tokens that were issued before are good until they end.`,
  args: [{ name: 'grant', sentence: 'The id that "latchkey grants list" shows.' }],
  options: 'users',
  async run({ config, args, print, now, random }) {
    const { openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const [grant_id = ''] = args
      const revoked = await store.atomically(async (trx) => {
        const grant = await trx.grants.revoke(grant_id)
        // Without the yes there is no coming back without the person, either.
        if (grant !== undefined) await trx.refreshTokens.revokeAllOf(grant.user_id, grant.client_id, now())
        return grant
      })
      if (revoked === undefined) {
        throw new CommandFailure(`There is no grant ${grant_id}: "latchkey grants list USER" shows the ids.`)
      }
      print(`${grant_id} is revoked: the application has to ask again.`)
    } finally {
      await close()
    }
  },
})

export const grants = defineCommand({
  name: 'grants',
  summary: 'List or revoke what users have allowed applications to do.',
  commands: [list, revoke],
})
