/** Owns the peer: oidc-provider from the registry, set up for the same work, with its in-memory adapter. */
import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'

const [port = '18402'] = process.argv.slice(2)
const issuer = `http://localhost:${port}`
const secret = 'a secret of the bench client: 32+ characters'

const jwk = (alg: string, pair: ReturnType<typeof generateKeyPairSync>) => ({
  ...pair.privateKey.export({ format: 'jwk' }),
  ...{ alg, use: 'sig', kid: alg },
})

/** The API whose tokens are signed with this algorithm. */
const algOf = (resource: string) => (resource.includes('es256') ? 'ES256' : 'RS256')

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'bench-web',
      client_secret: secret,
      redirect_uris: ['https://app.example.com/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'openid offline_access read:messages',
    },
  ],
  jwks: {
    keys: [
      jwk('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })),
      jwk('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    ],
  } as never,
  scopes: ['openid', 'offline_access', 'read:messages'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('openid'),
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  cookies: { keys: ['bench'] },
  ttl: {
    AccessToken: 7200,
    ClientCredentials: 7200,
    RefreshToken: 86_400,
    Session: 86_400,
    Grant: 86_400,
    IdToken: 3600,
  },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_ctx, resource) => ({
        scope: 'read:messages',
        accessTokenTTL: 7200,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algOf(resource) } },
      }),
    },
  },
})

provider.listen(Number(port), 'localhost')
