/** Owns the step from a page's model to what its template reads: cleaned addresses, shown problems, compared addresses. */
import { exactOrigin, linkAddress, webAddress } from './addresses.ts'
import { difference } from './difference.ts'
import { scriptValue } from './escape.ts'
import type { Account, Frame, PageExplanation, PageModels, PageName, PasswordPolicy } from './models.ts'
import { type ProblemCode, type ShownProblems, showProblems } from './problems.ts'
import type { Texts } from './texts.ts'

/** What a template reads, by name. */
export type View = Readonly<Record<string, unknown>>

type Views = { readonly [Name in PageName]: (model: PageModels[Name], texts: Texts) => View }

/** For each page, what its template reads besides the frame. `title_values` go into the page's title. */
export const views: Views = {
  login: (model, texts) => ({
    ...model,
    account: account(model.account),
    ...problems(model.problem === undefined ? [] : [model.problem], texts, model.requires_username),
    // Whoever is known already goes straight to the password.
    focus: { [model.username ? 'password' : 'username']: true },
  }),
  signup: (model, texts) => {
    const shown = problems(model.problems, texts, true)
    const fields = ['email', ...(model.requires_username ? ['username'] : []), 'password']
    const first = fields.find((field) => shown.invalid[field] !== undefined) ?? 'email'
    return { ...model, ...shown, rules: rules(model.password_policy, texts), focus: { [first]: true } }
  },
  reset_password_request: (model, texts) => ({
    ...model,
    ...problems(model.problem === undefined ? [] : [model.problem], texts),
  }),
  reset_password_sent: (model) => model,
  reset_password: (model, texts) => ({
    ...model,
    ...problems(model.problems, texts),
    rules: rules(model.password_policy, texts),
  }),
  reset_password_done: (model) => ({ continue_url: linkAddress(model.continue_url) }),
  verify_email: (model) => ({ ...model }),
  email_verified: (model) => ({ continue_url: linkAddress(model.continue_url) }),
  account_unblock: (model) => ({ ...model }),
  account_unblocked: (model) => ({ continue_url: linkAddress(model.continue_url) }),
  ticket_invalid: (model) => model,
  consent: (model) => ({
    ...model,
    account: account(model.account),
    profile: model.permissions.filter(({ kind }) => kind === 'profile'),
    api_permissions: model.permissions.filter(({ kind }) => kind === 'api'),
  }),
  activate: (model, texts) => ({
    ...model,
    ...problems(model.problem === undefined ? [] : [model.problem], texts),
  }),
  device_connected: (model) => model,
  device_denied: (model) => model,
  select_account: (model) => ({ ...model, accounts: model.accounts.map(account) }),
  logged_out: (model) => {
    const return_url = linkAddress(model.return_url)
    const frames = (model.frames ?? []).flatMap((address) => webAddress(address) ?? [])
    return { return_url, frames, goes_on: frames.length > 0 && return_url !== undefined }
  },
  logout_confirm: (model) => ({ ...model, account: account(model.account) }),
  error: (model) => ({ ...model, explanation: explanation(model.explanation) }),
  form_post: (model) => {
    const action = webAddress(model.action)
    if (action === undefined) throw new RangeError('A form_post response can only go to an http or https address')
    return { action, fields: Object.entries(model.fields).map(([name, value]) => ({ name, value })) }
  },
  web_message: (model) => {
    const origin = exactOrigin(model.target_origin)
    const message =
      model.owp === true
        ? JSON.stringify({ a: 'response', d: model.response })
        : { type: 'authorization_response', response: model.response }
    return {
      ...(origin === undefined ? {} : { message: scriptValue(message), target_origin: scriptValue(origin) }),
      explanation: explanation(model.explanation),
    }
  },
  dev_device: ({ outcome, name, ...model }) => ({
    ...model,
    ...{ waiting: outcome === 'waiting', connected: outcome === 'connected', name: name ?? '' },
  }),
  mailbox: (model, texts) => ({ mails: model.mails.map((mail) => ({ ...mail, ...sent(mail.time, texts) })) }),
  mailbox_message: (model, texts) => ({
    ...model,
    ...sent(model.time, texts),
    // The frame has no scripts and no origin; a link in it opens a tab of its own.
    document: `<base target="_blank">${model.html}`,
    links: (model.links ?? []).flatMap((link) => webAddress(link) ?? []),
  }),
}

/** The tenant and the client as templates read them: addresses cleaned, and a letter in place of a missing logo. */
export function frameView({ tenant, client }: Frame): View {
  return {
    tenant: {
      ...tenant,
      picture_url: webAddress(tenant.picture_url),
      support_url: webAddress(tenant.support_url),
      initial: initial(tenant.friendly_name),
    },
    ...(client === undefined
      ? {}
      : {
          client: {
            ...client,
            logo_uri: webAddress(client.logo_uri),
            policy_uri: webAddress(client.policy_uri),
            tos_uri: webAddress(client.tos_uri),
            initial: initial(client.name),
          },
        }),
  }
}

function account(model: Account | undefined): View | undefined {
  if (model === undefined) return undefined
  const label = model.name || model.email || ''
  return { ...model, label, initial: initial(label) }
}

let letters: Intl.Segmenter | undefined

/** The first letter as people count letters, whatever number of code points it takes. */
function initial(text: string): string {
  // Megabytes of tables come with it: not before a page needs them.
  letters ??= new Intl.Segmenter()
  const [first] = letters.segment(text.trim().slice(0, 32))
  return (first?.segment ?? '').toUpperCase()
}

/** The texts of the login page name the username only where there are any. */
function problems(codes: readonly ProblemCode[], texts: Texts, usernames = false): ShownProblems {
  return showProblems(codes, (code) => texts.t(`problems.${code}`, usernames ? { context: 'username' } : {}))
}

/** The conditions a new password has to meet; undefined where there are none worth saying. */
function rules({ strength, min_length }: PasswordPolicy, texts: Texts): readonly View[] | undefined {
  const classes = ['lower', 'upper', 'number']
  const codes = {
    none: [],
    low: [],
    fair: classes,
    good: ['three_of_four'],
    excellent: ['three_of_four', 'no_repeats'],
  }[strength]
  const length = { code: 'length', min: min_length, text: texts.t('password_rules.length', { count: min_length }) }
  const all = [
    ...(min_length > 1 ? [length] : []),
    ...codes.map((code) => ({ code, text: texts.t(`password_rules.${code}`) })),
  ]
  return all.length === 0 ? undefined : all
}

function explanation(model: PageExplanation | undefined): View | undefined {
  if (model?.nearest === undefined) return model === undefined ? undefined : { ...model }
  return { ...model, difference: difference(model.nearest.registered, model.nearest.requested) }
}

function sent(time: number, texts: Texts): View {
  return { sent: texts.time(time), sent_iso: new Date(time).toISOString() }
}
