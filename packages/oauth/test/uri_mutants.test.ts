/**
 * Mutated redirect and logout targets, judged by two matchers that were written apart: no false accept. Some ten thousand in a normal
 * run; `URI_MUTANTS=1000000` for the long one.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesLogoutUrl, matchesRegistered } from '../src/index.ts'
import { leadsElsewhere, secondMatches, secondMatchesLogout } from './second_matcher.ts'

const mutants = Number(process.env.URI_MUTANTS ?? 30_000)
const timeout = 15_000 + mutants / 4

const registered = fc.constantFrom(
  ...['https://app.example.com/callback', 'https://app.example.com', 'https://app.example.com:8443/a/b?keep=1&x=%20'],
  ...['https://*.example.com/callback', 'https://pr-*-app.example.co.uk', 'http://*.test.example:8080/cb?x=1'],
  ...['http://127.0.0.1/callback', 'http://[::1]:3000/callback', 'http://localhost:3000', 'http://localhost/cb?x#y'],
  ...['https://*.com/callback', 'https://*', 'com.example.app://callback', 'https://localhost/callback'],
)

const shape = /^([a-z.]+:\/\/)([^/?#]*)(.*)$/
const part = (text: string, index: number) => shape.exec(text)?.[index] ?? ''
const rejoin = (text: string, host: string) => part(text, 1) + host + part(text, 3)

/** Changes that attackers make, as functions of the text and two random numbers. */
const attacks: readonly ((text: string, at: number, pick: number) => string)[] = [
  (text, at) => text.slice(0, at) + text.slice(at + 1),
  (text, at, pick) => text.slice(0, at) + letter(pick) + text.slice(at),
  (text, at, pick) => text.slice(0, at) + letter(pick) + text.slice(at + 1),
  (text, at) => text.slice(0, at) + (text[at] ?? '').toUpperCase() + text.slice(at + 1),
  (text, at) => `${text.slice(0, at)}%${text.charCodeAt(at).toString(16).padStart(2, '0')}${text.slice(at + 1)}`,
  (text, at, pick) => text.slice(0, at) + text.slice(at, at + (pick % 9)) + text.slice(at),
  (text, _, pick) => withPort(text, pick),
  (text, _, pick) => rejoin(text, `${part(text, 2)}@${evil(pick)}`),
  (text, _, pick) => rejoin(text, `${evil(pick)}@${part(text, 2)}`),
  (text, _, pick) => rejoin(text, `${part(text, 2)}.${evil(pick)}`),
  (text, _, pick) => rejoin(text, `${evil(pick)}.${part(text, 2)}`),
  (text, _, pick) => rejoin(text, `${evil(pick)}/${part(text, 2)}`),
  (text, _, pick) => rejoin(text, `${evil(pick)}\\${part(text, 2)}`),
  (text, _, pick) => text.replace('*', label(pick)),
  (text, _, pick) => text.replace('*', `${label(pick)}${'.?#/@:\\'[pick % 7]}${evil(pick)}`),
  (text, _, pick) => rejoin(text, loopbackHosts[pick % loopbackHosts.length] ?? ''),
  (text) => text.replace('https:', 'http:'),
  (text) => text.replace('http:', 'https:'),
  (text) => text.replace('://', ':/'),
  (text) => text.replace('://', ':///'),
  (text) => `${text}/`,
  (text, _, pick) => `${text}/../${label(pick)}`,
  (text, _, pick) => `${text}?${label(pick)}`,
  (text, _, pick) => `${text}#${label(pick)}`,
  (text, _, pick) => text + ' \t\r\n\0\u00a0\u3000\ufeff\u2028'[pick % 9],
  (text, _, pick) => ' \t\r\n\0\u00a0\u3000\ufeff\u2028'[pick % 9] + text,
  (text) => text.replaceAll('.', '。'),
  (text) => text.replace('a', 'а'),
]

const letters = 'ab.:/@?#%\\*-_[]0189AZ \t\n\r\0é\u202e'
const letter = (pick: number) => letters[pick % letters.length] ?? 'x'
const evil = (pick: number) => ['evil.example', 'example.com', '127.0.0.1', 'x', '[::1]', 'xn--e1a'][pick % 6] ?? 'x'
const label = (pick: number) =>
  ['a', 'pr-7', '-', 'a-', '0', 'a_b', 'A', '', 'a'.repeat(63), 'a'.repeat(64)][pick % 10] ?? 'a'
const loopbackHosts = [
  ...['localhost', '127.0.0.1', '[::1]', '127.0.0.2', '127.1', '2130706433', 'localhost.', '[::ffff:7f00:1]'],
  ...['localhost:0', 'localhost:65535', 'localhost:65536', '127.0.0.1:1', '[::1]:', 'LOCALHOST:1', '0.0.0.0'],
]

const mutations = fc.array(fc.tuple(fc.nat(attacks.length - 1), fc.nat(80), fc.oneof(fc.nat(99), fc.nat(70_000))), {
  minLength: 0,
  maxLength: 3,
})
/** What the exceptions allow, so that attacks start from there too. */
const harmless = fc.constantFrom(
  (text: string) => text,
  (text: string, pick: number) => text.replace('*', label(pick % 5)),
  (text: string, pick: number) => (/localhost|\d\b|\]/.test(part(text, 2)) ? withPort(text, pick) : text),
)
const withPort = (text: string, pick: number) => rejoin(text, `${part(text, 2).replace(/:\d*$/, '')}:${pick}`)

const mutated = fc.tuple(registered, harmless, fc.nat(65_535), mutations).map(([entry, change, port, list]) => {
  const start = change(entry, port)
  const text = list.reduce((one, [which, at, pick]) => attacks[which]?.(one, at % (one.length + 1), pick) ?? one, start)
  return { entry, text }
})

describe('RFC 9700 §4.1.3 no mutant of a registered URI is accepted but those of the two exceptions', () => {
  test(`${mutants} redirect targets`, { timeout }, () => {
    const seen = { accepted: 0, byException: 0, refused: 0 }
    const rules = fc.record({ loopback_any_port: fc.boolean(), wildcards: fc.boolean() })
    fc.assert(
      fc.property(mutated, registered, rules, ({ entry, text }, other, rule) => {
        for (const one of [entry, other]) {
          const accepted = matchesRegistered(text, one, rule)
          if (accepted !== secondMatches(text, one, rule))
            throw new Error(`${JSON.stringify(text)} for ${one}: ${accepted}, says one matcher alone`)
          if (!accepted) seen.refused++
          else {
            seen.accepted++
            if (text !== one) seen.byException++
            expect(leadsElsewhere(text, one)).toBeUndefined()
          }
        }
      }),
      { numRuns: mutants },
    )
    // The comparison is worth something only while both answers occur.
    expect(seen.byException).toBeGreaterThan(mutants / 200)
    expect(seen.accepted).toBeLessThan(seen.refused)
  })

  test(`${mutants} logout targets`, { timeout }, () => {
    let accepted = 0
    fc.assert(
      fc.property(mutated, registered, ({ entry, text }, other) => {
        for (const one of [entry, other]) {
          const answer = matchesLogoutUrl(text, one)
          if (answer !== secondMatchesLogout(text, one))
            throw new Error(`${JSON.stringify(text)} for ${one}: ${answer}, says one matcher alone`)
          if (!answer) continue
          accepted++
          const [at, listed] = [new URL(text), new URL(one.replace('*', 'x'))]
          expect(at.username + at.password).toBe('')
          expect(at.protocol).toBe(listed.protocol)
          expect(at.hostname.split('.').slice(1)).toEqual(listed.hostname.split('.').slice(1))
        }
      }),
      { numRuns: mutants },
    )
    expect(accepted).toBeGreaterThan(mutants / 50)
  })
})
