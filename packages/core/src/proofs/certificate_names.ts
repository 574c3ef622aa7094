/** Owns the names in a client's certificate, and whether one of them is the name that the client was registered with. */
import type { Client } from '@latchkey/store'
import type { ClientCertificate } from './client_certificate.ts'

/** The settings of which a client of `tls_client_auth` has exactly one. @spec RFC 8705 §2.1.2 */
export const certificateNameSettings = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const

/**
 * True when the certificate bears the name of the client.
 * @spec RFC 8705 §2.1
 * @spec RFC 8705 §2.1.2
 */
export function bearsNameOf(client: Client, certificate: ClientCertificate): boolean {
  const given = certificateNameSettings.filter((name) => client[name] !== undefined)
  const [setting] = given
  if (setting === undefined || given.length > 1) return false
  const name = client[setting] ?? ''
  if (setting === 'tls_client_auth_subject_dn') return isSubject(certificate, name)
  if (setting === 'tls_client_auth_san_ip') return certificate.checkIP(name) !== undefined
  const { kind, same } = alternatives[setting]
  return alternativeNames(certificate).some((one) => one.kind === kind && same(one.name, name))
}

const exactly = (a: string, b: string) => a === b
const anyCase = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** As the text that Node makes of a certificate calls them. */
const alternatives = {
  tls_client_auth_san_dns: { kind: 'DNS', same: anyCase },
  tls_client_auth_san_uri: { kind: 'URI', same: exactly },
  tls_client_auth_san_email: { kind: 'email', same: exactly },
} as const

interface AlternativeName {
  readonly kind: string
  readonly name: string
}

/** A name that could be mistaken for several stands in quotation marks, as a JSON text. Anything else than expected yields no name. */
function alternativeNames({ subjectAltName = '' }: ClientCertificate): readonly AlternativeName[] {
  const names: AlternativeName[] = []
  const entry = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)/gy
  while (entry.lastIndex < subjectAltName.length) {
    const found = entry.exec(subjectAltName)
    if (found === null) return []
    const [, kind = '', text = ''] = found
    names.push({ kind, name: text.startsWith('"') ? (JSON.parse(text) as string) : text })
  }
  return names
}

/** Both as lists of relative names; the text of RFC 4514 begins with the last one of the certificate. */
function isSubject({ subject }: ClientCertificate, registered: string): boolean {
  const names = subject.split('\n').map((one) => relativeName(one, ' + '))
  const wanted = distinguishedName(registered)
  return (
    wanted !== undefined &&
    wanted.length === names.length &&
    names.every((name, index) => name !== undefined && name === wanted[wanted.length - 1 - index])
  )
}

/**
 * The relative names of a text in the form of RFC 4514, in its order, each in one form for all that means the same.
 * @returns undefined when it has not that form
 */
export function distinguishedName(text: string): readonly string[] | undefined {
  const names = splitAt(text, /[,;]/).map((one) => relativeName(one, '+'))
  const known = names.filter((name) => name !== undefined)
  return known.length === names.length && text !== '' ? known : undefined
}

function relativeName(text: string, separator: string): string | undefined {
  const pairs = (separator === '+' ? splitAt(text, /\+/) : text.split(separator)).map(attribute)
  return pairs.includes(undefined) ? undefined : pairs.sort().join('+')
}

function attribute(text: string): string | undefined {
  const [, type = '', value = ''] = /^\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=(.*)$/s.exec(text) ?? []
  // A value in hexadecimal BER is never the same as a text.
  if (type === '' || value.trimStart().startsWith('#')) return undefined
  const plain = unescaped(value)
  return plain === undefined ? undefined : JSON.stringify([shortNames[type.toUpperCase()] ?? type.toUpperCase(), plain])
}

/** Long names and numbers of the attribute types of RFC 4514 §3 and their usual company. */
const shortNames: Readonly<Record<string, string>> = {
  ...{ '2.5.4.3': 'CN', COMMONNAME: 'CN', '2.5.4.7': 'L', '2.5.4.8': 'ST', S: 'ST', '2.5.4.10': 'O' },
  ...{ '2.5.4.11': 'OU', '2.5.4.6': 'C', '2.5.4.9': 'STREET', '2.5.4.5': 'SERIALNUMBER' },
  ...{ '0.9.2342.19200300.100.1.25': 'DC', '0.9.2342.19200300.100.1.1': 'UID', USERID: 'UID' },
  ...{ E: 'EMAILADDRESS', '1.2.840.113549.1.9.1': 'EMAILADDRESS', '2.5.4.97': 'ORGANIZATIONIDENTIFIER' },
}

function splitAt(text: string, separator: RegExp): readonly string[] {
  const parts: string[] = ['']
  for (const [token] of text.matchAll(/\\[0-9a-f]{2}|\\.|[^\\]|\\$/gis)) {
    if (token.length === 1 && separator.test(token)) parts.push('')
    else parts.push((parts.pop() ?? '') + token)
  }
  return parts
}

/** RFC 4514 §2.4: a backslash before a character, or before the two digits of a byte of UTF-8. */
function unescaped(value: string): string | undefined {
  const bytes: Buffer[] = []
  const trimmed = value.trimStart().replace(/(?<!\\) +$/, '')
  for (const [token] of trimmed.matchAll(/\\[0-9a-f]{2}|\\.|[^\\]|\\$/gisu)) {
    if (token === '\\') return undefined
    if (/^\\[0-9a-f]{2}$/i.test(token)) bytes.push(Buffer.from(token.slice(1), 'hex'))
    else bytes.push(Buffer.from(token.startsWith('\\') ? token.slice(1) : token))
  }
  return Buffer.concat(bytes).toString('utf8')
}
