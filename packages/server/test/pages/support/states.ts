/** Owns a realistic model of every page in every state worth looking at. */
import {
  describeDetails,
  type Frame,
  type PageModels,
  type PageName,
  type PageTenant,
} from '../../../src/pages/index.ts'

export const tenant: PageTenant = {
  friendly_name: 'Acme',
  support_email: 'help@acme.example',
  support_url: 'https://acme.example/support',
}

export const client: NonNullable<Frame['client']> = { name: 'Sample App', host: 'app.example.com' }

const step = { state: 'hKFo2SBzdGF0ZS1oYW5kbGU', csrf: 'c5rf-t0ken' }
const mailed = { ticket: 'tkt_1234567890', csrf: 'c5rf-t0ken', email: 'ada@example.com' }
const ada = { name: 'Ada Lovelace', email: 'ada@example.com' }
const good = { strength: 'good', min_length: 8 } as const
const explanation = {
  summary: 'The redirect_uri of this request is not on the list of Allowed Callback URLs of the client Sample App.',
  fix: 'Add the requested address to callbacks, byte for byte, or send the registered one from the app.',
  setting: 'clients[].callbacks',
  nearest: { registered: 'http://localhost:8401/callback', requested: 'http://localhost:8400/callback/' },
} as const

/** A page in one state. `client` false: the frame has none. */
export type PageState = {
  [Name in PageName]: {
    readonly page: Name
    readonly state: string
    readonly model: PageModels[Name]
    readonly client?: Frame['client'] | false
    readonly tenant?: PageTenant
    /** The scopes that a consent page puts into words, in the language it is shown in. */
    readonly scopes?: readonly string[]
  }
}[PageName]

const login: PageModels['login'] = { ...step, allow_signup: true, allow_reset: true }
const scopes = ['openid', 'profile', 'email', 'read:messages', 'post:messages', 'list:contacts']
const consent: PageModels['consent'] = {
  ...step,
  account: ada,
  redirect_host: 'app.example.com',
  is_third_party: false,
  loopback: false,
  permissions: [],
  api: { name: 'Sample API' },
}

export const states: readonly PageState[] = [
  { page: 'login', state: 'first', model: login },
  { page: 'login', state: 'wrong', model: { ...login, username: 'ada@example.com', problem: 'wrong_credentials' } },
  { page: 'login', state: 'plain', model: { ...login, allow_signup: false, allow_reset: false }, client: false },
  {
    page: 'login',
    state: 'again',
    model: { ...login, username: 'ada@example.com', account: ada, requires_username: true, allow_signup: false },
  },
  {
    page: 'login',
    state: 'branded',
    model: { ...login, problem: 'too_many_attempts' },
    client: { ...client, logo_uri: 'LOGOS/client.svg' },
    tenant: {
      ...tenant,
      friendly_name: 'Fabrikam',
      picture_url: 'LOGOS/tenant.svg',
      colors: { primary: '#ffcf33', page_background: '#26315f' },
    },
  },
  { page: 'signup', state: 'first', model: { ...step, password_policy: good, problems: [] } },
  {
    page: 'signup',
    state: 'problems',
    model: {
      ...step,
      email: 'ada@example.com',
      username: 'ada',
      requires_username: true,
      password_policy: { strength: 'fair', min_length: 10 },
      problems: ['username_exists', 'password_strength_error'],
    },
  },
  { page: 'reset_password_request', state: 'first', model: { ...step } },
  {
    page: 'reset_password_request',
    state: 'problem',
    model: { csrf: step.csrf, email: 'ada@', problem: 'invalid_email' },
    client: false,
  },
  { page: 'reset_password_sent', state: 'first', model: { state: step.state, email: 'ada@example.com' } },
  {
    page: 'reset_password',
    state: 'first',
    model: { ...mailed, password_policy: { strength: 'excellent', min_length: 12 }, problems: [] },
  },
  {
    page: 'reset_password',
    state: 'problem',
    model: { ...mailed, password_policy: good, problems: ['password_mismatch'] },
  },
  { page: 'reset_password_done', state: 'first', model: { continue_url: 'https://app.example.com/' } },
  { page: 'verify_email', state: 'first', model: mailed },
  { page: 'email_verified', state: 'first', model: {} },
  { page: 'account_unblock', state: 'first', model: mailed },
  { page: 'account_unblocked', state: 'first', model: { continue_url: 'https://app.example.com/' } },
  { page: 'ticket_invalid', state: 'expired', model: { kind: 'reset_password', reason: 'expired' } },
  { page: 'ticket_invalid', state: 'used', model: { kind: 'verify_email', reason: 'used' } },
  { page: 'consent', state: 'first', model: consent, scopes },
  {
    page: 'consent',
    state: 'third_party',
    scopes: [...scopes, 'offline_access', 'https://api.example.com/scopes/everything'],
    model: {
      ...consent,
      is_third_party: true,
    },
    client: {
      name: 'Fabrikam Application for Contoso',
      host: 'fabrikam.example',
      logo_uri: 'LOGOS/client.svg',
      policy_uri: 'https://fabrikam.example/privacy',
      tos_uri: 'https://fabrikam.example/terms',
    },
    tenant: { ...tenant, picture_url: 'LOGOS/tenant.svg' },
  },
  {
    page: 'consent',
    state: 'details',
    scopes: ['openid', 'read:messages'],
    model: {
      ...consent,
      details: describeDetails([
        {
          ...{ type: 'payment_initiation', actions: ['initiate', 'status'], creditorName: 'Merchant A' },
          instructedAmount: { currency: 'EUR', amount: '123.50' },
          remittanceInformationUnstructured:
            'Ref Number Merchant, a text that is longer than the line it has to stand in',
        },
        { type: 'https://bank.example.com/types/account', identifier: 'DE89 3704 0044 0532 0130 00' },
      ]),
    },
  },
  {
    page: 'consent',
    state: 'loopback',
    model: {
      ...consent,
      account: { email: 'ada@example.com' },
      loopback: true,
      redirect_host: 'localhost:8401',
      api: undefined,
      required_openid: true,
    },
  },
  {
    page: 'select_account',
    state: 'first',
    model: { ...step, accounts: [ada, { email: 'ada.lovelace@work.example', id: 'second' }] },
  },
  {
    page: 'consent',
    state: 'device',
    model: { ...consent, user_code: 'WDJB-MJHT' },
    scopes: ['openid', 'profile', 'offline_access'],
    client: { name: 'Living room television' },
  },
  { page: 'activate', state: 'first', model: { csrf: step.csrf }, client: false },
  {
    page: 'activate',
    state: 'wrong',
    model: { csrf: step.csrf, code: 'WDJB-MJHT', problem: 'unknown_user_code' },
    client: false,
  },
  { page: 'device_connected', state: 'first', model: {} },
  {
    page: 'dev_device',
    state: 'waiting',
    model: {
      ...{ outcome: 'waiting', user_code: 'WDJB-MJHT', verification_uri: 'http://localhost:8400/activate' },
      qr: { size: 3, path: 'M0 0h1v1h-1zM2 2h1v1h-1z' },
    },
  },
  { page: 'dev_device', state: 'connected', model: { outcome: 'connected', name: 'Ada Lovelace' } },
  { page: 'dev_device', state: 'over', model: { outcome: 'over' } },
  { page: 'device_denied', state: 'first', model: {} },
  { page: 'logged_out', state: 'first', model: { return_url: 'https://app.example.com/' } },
  { page: 'logged_out', state: 'plain', model: {}, client: false },
  { page: 'logout_confirm', state: 'first', model: { ...step, account: ada } },
  {
    page: 'error',
    state: 'serve',
    model: {
      error: 'invalid_request',
      error_description: 'The redirect_uri is not registered for this client',
      tracking: '7d0e6a41c2f94c0f8a35',
    },
    client: false,
  },
  {
    page: 'error',
    state: 'dev',
    model: {
      error: 'invalid_request',
      error_description: 'The redirect_uri is not registered for this client',
      tracking: '7d0e6a41c2f94c0f8a35',
      explanation,
    },
    client: false,
  },
  {
    page: 'web_message',
    state: 'refused',
    model: { response: { error: 'login_required' }, explanation: { ...explanation, nearest: undefined } },
  },
  { page: 'web_message', state: 'alone', model: { response: { state: 's' }, target_origin: 'http://localhost:1' } },
  { page: 'mailbox', state: 'empty', model: { mails: [] }, client: false },
  {
    page: 'mailbox',
    state: 'mails',
    model: {
      mails: [
        { id: 'm2', to: 'ada@example.com', subject: 'Reset your Acme password', time: 1_790_000_000_000 },
        { id: 'm1', to: 'ada@example.com', subject: 'Confirm your email address for Acme', time: 1_789_990_000_000 },
      ],
    },
    client: false,
  },
]
