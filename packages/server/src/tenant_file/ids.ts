/** Owns the shapes of the ids that a tenant file's records get, which are Auth0's. */

type Random = (bytes: number) => string

/** 32 letters and digits. */
export function newClientId(random: Random): string {
  return alphanumeric(random, 32)
}

/** 24 hexadecimal digits. */
export function newResourceServerId(random: Random): string {
  return Buffer.from(random(12), 'base64url').toString('hex')
}

/** `con_` and 16 letters and digits. */
export function newConnectionId(random: Random): string {
  return `con_${alphanumeric(random, 16)}`
}

/** `cgr_` and 16 letters and digits. */
export function newClientGrantId(random: Random): string {
  return `cgr_${alphanumeric(random, 16)}`
}

/** `rul_` and 16 letters and digits. */
export function newRuleId(random: Random): string {
  return `rul_${alphanumeric(random, 16)}`
}

/** Of base64url's 64 characters the two that are neither letter nor digit are left out, so that all others stay equally likely. */
export function alphanumeric(random: Random, length: number): string {
  let text = ''
  while (text.length < length) text += random(length).replaceAll(/[-_]/g, '')
  return text.slice(0, length)
}
