/** Owns `latchkey migrate`. */
import { defineCommand } from '../command.ts'

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Make the database, or bring it up to date.',
  notes: `
The server does this by itself when it starts. Running it before lets the migration be a step of its own.`,
  options: 'migrate',
  async run({ config, print }) {
    const { migrateDatabase } = await import('@latchkey/server/administration')
    const done = await migrateDatabase(config)
    print(done.length === 0 ? 'The database is up to date.' : `Migrated: ${done.join(', ')}.`)
  },
})
