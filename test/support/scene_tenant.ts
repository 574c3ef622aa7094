/** Owns the tenant of the browser tests' scene. */
import { connection, person } from './tenant.ts'

export interface Places {
  readonly app: string
  readonly near: string
  readonly far: string
  readonly stranger: string
}

export const sceneClients = {
  app: 'SceneApp00000000000000000000000a',
  far: 'SceneFarApp00000000000000000000b',
  stranger: 'SceneStranger000000000000000000c',
  pocket: 'ScenePocketApp0000000000000000d',
} as const

/** The audience of the demo API. */
export const messages = 'https://messages.example.com/'
/** Another API of the same tenant. */
export const archive = 'https://archive.example.com/'

/** People besides the one of every tenant; what one agrees to is not known of another. */
export const grace = { email: 'grace@example.com', password: person.password } as const
export const alan = { email: 'alan@example.com', password: person.password } as const

/** Where an answer may go at the apps that are listed. */
const paths = ['/', '/callback', '/posted', '/popup', '/silent', '/silent_message']

export function origins(places: Places): readonly string[] {
  return Object.values(places)
}

export function sceneTenant({ app, near, far, stranger }: Places, settings = ''): string {
  return `
tenant:
  friendly_name: Example
  support_email: help@example.com
${settings}
clients:
  - name: Notebook
    client_id: ${sceneClients.app}
    app_type: spa
    callbacks: [${[app, near].flatMap((place) => paths.map((path) => `'${place}${path}'`)).join(', ')}]
    web_origins: ['${app}', '${near}']
    allowed_logout_urls: ['${app}/', '${near}/']
  - name: Far Notebook
    client_id: ${sceneClients.far}
    app_type: spa
    callbacks: ['${far}/callback', '${far}/']
    web_origins: ['${far}']
    allowed_logout_urls: ['${far}/']
  - name: Stranger
    client_id: ${sceneClients.stranger}
    app_type: spa
    is_first_party: false
    callbacks: ['${stranger}/callback']
  - name: Pocket
    client_id: ${sceneClients.pocket}
    app_type: native
    callbacks: ['com.example.latchkey://callback']
resourceServers:
  - name: Messages
    identifier: ${messages}
    scopes:
      - { value: 'read:messages', description: 'Read your messages' }
      - { value: 'write:messages', description: 'Post messages for you' }
      - { value: 'read:contacts', description: 'List your contacts' }
  - name: Archive
    identifier: ${archive}
    allow_offline_access: true
    scopes:
      - { value: 'read:messages', description: 'Read your old messages' }
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
  - email: ${grace.email}
    password: ${grace.password}
    email_verified: true
    name: Grace Hopper
  - email: ${alan.email}
    password: ${alan.password}
    email_verified: true
    name: Alan Turing
`
}
