/** Owns loading the reader of metadata when a client needs it: it brings the checker of schemas along, and most servers never do. */
import type { Client } from '@latchkey/store'
import type { readMetadata as ReadMetadata } from './metadata.ts'

/** @throws OAuthError as the reader does */
export async function readMetadata(...parameters: Parameters<typeof ReadMetadata>): Promise<Client> {
  const { readMetadata: read } = await import('./metadata.ts')
  return read(...parameters)
}
