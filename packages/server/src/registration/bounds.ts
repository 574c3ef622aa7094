/** Owns the bounds on what a stranger says of himself: how much, how deep, of which shape, and a name that is what it looks like. */
import { OAuthError } from '@latchkey/oauth'
import { linkVerdict } from '../tenant_file/urls.ts'

/** Characters of everything that is kept of one client; a key set that is larger belongs at a jwks_uri. */
const largest = 16_384
/** Lists and objects inside each other. */
const deepest = 8

/** Invisible characters, and those that turn the direction of writing; joiners and variants, which words and pictures need, are not among them. */
const unseen =
  /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2800]--[\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]]/v
const seen = /[\p{L}\p{N}\p{P}\p{S}]/u

/**
 * @param metadata as it will be kept
 * @throws OAuthError `invalid_client_metadata`
 * @spec RFC 7591 §5
 */
export function checkBounds(metadata: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(metadata))
    if (!isShallow(value, deepest)) throw refused(name, `Lists and objects may lie ${deepest} deep, and no deeper.`)
  if (JSON.stringify(metadata).length > largest)
    throw new OAuthError('invalid_client_metadata', `The metadata is longer than ${largest} characters`)
  const { client_name, client_uri, contacts } = metadata
  if (typeof client_name === 'string' && (unseen.test(client_name) || !seen.test(client_name)))
    throw refused('client_name', 'Leave out characters that are not seen or turn the direction of writing.')
  if (client_uri !== undefined && (typeof client_uri !== 'string' || linkVerdict(client_uri).problem !== undefined))
    throw refused('client_uri', 'This must be an absolute https URL.')
  if (contacts !== undefined && !(Array.isArray(contacts) && contacts.length <= 20 && contacts.every(isShortText)))
    throw refused('contacts', 'This must be a list of at most 20 texts of at most 1000 characters.')
  for (const name of ['scope', 'software_id', 'software_version'])
    if (metadata[name] !== undefined && !isShortText(metadata[name]))
      throw refused(name, 'This must be a text of at most 1000 characters.')
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 1000
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((one) => isShallow(one, levels - 1))
}

function refused(name: string, sentence: string): OAuthError {
  return new OAuthError('invalid_client_metadata', `${name}: ${sentence}`)
}
