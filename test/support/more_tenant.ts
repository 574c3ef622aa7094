/** Owns what some tests need beside the shared tenant; a file to apply on top of it. */
import { connection } from './tenant.ts'

export const moreClients = {
  /** Gets claims about the person only where OpenID Connect says. */
  standard: 'StandardClient00000000000000000f',
  /** Lists no web origins, so nothing may be posted to its pages. */
  unlisted: 'UnlistedClient00000000000000000g',
  /** Has one callback, which a request may leave out. */
  single: 'SingleClient0000000000000000000h',
  /** Its ID tokens are signed with ES256. */
  elliptic: 'EllipticClient00000000000000000i',
} as const

export const second = { email: 'grace@example.com', password: 'Correct-Horse-8' } as const
/** A connection that only one client may use. */
export const closedConnection = 'Workforce'

export const moreTenant = `
clients:
  - name: Standard claims
    client_id: ${moreClients.standard}
    app_type: spa
    callbacks: ['https://standard.example.com/callback']
    id_token_profile_claims: standard
  - name: Unlisted
    client_id: ${moreClients.unlisted}
    app_type: spa
    callbacks: ['https://unlisted.example.com/callback']
  - name: Single
    client_id: ${moreClients.single}
    app_type: spa
    callbacks: ['https://single.example.com/callback']
    web_origins: ['https://single.example.com', 'https://also.example.com']
  - name: Elliptic
    client_id: ${moreClients.elliptic}
    app_type: spa
    callbacks: ['https://elliptic.example.com/callback']
    jwt_configuration: { alg: ES256 }
databases:
  - name: ${closedConnection}
    strategy: auth0
    enabled_clients: [${moreClients.single}]
users:
  - email: ${second.email}
    password: ${second.password}
    connection: ${connection}
    email_verified: false
    given_name: Grace
`
