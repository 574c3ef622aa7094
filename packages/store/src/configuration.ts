/** Owns the records an administrator configures: tenant settings, clients, resource servers, connections, client grants. */
import { prepared } from './prepared.ts'
import { type Rule, type RulesConfig, ruleStore } from './rules.ts'
import type { Scope } from './scope.ts'

/** Names are those of Auth0's Management API. */
export interface TenantSettings {
  readonly friendly_name?: string
  readonly picture_url?: string
  readonly support_email?: string
  readonly support_url?: string
  readonly default_audience?: string
  readonly default_directory?: string
  readonly default_redirection_uri?: string
  readonly trusted_issuers?: readonly TrustedIssuer[]
  readonly allowed_logout_urls?: readonly string[]
  /** Hours. */
  readonly session_lifetime?: number
  /** Hours. */
  readonly idle_session_lifetime?: number
  readonly session_cookie?: { readonly mode?: 'persistent' | 'non-persistent' }
  readonly enabled_locales?: readonly string[]
  readonly error_page?: { readonly url?: string; readonly html?: string; readonly show_log_link?: boolean }
  readonly flags?: Readonly<Record<string, boolean>>
  /** Clients whose id is an address, at which they publish what they are. */
  readonly client_id_metadata_documents?: {
    readonly enabled?: boolean
    /** Hosts, with their port where it is not the usual one; `*.` in front means every host below. Without the list all may. */
    readonly allowed_hosts?: readonly string[]
    readonly denied_hosts?: readonly string[]
  }
  readonly dynamic_client_registration?: {
    /** Only who has a token from an administrator may register. */
    readonly require_initial_access_token?: boolean
    readonly max_clients?: number
  }
  /** What no client of the tenant may use, whatever its own settings say; discovery does not list it. */
  readonly disabled_grant_types?: readonly string[]
  readonly disabled_response_types?: readonly string[]
  readonly disabled_response_modes?: readonly string[]
  readonly disabled_token_endpoint_auth_methods?: readonly string[]
  readonly branding?: {
    readonly logo_url?: string
    readonly colors?: { readonly primary?: string; readonly page_background?: string }
  }
}

/** An issuer whose word counts for who a person is. */
export interface TrustedIssuer {
  /** As its assertions say `iss`, exactly. */
  readonly issuer: string
  readonly jwks?: { readonly keys: readonly Jwk[] }
  readonly jwks_uri?: string
  /** The clients that may bring its assertions. */
  readonly clients: readonly string[]
  /** What assertions must have as `aud`: the issuer alone, or the token endpoint as well, for old ones. */
  readonly audience?: 'issuer' | 'any'
  /** Whom an assertion means: its `sub` is an id of a user, unless this says otherwise. */
  readonly subject?: {
    readonly claim?: string
    readonly match?: 'user_id' | 'email' | 'username'
    /** The connection in which addresses and user names are looked up. */
    readonly connection?: string
  }
}

export interface Client {
  readonly client_id: string
  readonly name: string
  readonly description?: string
  readonly logo_uri?: string
  readonly policy_uri?: string
  readonly tos_uri?: string
  readonly app_type: 'spa' | 'native' | 'regular_web' | 'non_interactive'
  readonly is_first_party: boolean
  readonly oidc_conformant: boolean
  readonly callbacks: readonly string[]
  readonly web_origins: readonly string[]
  readonly allowed_origins: readonly string[]
  readonly allowed_logout_urls: readonly string[]
  readonly grant_types: readonly string[]
  /** The only ones the client may ask for, where it registered them. */
  readonly response_types?: readonly string[]
  readonly token_endpoint_auth_method: string
  readonly jwt_configuration: { readonly lifetime_in_seconds: number; readonly alg: string }
  readonly initiate_login_uri?: string
  /** The token endpoint believes what a confidential client says of a person's address, in `auth0-forwarded-for`. */
  readonly is_token_endpoint_ip_header_trusted?: boolean
  /** What the client may exchange; nothing without it. */
  readonly token_exchange?: TokenExchangeSettings
  /** `pairwise`: people have another `sub` here than in other sectors. */
  readonly subject_type?: 'public' | 'pairwise'
  readonly sector_identifier_uri?: string
  /** The API that this client is: it may look into the tokens for it. */
  readonly resource_server_identifier?: string
  /** Public keys: of its signatures, and to encrypt for it. */
  readonly jwks?: { readonly keys: readonly Jwk[] }
  readonly jwks_uri?: string
  /** Every token request needs a DPoP proof, and every access token is bound to its key. */
  readonly dpop_bound_access_tokens?: boolean
  /** DPoP proofs count only with a nonce of this server. */
  readonly require_dpop_nonce?: boolean
  /** Every token request needs a TLS certificate, and every access token is bound to it. */
  readonly tls_client_certificate_bound_access_tokens?: boolean
  /** The name in the certificate of a client with `tls_client_auth`: one of these five. */
  readonly tls_client_auth_subject_dn?: string
  readonly tls_client_auth_san_dns?: string
  readonly tls_client_auth_san_uri?: string
  readonly tls_client_auth_san_ip?: string
  readonly tls_client_auth_san_email?: string
  /** Of its assertions; without it any that fits the method. */
  readonly token_endpoint_auth_signing_alg?: string
  /** What its assertions must name: the issuer alone, or, for old clients, an endpoint or a list as well. */
  readonly token_endpoint_auth_aud?: 'issuer' | 'any'
  /** Where its request objects may be fetched. */
  readonly request_uris?: readonly string[]
  /** `none` allows unsigned ones. */
  readonly request_object_signing_alg?: string
  /** Its request objects may come encrypted so. */
  readonly request_object_encryption_alg?: string
  readonly request_object_encryption_enc?: string
  readonly require_signed_request_object?: boolean
  readonly require_pushed_authorization_requests?: boolean
  /** Compared exactly; without them the `allowed_logout_urls` count here too. */
  readonly post_logout_redirect_uris?: readonly string[]
  readonly frontchannel_logout_uri?: string
  /** Names of OpenID Connect; the session is always named. */
  readonly frontchannel_logout_session_required?: boolean
  readonly backchannel_logout_uri?: string
  readonly backchannel_logout_session_required?: boolean
  readonly refresh_token?: RefreshTokenSettings
  /** A confidential client need not prove its codes by PKCE unless this says so; a public one always must. */
  readonly require_pkce?: boolean
  /** How the client came to be, where no administrator made it. */
  readonly registration?: {
    readonly by: 'itself' | 'document'
    /** Seconds since 1970. */
    readonly issued_at: number
    /** What it registered, by the names of OpenID Connect Registration, with what was left out filled in. */
    readonly metadata: Readonly<Record<string, unknown>>
  }
  /** Seconds; what a request does not say for itself. */
  readonly default_max_age?: number
  readonly default_acr_values?: readonly string[]
  /** Every ID token says when the person signed in. */
  readonly require_auth_time?: boolean
  /** Signs the answers of the response modes with `jwt`; RS256 by default. */
  readonly authorization_signed_response_alg?: string
  readonly authorization_encrypted_response_alg?: string
  readonly authorization_encrypted_response_enc?: string
  /** What signs ID tokens is in `jwt_configuration`. */
  readonly id_token_encrypted_response_alg?: string
  readonly id_token_encrypted_response_enc?: string
  /** Without one of these, `/userinfo` answers with plain JSON. */
  readonly userinfo_signed_response_alg?: string
  readonly userinfo_encrypted_response_alg?: string
  readonly userinfo_encrypted_response_enc?: string
  readonly introspection_signed_response_alg?: string
  readonly introspection_encrypted_response_alg?: string
  readonly introspection_encrypted_response_enc?: string
  /** The types of rich requests that the client may send; without a list, those of the API. */
  readonly authorization_details_types?: readonly string[]
  /** For old clients that cannot hash. */
  readonly allow_plain_pkce?: boolean
  readonly client_metadata: Readonly<Record<string, string>>
  /** How profile claims reach the client: in every ID token as Auth0 does, or only where OpenID Connect says. */
  readonly id_token_profile_claims: 'always' | 'standard'
}

export type Jwk = Readonly<Record<string, unknown>>

/**
 * True for a client with which something is signed or encrypted under its secret: that needs the secret itself, where others are
 * served by its hash.
 */
export function keepsSecret(client: Client): boolean {
  if (client.token_endpoint_auth_method === 'client_secret_jwt' || client.jwt_configuration?.alg === 'HS256')
    return true
  return Object.entries(client).some(
    // A request object is encrypted for this server, with a key of its own.
    ([name, value]) =>
      /_alg$/.test(name) &&
      name !== 'request_object_encryption_alg' &&
      typeof value === 'string' &&
      /^(HS|A\d|dir$)/.test(value),
  )
}

/** Names are Auth0's; what is left out has a default. */
export interface RefreshTokenSettings {
  readonly rotation_type?: 'rotating' | 'non-rotating'
  readonly expiration_type?: 'expiring' | 'non-expiring'
  /** Seconds in which the token before the newest one is answered with the newest again. */
  readonly leeway?: number
  /** Seconds from the first token of a family on. */
  readonly token_lifetime?: number
  /** Seconds without use. */
  readonly idle_token_lifetime?: number
  readonly infinite_token_lifetime?: boolean
  readonly infinite_idle_token_lifetime?: boolean
}

/** What a client may get for the tokens that others gave it. */
export interface TokenExchangeSettings {
  /** `delegation` tells who acts, by an `actor_token`; `impersonation` does not. */
  readonly allowed?: readonly ('impersonation' | 'delegation')[]
  /** The APIs that it may get tokens for. */
  readonly audiences?: readonly string[]
  /** Clients whose tokens it may present, besides its own and those for the API that it is. */
  readonly subject_clients?: readonly string[]
  /** Scopes that it may ask for although the presented token does not have them. */
  readonly scope?: readonly string[]
}

export interface ApiScope {
  readonly value: string
  readonly description?: string
}

export interface ResourceServer {
  readonly id: string
  readonly identifier: string
  readonly name: string
  readonly scopes: readonly ApiScope[]
  readonly signing_alg: string
  /** Seconds. */
  readonly token_lifetime: number
  /** Seconds; for tokens that a browser receives from `/authorize`. */
  readonly token_lifetime_for_web: number
  readonly skip_consent_for_verifiable_first_party_clients: boolean
  readonly allow_offline_access: boolean
  readonly token_dialect: string
  /** The types of rich requests that the API knows. */
  readonly authorization_details?: readonly { readonly type: string }[]
  /** Of an HS256 API alone. */
  readonly signing_secret?: string
}

export interface Connection {
  readonly id: string
  readonly name: string
  readonly strategy: string
  /** Client ids; `undefined` means every client of the tenant. */
  readonly enabled_clients?: readonly string[]
  readonly is_domain_connection: boolean
  readonly options: ConnectionOptions
}

/** Of a database connection; names as in Auth0. */
export interface ConnectionOptions {
  readonly disable_signup?: boolean
  readonly requires_username?: boolean
  readonly brute_force_protection?: boolean
  readonly passwordPolicy?: string
  readonly password_complexity_options?: { readonly min_length?: number }
  readonly password_history?: { readonly enable: boolean; readonly size?: number }
  readonly password_dictionary?: { readonly enable: boolean; readonly dictionary?: readonly string[] }
  readonly password_no_personal_info?: { readonly enable: boolean }
}

export interface ClientGrant {
  readonly id: string
  readonly client_id: string
  readonly audience: string
  readonly scope: readonly string[]
}

/** Everything configured for a tenant, read in one go. */
export interface Configuration {
  readonly version: number
  readonly settings: TenantSettings
  readonly clients: readonly Client[]
  readonly resource_servers: readonly ResourceServer[]
  readonly connections: readonly Connection[]
  readonly client_grants: readonly ClientGrant[]
  /** In the order they run, the switched-off ones among them. */
  readonly rules: readonly Rule[]
  readonly rules_configs: readonly RulesConfig[]
}

export type ConfigurationStore = ReturnType<typeof configurationStore>

export function configurationStore({ db, tenant, vault }: Scope) {
  const rules = ruleStore({ db, tenant, vault })
  const secretOf = prepared(db, () =>
    db.selectFrom('clients').select('secret_hash').where('tenant', '=', '').where('client_id', '=', ''),
  )
  return {
    /** Makes sure the tenant has a row. */
    async ensureTenant(now: number): Promise<void> {
      await db
        .insertInto('tenants')
        .values({ tenant, settings: '{}', created_at: now, updated_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    /** Grows whenever anything below has changed. */
    async version(): Promise<number> {
      const row = await db.selectFrom('tenants').select('version').where('tenant', '=', tenant).executeTakeFirst()
      return row?.version ?? 0
    },

    async touch(now: number): Promise<void> {
      await db
        .updateTable('tenants')
        .set((eb) => ({ version: eb('version', '+', 1), updated_at: now }))
        .where('tenant', '=', tenant)
        .execute()
    },

    async read(): Promise<Configuration> {
      const row = await db.selectFrom('tenants').selectAll().where('tenant', '=', tenant).executeTakeFirst()
      const clients = await db
        .selectFrom('clients')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('client_id')
        .execute()
      const apis = await db
        .selectFrom('resource_servers')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('identifier')
        .execute()
      const connections = await db
        .selectFrom('connections')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('name')
        .execute()
      const grants = await db
        .selectFrom('client_grants')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('id')
        .execute()
      return {
        version: row?.version ?? 0,
        settings: row === undefined ? {} : (JSON.parse(row.settings) as TenantSettings),
        clients: clients.map(
          (one) => ({ ...JSON.parse(one.settings), client_id: one.client_id, name: one.name }) as Client,
        ),
        resource_servers: apis.map(
          (one) =>
            ({
              ...JSON.parse(one.settings),
              id: one.id,
              identifier: one.identifier,
              ...(one.signing_secret === null ? {} : { signing_secret: vault.open(one.signing_secret) }),
            }) as ResourceServer,
        ),
        connections: connections.map(
          (one) => ({ ...JSON.parse(one.settings), id: one.id, name: one.name, strategy: one.strategy }) as Connection,
        ),
        client_grants: grants.map(
          (one) =>
            ({
              ...JSON.parse(one.settings),
              id: one.id,
              client_id: one.client_id,
              audience: one.audience,
            }) as ClientGrant,
        ),
        rules: await rules.list(),
        rules_configs: await rules.listConfigs(),
      }
    },

    async saveSettings(settings: TenantSettings, now: number): Promise<void> {
      await db
        .updateTable('tenants')
        .set({ settings: JSON.stringify(settings), updated_at: now })
        .where('tenant', '=', tenant)
        .execute()
    },

    async saveClient(client: Client, now: number): Promise<void> {
      const { client_id, name, ...settings } = client
      const body = JSON.stringify(settings)
      const forgotten = keepsSecret(client) ? {} : { secret_sealed: null }
      await db
        .insertInto('clients')
        .values({ tenant, client_id, name, settings: body, created_at: now, updated_at: now })
        .onConflict((c) =>
          c.columns(['tenant', 'client_id']).doUpdateSet({ name, settings: body, updated_at: now, ...forgotten }),
        )
        .execute()
    },

    /** Its client grants go with it. */
    async deleteClient(client_id: string): Promise<void> {
      for (const table of ['clients', 'client_grants'] as const)
        await db.deleteFrom(table).where('tenant', '=', tenant).where('client_id', '=', client_id).execute()
    },

    /** Saves the secret as a hash; sealed as well where the client, as it was saved before, needs the secret itself. */
    async saveClientSecret(client_id: string, client_secret: string, now: number): Promise<void> {
      const row = await db
        .selectFrom('clients')
        .select('settings')
        .where('tenant', '=', tenant)
        .where('client_id', '=', client_id)
        .executeTakeFirst()
      const needed = row !== undefined && keepsSecret(JSON.parse(row.settings) as Client)
      const secret_sealed = needed ? vault.seal(client_secret) : null
      await db
        .updateTable('clients')
        .set({ secret_hash: vault.hash('client_secret', client_secret), secret_sealed, updated_at: now })
        .where('tenant', '=', tenant)
        .where('client_id', '=', client_id)
        .execute()
    },

    /** The secret itself, of a client that needs it. */
    async clientSecret(client_id: string): Promise<string | undefined> {
      const row = await db
        .selectFrom('clients')
        .select('secret_sealed')
        .where('tenant', '=', tenant)
        .where('client_id', '=', client_id)
        .executeTakeFirst()
      return row?.secret_sealed == null ? undefined : vault.open(row.secret_sealed)
    },

    /** True when the client has this secret; constant time over the stored hash. */
    async hasClientSecret(client_id: string, client_secret: string): Promise<boolean> {
      const [row] = await secretOf(tenant, client_id)
      return vault.matches('client_secret', client_secret, row?.secret_hash ?? '')
    },

    async saveResourceServer(
      { id, identifier, signing_secret, ...settings }: ResourceServer,
      now: number,
    ): Promise<void> {
      const body = JSON.stringify(settings)
      const sealed = signing_secret === undefined ? null : vault.seal(signing_secret)
      await db
        .insertInto('resource_servers')
        .values({ tenant, id, identifier, settings: body, signing_secret: sealed, created_at: now, updated_at: now })
        .onConflict((c) =>
          c.columns(['tenant', 'id']).doUpdateSet({ settings: body, signing_secret: sealed, updated_at: now }),
        )
        .execute()
    },

    async saveConnection({ id, name, strategy, ...settings }: Connection, now: number): Promise<void> {
      const body = JSON.stringify(settings)
      await db
        .insertInto('connections')
        .values({ tenant, id, name, strategy, settings: body, created_at: now, updated_at: now })
        .onConflict((c) => c.columns(['tenant', 'id']).doUpdateSet({ settings: body, updated_at: now }))
        .execute()
    },

    async saveClientGrant({ id, client_id, audience, ...settings }: ClientGrant, now: number): Promise<void> {
      const body = JSON.stringify(settings)
      await db
        .insertInto('client_grants')
        .values({ tenant, id, client_id, audience, settings: body, created_at: now, updated_at: now })
        .onConflict((c) => c.columns(['tenant', 'id']).doUpdateSet({ settings: body, updated_at: now }))
        .execute()
    },
  }
}
