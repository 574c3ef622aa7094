/** Owns password workers for the length of one command. */
import type { Passwords } from '@latchkey/identity'
import type { Config } from '../config.ts'

/** Runs `work` with password workers, which start with the first password and end with the work. */
export async function withPasswords<T>(config: Config, work: (passwords: Passwords) => Promise<T>): Promise<T> {
  const { openPasswords } = await import('@latchkey/identity')
  const passwords = openPasswords(config.password_threads === undefined ? {} : { threads: config.password_threads })
  try {
    return await work(passwords)
  } finally {
    await passwords.close()
  }
}
