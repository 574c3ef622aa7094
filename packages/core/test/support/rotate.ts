/** Owns another process that rotates the keys of a file: it reads them, makes a key, and tells which one signs now. */
import { openDatabase, openStore, openVault } from '@latchkey/store'
import { rotateKeys } from '../../src/index.ts'

const [address = '', secret = ''] = process.argv.slice(2)
const db = openDatabase(address)
const kid = await rotateKeys(openStore(db, 'tenant', openVault([secret])), 'ES256', 'login.example.com', 1)
process.stdout.write(JSON.stringify(kid ?? null))
await db.destroy()
