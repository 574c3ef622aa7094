/** The one decision of a trip, over every combination of what it looks at, against what the specifications say must hold. */
import { OAuthError } from '@latchkey/oauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nextStep, type Step, type Trip } from '../src/index.ts'

const now = 1_800_000_000
const prompts = [
  ...[[], ['none'], ['login'], ['consent'], ['select_account'], ['login', 'consent'], ['login', 'select_account']],
  ...[
    ['consent', 'select_account'],
    ['login', 'consent', 'select_account'],
  ],
] as const satisfies readonly Trip['prompt'][]
const refusal = new OAuthError('access_denied', 'a rule says no')
const rules = [
  undefined,
  'pending',
  {},
  { refusal },
  { redirect: 'https://x.example/' },
  { multifactor: true },
] as const
const flags = [true, false] as const
type Person = NonNullable<Trip['signed_in']>

function* people(): Generator<Person | undefined> {
  yield undefined
  for (const auth_time of [now, now - 100, now - 101])
    for (const blocked of flags)
      for (const during_this_trip of flags)
        for (const allowed_connection of flags)
          for (const chose_account of flags)
            for (const consented of flags)
              yield { user_id: 'u', auth_time, blocked, during_this_trip, allowed_connection, chose_account, consented }
}

function* trips(): Generator<Trip> {
  for (const prompt of prompts)
    for (const hinted_user_id of [undefined, 'u', 'other'])
      for (const max_age of [undefined, 0, 100])
        for (const screen_hint of [undefined, 'signup'])
          for (const consent_needed of flags)
            for (const rule of rules)
              for (const signed_in of people())
                yield {
                  ...{ prompt, now, consent_needed },
                  ...(hinted_user_id === undefined ? {} : { hinted_user_id }),
                  ...(max_age === undefined ? {} : { max_age }),
                  ...(screen_hint === undefined ? {} : { screen_hint }),
                  ...(rule === undefined ? {} : { rules: rule }),
                  ...(signed_in === undefined ? {} : { signed_in }),
                }
}

const told = (step: Step): string => {
  if (step.kind === 'page') return `page ${step.page}`
  return step.kind === 'fail' ? `fail ${step.error.code}` : step.kind
}

/** What must be true before a person counts as authenticated for this request (OpenID Connect Core §3.1.2.1, §3.1.2.3). */
const authenticated: readonly ((trip: Trip, person: Person) => boolean)[] = [
  // "login": the person must be prompted again.
  ({ prompt }, { during_this_trip }) => !prompt.some((word) => word === 'login') || during_this_trip,
  // max_age: the elapsed time must not be greater; 0 is the same as login.
  ({ max_age = Number.POSITIVE_INFINITY, now: at }, { auth_time, during_this_trip }) =>
    during_this_trip || (max_age > 0 && at - auth_time <= max_age),
  // id_token_hint: a positive answer is about this person and nobody else.
  ({ hinted_user_id = 'u' }) => hinted_user_id === 'u',
  (_, { allowed_connection }) => allowed_connection,
]

/** Each with what it means when it does not hold: interactively, and with `prompt=none` (OpenID Connect Core §3.1.2.6). */
const gates: readonly { holds: (trip: Trip, person: Person) => boolean; asks: string; silent: string }[] = [
  { holds: (_, person) => !person.blocked, asks: 'fail access_denied', silent: 'fail access_denied' },
  {
    holds: ({ prompt }, { chose_account, during_this_trip }) =>
      !prompt.some((word) => word === 'select_account') || chose_account || during_this_trip,
    ...{ asks: 'page account', silent: 'never' },
  },
  { holds: ({ rules: rule }) => rule !== 'pending', asks: 'rules', silent: 'rules' },
  { holds: (trip) => said(trip).refusal === undefined, asks: 'fail access_denied', silent: 'fail access_denied' },
  {
    holds: (trip) => said(trip).multifactor !== true,
    ...{ asks: 'fail access_denied', silent: 'fail interaction_required' },
  },
  { holds: (trip) => said(trip).redirect === undefined, asks: 'redirect', silent: 'fail interaction_required' },
  {
    holds: ({ prompt, consent_needed }, { consented }) =>
      !consent_needed && (consented || !prompt.some((word) => word === 'consent')),
    ...{ asks: 'page consent', silent: 'fail consent_required' },
  },
]
const said = ({ rules: rule }: Trip) => (typeof rule === 'object' ? rule : {})

function expected(trip: Trip): string {
  const silent = trip.prompt.some((word) => word === 'none')
  const { signed_in: person } = trip
  if (person === undefined || !authenticated.every((holds) => holds(trip, person))) {
    if (person?.during_this_trip === true && trip.hinted_user_id === 'other') return 'fail login_required'
    if (silent) return 'fail login_required'
    return trip.screen_hint === 'signup' ? 'page signup' : 'page login'
  }
  const closed = gates.find(({ holds }) => !holds(trip, person))
  if (closed === undefined) return 'issue'
  return silent ? closed.silent : closed.asks
}

// A hundred thousand refusals need no traces.
const { stackTraceLimit } = Error
beforeAll(() => {
  Error.stackTraceLimit = 0
})
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit
})

describe('OpenID Connect Core §3.1.2.3 OpenID Connect Core §3.1.2.6 the next step of a trip', () => {
  test('every combination is decided as the specification says, and prompt=none never shows anything', {
    timeout: 60_000,
  }, () => {
    const counts = new Map<string, number>()
    let total = 0
    for (const trip of trips()) {
      const step = told(nextStep(trip))
      if (step !== expected(trip)) throw new Error(`${step}, not ${expected(trip)}: ${JSON.stringify(trip)}`)
      if (trip.prompt[0] === 'none' && /^(page|redirect)/.test(step)) throw new Error(`shown: ${JSON.stringify(trip)}`)
      counts.set(step, (counts.get(step) ?? 0) + 1)
      total++
    }
    expect(total).toBe(9 * 3 * 3 * 2 * 2 * 6 * (1 + 3 * 32))
    for (const step of ['page login', 'page signup', 'page account', 'page consent', 'rules', 'redirect', 'issue'])
      expect([step, (counts.get(step) ?? 0) > 100]).toEqual([step, true])
  })

  test('whoever does what each page asks for comes to an end in five steps', { timeout: 60_000 }, () => {
    for (const trip of trips()) {
      if (trip.screen_hint !== undefined) continue
      let at = trip
      const seen: string[] = []
      for (let step = nextStep(at); step.kind !== 'issue' && step.kind !== 'fail'; step = nextStep(at)) {
        seen.push(told(step))
        if (seen.length > 5) throw new Error(`${seen.join(', ')}: ${JSON.stringify(trip)}`)
        at = afterwards(at, step)
      }
      if (new Set(seen).size < seen.length) throw new Error(`in circles: ${JSON.stringify(trip)}`)
    }
  })

  test('max_age counts whole seconds, and exactly as old is not too old', () => {
    const person = { user_id: 'u', blocked: false, during_this_trip: false, allowed_connection: true }
    const at = (auth_time: number, max_age: number) =>
      told(
        nextStep({
          ...{ prompt: [], now, max_age, consent_needed: false },
          signed_in: { ...person, auth_time, chose_account: false, consented: false },
        }),
      )
    expect(at(now - 10, 10)).toBe('issue')
    expect(at(now - 11, 10)).toBe('page login')
    expect(at(now, 0)).toBe('page login')
    expect(at(now, 1)).toBe('issue')
    // A clock that was set back must not lock anybody out.
    expect(at(now + 60, 10)).toBe('issue')
  })
})

/** What the person, or the server for rules, does at a step. */
function afterwards(trip: Trip, step: Step): Trip {
  const { signed_in } = trip
  if (step.kind === 'rules') return { ...trip, rules: {} }
  if (step.kind === 'redirect') return { ...trip, rules: {} }
  if (step.kind !== 'page') return trip
  if (step.page === 'account' && signed_in !== undefined)
    return { ...trip, signed_in: { ...signed_in, chose_account: true } }
  if (step.page === 'consent' && signed_in !== undefined)
    return { ...trip, consent_needed: false, signed_in: { ...signed_in, consented: true } }
  const person = { user_id: 'u', auth_time: now, blocked: signed_in?.blocked ?? false, during_this_trip: true }
  return { ...trip, signed_in: { ...person, allowed_connection: true, chose_account: false, consented: false } }
}
