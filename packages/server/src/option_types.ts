/** Owns the kinds of values an option can have: how each is read from text, and the sentence for a text that cannot be read. */
import { existsSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { isLoopbackHost, parseUri } from '@latchkey/oauth'
import { readAllowedHost } from './fetch_allow.ts'

/** A text that is no value of this type. The message goes on after "… is …: ". */
export class BadValue extends Error {
  override readonly name = 'BadValue'
}

export interface OptionType<T> {
  /** What stands for the value in `--help`; empty for a switch, which has none. */
  readonly placeholder: string
  /** The limits, in words, for the documentation. */
  readonly limits: string
  /** A list is given by repeating the option. */
  readonly is_list: boolean
  /**
   * @param texts one for each time that the option was given, at least one
   * @throws BadValue
   */
  read(texts: readonly string[]): T
}

/** One value; of several the last one counts. */
interface Single<T> extends OptionType<T> {
  readOne(text: string): T
}

function one<T>(placeholder: string, limits: string, readOne: (text: string) => T): Single<T> {
  return { placeholder, limits, is_list: false, readOne, read: (texts) => readOne(texts.at(-1) ?? '') }
}

/** Several values; commas and line breaks separate them too, spaces around them do not count. */
export function listOf<T>(type: Single<T>): OptionType<readonly T[]> {
  return repeated(type, (text) => text.split(/[,\n]/).map((part) => part.trim()))
}

/** Several values, each as it is. */
export function repeated<T>(
  { placeholder, limits, readOne }: Single<T>,
  split = (text: string): readonly string[] => [text],
): OptionType<readonly T[]> {
  const read = (texts: readonly string[]) =>
    texts
      .flatMap(split)
      .filter((part) => part !== '')
      .map(readOne)
  return { placeholder, limits: `list; ${limits}`, is_list: true, read }
}

export function integer(placeholder: string, min: number, max: number): Single<number> {
  return one(placeholder, `whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new BadValue(`it must be a whole number from ${min} to ${max}`)
  })
}

export function oneOf<const T extends string>(names: readonly T[]): Single<T> {
  return one('NAME', `one of ${names.map((name) => `\`${name}\``).join(', ')}`, (text) => {
    const found = names.find((name) => name === text)
    if (found === undefined) throw new BadValue(`it must be one of ${names.join(', ')}`)
    return found
  })
}

/** On or off; on the command line the name alone says on. */
export const onOff: Single<boolean> = one('', '`true` or `false`', (text) => {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new BadValue('it must be true or false')
})

/** @param rule what `pattern` demands, to go on after "it must be" */
export function matching(placeholder: string, pattern: RegExp, rule: string): Single<string> {
  return one(placeholder, rule, (text) => {
    if (!pattern.test(text)) throw new BadValue(`it must be ${rule}`)
    return text
  })
}

/**
 * A name of the server: an origin, kept with one slash at its end, as tokens and discovery carry it.
 * @spec RFC 9207 §2
 */
export const issuerUrl: Single<string> = one(
  'URL',
  'absolute `https` URL without a path; `http` for localhost alone',
  (text) => {
    const url = parseUri(text)
    if (url === undefined || !/^https?:\/\//i.test(text))
      throw new BadValue('it must be an absolute URL, such as https://login.example.com/')
    if (url.username !== '' || url.password !== '') throw new BadValue('leave the user name and password out')
    if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text))
      throw new BadValue(`it must be the server's address without a path, here ${url.origin}/`)
    if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))
      throw new BadValue('only an address of this machine may be plain http; use https')
    return `${url.origin}/`
  },
)

/** An address, or a range in CIDR notation. */
export const addressRange: Single<string> = one('ADDRESS', 'IP address or CIDR range', (text) => {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  if (family === 0 || more !== undefined || !isRange)
    throw new BadValue('each must be an IP address or a range, such as 10.0.0.0/8')
  if (bits === '0') throw new BadValue('a range of every address would trust everybody; list the proxies')
  return text
})

/** A host whose documents may be fetched whatever its address is. */
export const fetchTarget: Single<string> = one('HOST', 'host, or `host:port`', (text) => {
  if (readAllowedHost(text) === undefined)
    throw new BadValue('each must be a host or host:port without a scheme, such as localhost:8080')
  return text
})

export const databaseAddress: Single<string> = one('ADDRESS', '`sqlite:FILE`', (text) => {
  if (!/^sqlite:./.test(text)) throw new BadValue('it must be sqlite:FILE, such as sqlite:latchkey.sqlite')
  return text
})

/** What the server's own keys are derived from. The text is a secret, so no message repeats it. */
export const serverSecret: Single<string> = one('SECRET', 'each 32 characters or more', (text) => {
  if (text.length < 32)
    throw new BadValue('each secret needs 32 random characters or more; make one with: openssl rand -base64 48')
  return text
})

export const smtpUrl: Single<string> = one('URL', '`smtp://` or `smtps://` URL', (text) => {
  if (!/^smtps?:\/\/[^/]/i.test(text) || !URL.canParse(text))
    throw new BadValue('it must be an smtp:// or smtps:// URL, such as smtps://user:password@mail.example.com')
  return text
})

/** An address, bare or as `Name <address>`. */
export const mailbox: Single<string> = one('ADDRESS', 'e-mail address, or `Name <address>`', (text) => {
  const address = /^[^<>\r\n]*<([^<>]*)>$/.exec(text)?.[1] ?? text
  if (!/^[^\s<>@"]+@[^\s<>@"]+$/.test(address))
    throw new BadValue('it must be an e-mail address, such as "Example <no-reply@example.com>"')
  return text
})

export const readableFile: Single<string> = one('FILE', 'path of a file', (text) => {
  if (!existsSync(text) || !statSync(text).isFile()) throw new BadValue('there is no such file')
  return text
})

export const directory: Single<string> = one('DIRECTORY', 'path of a directory', (text) => {
  if (existsSync(text) && !statSync(text).isDirectory()) throw new BadValue('it is not a directory')
  return text
})

export const existingDirectory: Single<string> = one('DIRECTORY', 'path of a directory', (text) => {
  if (!existsSync(text) || !statSync(text).isDirectory()) throw new BadValue('there is no such directory')
  return text
})
