/** Owns `latchkey users`: the people of a tenant. */
import { readFileSync } from 'node:fs'
import { text as readAll } from 'node:stream/consumers'
import { type Call, CommandFailure, defineCommand } from '../command.ts'
import { newPassword } from '../new_password.ts'
import { table } from '../table.ts'

const page = 500

const list = defineCommand({
  name: 'list',
  summary: 'List the users.',
  options: 'users',
  async run({ config, print, now, random }) {
    const { openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const rows: string[][] = []
      for (let after: string | undefined = ''; after !== undefined; ) {
        const users = await store.users.list(page, after)
        for (const { user_id, email = '', username = '', connection, blocked, logins_count } of users)
          rows.push([user_id, email, username, connection, String(logins_count), blocked ? 'blocked' : ''])
        after = users.length < page ? undefined : users.at(-1)?.user_id
      }
      print(rows.length === 0 ? 'There are no users.' : table(columns, rows))
    } finally {
      await close()
    }
  },
})

const columns = ['USER_ID', 'EMAIL', 'USERNAME', 'CONNECTION', 'LOGINS', '']

const create = defineCommand({
  name: 'create',
  summary: 'Add a user to a database connection.',
  notes: `
Without --password-file a password is made and printed, this once.

Examples:
  $ latchkey users create --email dana@example.com --email-verified
  $ latchkey users create --email dana@example.com --password-file - < password.txt`,
  options: 'users',
  switches: [
    { name: 'email', placeholder: 'ADDRESS', sentence: 'The e-mail address.' },
    { name: 'username', placeholder: 'NAME', sentence: 'The user name, where the connection has them.' },
    { name: 'email-verified', sentence: 'The address is known to be theirs.' },
    {
      name: 'connection',
      placeholder: 'NAME',
      sentence: "The database connection (default: the tenant's default directory, or the only one there is).",
    },
    {
      name: 'password-file',
      placeholder: 'FILE',
      sentence: 'A file that holds the password; - reads the standard input.',
    },
  ],
  async run(call) {
    const { config, text, isOn, print, now, random } = call
    const given = await readPassword(call)
    const { createUser, openAdministration } = await import('@latchkey/server/administration')
    const { store, close } = await openAdministration(config, 'find', { now, random })
    try {
      const password = given ?? newPassword(random)
      const [email, username, connection] = [text('email'), text('username'), text('connection')]
      const person = { email, username, connection, password, email_verified: isOn('email-verified') }
      const made = await createUser(config, store, person, { now, random })
      print(`Added ${email ?? username} to ${made.connection} as ${made.user_id}.`)
      if (given === undefined) print(`Password: ${password}`)
    } finally {
      await close()
    }
  },
})

async function readPassword({ text }: Call): Promise<string | undefined> {
  const file = text('password-file')
  if (file === undefined) return undefined
  const content = file === '-' ? await readAll(process.stdin) : readFile(file)
  const password = content.replace(/\r?\n$/, '')
  if (password !== '') return password
  throw new CommandFailure(`${file === '-' ? 'The standard input' : file} holds no password.`)
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CommandFailure(`The password file ${file} cannot be read.`)
  }
}

export const users = defineCommand({
  name: 'users',
  summary: 'List or create users.',
  commands: [list, create],
})
