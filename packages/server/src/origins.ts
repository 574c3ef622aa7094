/** Owns from which origins a client's pages may call this server. */
import { originOf } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'

export function originsOf(client: Client): readonly string[] {
  const addresses = [...client.callbacks, ...client.web_origins, ...client.allowed_origins]
  return [...new Set(addresses.map(originOf).filter((origin) => origin !== undefined))]
}
