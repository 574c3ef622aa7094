/** Owns the rule against passwords made of one's own name or address. */
import type { PasswordPerson } from './policy.ts'

/** A shorter word is in too many passwords by chance; scripts with a word in two characters have few such chances. */
const shortest = { ascii: 3, other: 2 } as const

const longestValue = 256

/** Case and accents aside: `jose` is in `JoséMaria1`. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC').toLowerCase()
}

function wordsOf(value: string): readonly string[] {
  const folded = fold(value.slice(0, longestValue))
  return [folded.trim(), ...folded.split(/[^\p{L}\p{N}]+/u)].filter((word) => {
    const length = [...word].length
    return length >= (/^[\x20-\x7e]*$/.test(word) ? shortest.ascii : shortest.other)
  })
}

function fieldsOf(person: PasswordPerson): readonly (readonly [string, unknown])[] {
  const { user_metadata: metadata = {} } = person
  return [
    ['name', person.name],
    ['given_name', person.given_name],
    ['family_name', person.family_name],
    ['username', person.username],
    ['nickname', person.nickname],
    ['user_metadata.name', metadata.name],
    ['user_metadata.first', metadata.first],
    ['user_metadata.last', metadata.last],
    ['email', person.email?.split('@')[0]],
  ]
}

/** The first field of the person that the password holds a word of; undefined when it holds none. */
export function personalField(password: string, person: PasswordPerson): string | undefined {
  const folded = fold(password)
  const found = fieldsOf(person).find(
    ([, value]) => typeof value === 'string' && wordsOf(value).some((word) => folded.includes(word)),
  )
  return found?.[0]
}
