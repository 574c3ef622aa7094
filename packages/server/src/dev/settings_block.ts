/** Owns the settings that `latchkey dev` prints, ready to be pasted, for the SDKs that people use. */
import { demo, demoAudience } from './seed.ts'

export interface Addresses {
  /** The names of the server, each with its slash at the end. */
  readonly http: string
  readonly https: string | undefined
  readonly app_port: number
  readonly api_port: number
  /** The response types the server has; settings that need another one are marked. */
  readonly response_types: readonly string[]
}

interface Block {
  readonly title: string
  /** What the SDK asks for by default. */
  readonly response_type?: string
  lines(addresses: Addresses): readonly string[]
}

const scope = 'openid profile email read:messages'

const blocks: readonly Block[] = [
  {
    title: '@latchkey/spa',
    lines: ({ http, app_port, api_port }) => [
      'createClient({',
      `  issuer: '${http}',`,
      `  client_id: '${demo.client_id}',`,
      `  redirect_uri: 'http://localhost:${app_port}/callback.html',`,
      `  audience: '${demoAudience(api_port)}',`,
      `  scope: '${scope}',`,
      '})',
    ],
  },
  {
    title: 'auth0-js',
    lines: ({ http, app_port, api_port }) => [
      'new auth0.WebAuth({',
      `  domain: '${http.replace(/\/$/, '')}',`,
      `  clientID: '${demo.client_id}',`,
      `  redirectUri: 'http://localhost:${app_port}/callback.html',`,
      `  audience: '${demoAudience(api_port)}',`,
      `  responseType: 'token id_token', scope: '${scope}',`,
      // auth0-js expects an issuer on https, so this one has to be named; the key set it finds under it by itself.
      `  overrides: { __token_issuer: '${http}' },`,
      '})',
    ],
  },
  {
    title: 'auth0-spa-js',
    response_type: 'code',
    lines: ({ http, app_port, api_port }) => [
      'new Auth0Client({',
      `  domain: '${http.replace(/\/$/, '')}', clientId: '${demo.client_id}',`,
      `  authorizationParams: { redirect_uri: 'http://localhost:${app_port}/', audience: '${demoAudience(api_port)}' },`,
      '})',
    ],
  },
  {
    title: 'auth0-react',
    response_type: 'code',
    lines: ({ http, api_port }) => [
      '<Auth0Provider',
      `  domain="${http.replace(/\/$/, '')}" clientId="${demo.react_client_id}"`,
      `  authorizationParams={{ redirect_uri: window.location.origin, audience: '${demoAudience(api_port)}' }}>`,
    ],
  },
  {
    title: 'express-oauth2-jwt-bearer',
    lines: ({ http, api_port }) => [`auth({ issuerBaseURL: '${http}', audience: '${demoAudience(api_port)}' })`],
  },
  {
    title: 'Any OpenID Connect library',
    lines: ({ http, https, app_port }) => [
      `issuer        ${http}`,
      ...(https === undefined ? [] : [`or            ${https}`]),
      `discovery     ${http}.well-known/openid-configuration`,
      `client_id     ${demo.client_id}   (no secret)`,
      `redirect_uri  http://localhost:${app_port}/callback.html`,
      'response_type code (with PKCE), or id_token token',
      `scope         ${scope}`,
    ],
  },
]

/** @returns several lines, without a break at the end */
export function settingsBlock(addresses: Addresses): string {
  const parts = blocks.map(({ title, response_type, lines }) => {
    const isMissing = response_type !== undefined && !addresses.response_types.includes(response_type)
    const note = isMissing ? ` (asks for response_type=${response_type}, which this version does not have yet)` : ''
    return [`${title}${note}`, ...lines(addresses).map((line) => `    ${line}`)].join('\n')
  })
  const { https } = addresses
  if (https === undefined) return parts.join('\n\n')
  return [...parts, `SDKs that insist on https: use ${new URL(https).host} as the domain.`].join('\n\n')
}
