/** Owns the tenant that most tests share: a first-party and a third-party app, an API that asks and one that does not, one person. */

export const clients = {
  /** First-party, callback on https: consent may be skipped where the API allows it. */
  spa: 'SpaClient0000000000000000000000a',
  /** First-party with a loopback callback: consent is never skipped. */
  local: 'LocalClient00000000000000000000b',
  thirdParty: 'ThirdPartyClient000000000000000c',
  /** A native app with a custom scheme and a loopback callback. */
  native: 'NativeClient0000000000000000000d',
  /** May not use the implicit grant. */
  noImplicit: 'NoImplicitClient000000000000000e',
} as const

export const callback = 'https://app.example.com/callback'
export const localCallback = 'http://localhost:3999/callback'
export const apis = {
  /** Consent may be skipped. */
  messages: 'https://api.example.com/',
  /** Always asks. */
  contacts: 'https://contacts.example.com/',
  /** HS256: one audience. */
  secret: 'https://secret.example.com/',
  /** ES256 and RFC 9068 tokens. */
  modern: 'https://modern.example.com/',
} as const

export const person = { email: 'ada@example.com', password: 'Correct-Horse-7' } as const
export const blocked = { email: 'eve@example.com', password: 'Correct-Horse-7' } as const
export const connection = 'Username-Password-Authentication'

export const tenant = `
tenant:
  friendly_name: Example
  support_email: help@example.com
  allowed_logout_urls: ['https://tenant.example.com/bye']
clients:
  - name: Single page app
    client_id: ${clients.spa}
    app_type: spa
    callbacks: ['${callback}', '${callback}?keep=1', 'https://app.example.com/other']
    web_origins: ['https://app.example.com']
    allowed_logout_urls: ['https://app.example.com/', 'https://*.logout.example.com/bye']
  - name: Local app
    client_id: ${clients.local}
    app_type: spa
    callbacks: ['${localCallback}']
    web_origins: ['http://localhost:3999']
  - name: Somebody else's app
    client_id: ${clients.thirdParty}
    app_type: spa
    is_first_party: false
    callbacks: ['https://third.example.net/callback']
  - name: Native app
    client_id: ${clients.native}
    app_type: native
    callbacks: ['com.example.app://callback', 'http://127.0.0.1/callback']
  - name: Code only
    client_id: ${clients.noImplicit}
    app_type: spa
    grant_types: [authorization_code]
    callbacks: ['${callback}']
resourceServers:
  - name: Messages
    identifier: ${apis.messages}
    scopes:
      - { value: 'read:messages', description: 'Read your messages' }
      - { value: 'write:messages', description: 'Write messages for you' }
      - { value: 'delete:messages', description: 'Delete your messages' }
  - name: Contacts
    identifier: ${apis.contacts}
    skip_consent_for_verifiable_first_party_clients: false
    token_lifetime: 600
    token_lifetime_for_web: 300
    scopes:
      - { value: 'read:contacts', description: 'Read your contacts' }
      - { value: 'write:contacts', description: 'Change your contacts' }
  - name: Shared secret
    identifier: ${apis.secret}
    signing_alg: HS256
    signing_secret: 0123456789abcdef0123456789abcdef
    scopes:
      - { value: 'read:secret', description: 'Read secrets' }
  - name: Modern
    identifier: ${apis.modern}
    signing_alg: ES256
    token_dialect: rfc9068_profile
    scopes:
      - { value: 'read:modern', description: 'Read modern things' }
databases:
  - name: ${connection}
    strategy: auth0
    options:
      passwordPolicy: good
users:
  - email: ${person.email}
    password: ${person.password}
    email_verified: true
    given_name: Ada
    family_name: Lovelace
    name: Ada Lovelace
  - email: ${blocked.email}
    password: ${blocked.password}
    blocked: true
`
