/** Owns the settings of the tenant itself, and its branding, which an export keeps beside them. */
import { createRequire } from 'node:module'
import { authMethods, grantTypes, optionalResponseModes, responseTypes } from '@latchkey/core'
import type { TenantSettings } from '@latchkey/store'
import { type Static, Type } from 'typebox'
import { longestTemplate, problemOfTemplate } from '../../pages/custom_error.ts'
import { merged } from '../change.ts'
import { type Draft, put } from '../draft.ts'
import { entryVerdict, linkVerdict, logoutVerdict, maxUrlLength } from '../urls.ts'
import { DisplayName, report, reportAll, Url, UrlList } from './fields.ts'
import { defineRecord, type Entry } from './record.ts'
import { checkTrustedIssuers, TrustedIssuerFields } from './trusted_issuers.ts'

/** A year, in hours. */
const longestSession = 8760

const Hours = Type.Number({ minimum: 0.01, maximum: longestSession })

/** Some of a list that discovery shows. */
const Words = (known: readonly string[]) => Type.Optional(Type.Array(Type.Enum([...known]), { maxItems: 100 }))

const Host = Type.String({
  maxLength: 260,
  pattern: '^(\\*\\.)?[a-z0-9.-]+(:\\d{1,5})?$',
  must_be: 'a host in lower case, such as client.example.com or *.example.com',
})

const TenantRecord = Type.Object({
  friendly_name: Type.Optional(DisplayName),
  picture_url: Type.Optional(Url),
  support_email: Type.Optional(
    Type.String({ maxLength: 254, pattern: '^[^\\s@<>"]+@[^\\s@<>"]+$', must_be: 'an e-mail address' }),
  ),
  support_url: Type.Optional(Url),
  default_audience: Type.Optional(Type.String({ maxLength: 600 })),
  default_directory: Type.Optional(Type.String({ maxLength: 128 })),
  default_redirection_uri: Type.Optional(Url),
  allowed_logout_urls: Type.Optional(UrlList),
  ...TrustedIssuerFields,
  session_lifetime: Type.Optional(Hours),
  idle_session_lifetime: Type.Optional(Hours),
  session_cookie: Type.Optional(Type.Object({ mode: Type.Optional(Type.Enum(['persistent', 'non-persistent'])) })),
  enabled_locales: Type.Optional(
    Type.Array(
      Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', must_be: 'a language tag, such as en or pt-BR' }),
      { maxItems: 100 },
    ),
  ),
  error_page: Type.Optional(
    Type.Object({
      // Empty text takes back what was set before.
      url: Type.Optional(Type.String({ maxLength: maxUrlLength })),
      html: Type.Optional(Type.String({ maxLength: longestTemplate })),
      show_log_link: Type.Optional(Type.Boolean()),
    }),
  ),
  flags: Type.Optional(
    Type.Object({
      use_scope_descriptions_for_consent: Type.Optional(Type.Boolean()),
      enable_public_signup_user_exists_error: Type.Optional(Type.Boolean()),
      require_namespaced_claims: Type.Optional(Type.Boolean()),
      revoke_refresh_token_grant: Type.Optional(Type.Boolean()),
      enable_dynamic_client_registration: Type.Optional(Type.Boolean()),
    }),
  ),
  ...{
    disabled_grant_types: Words(['implicit', ...grantTypes]),
    disabled_response_types: Words(responseTypes),
    disabled_response_modes: Words(optionalResponseModes),
    disabled_token_endpoint_auth_methods: Words(authMethods),
  },
  client_id_metadata_documents: Type.Optional(
    Type.Object({
      enabled: Type.Optional(Type.Boolean()),
      allowed_hosts: Type.Optional(Type.Array(Host, { maxItems: 1000 })),
      denied_hosts: Type.Optional(Type.Array(Host, { maxItems: 1000 })),
    }),
  ),
  dynamic_client_registration: Type.Optional(
    Type.Object({
      require_initial_access_token: Type.Optional(Type.Boolean()),
      max_clients: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
    }),
  ),
})

export const tenant = defineRecord({
  key: 'tenant',
  single: true,
  schema: TenantRecord,
  plan(entry, draft) {
    check(entry, draft)
    checkTrustedIssuers(entry, draft)
    planSettings(draft, 'settings', entry.value)
  },
})

function check(entry: Entry<Static<typeof TenantRecord>>, draft: Draft): void {
  const { default_audience: audience, default_directory: directory, ...given } = entry.value
  for (const field of ['picture_url', 'support_url'] as const) {
    const url = given[field]
    if (url !== undefined && url !== '') report(entry, [field], linkVerdict(url))
  }
  checkErrorPage(entry, given.error_page ?? {})
  if (given.default_redirection_uri !== undefined)
    report(entry, ['default_redirection_uri'], entryVerdict(given.default_redirection_uri))
  reportAll(entry, 'allowed_logout_urls', given.allowed_logout_urls, (url) => logoutVerdict(url, { wildcards: true }))
  if (isNamed(audience) && !draft.resource_servers.has(audience) && !draft.broken.has(audience))
    entry.problem(
      ['default_audience'],
      `There is no API with the identifier ${audience}: add it to resourceServers; a trailing slash counts.`,
    )
  if (isNamed(directory) && !draft.connections.has(directory) && !draft.broken.has(directory))
    entry.problem(
      ['default_directory'],
      `There is no connection named ${directory}: add it to databases, or correct the name.`,
    )
  const session = given.session_lifetime ?? draft.settings.session_lifetime ?? 168
  if (given.idle_session_lifetime !== undefined && given.idle_session_lifetime > session)
    entry.warning(
      ['idle_session_lifetime'],
      `A session ends after session_lifetime, which is ${session} hours, at the latest.`,
    )
}

function checkErrorPage(entry: Entry<unknown>, { url = '', html = '' }: { url?: string; html?: string }): void {
  if (url !== '') report(entry, ['error_page', 'url'], linkVerdict(url))
  const reason = html === '' ? undefined : problemOfTemplate(createRequire(import.meta.url), html)
  if (reason !== undefined)
    entry.warning(['error_page', 'html'], `The built-in page is shown, because this template cannot be read: ${reason}`)
  else if (url !== '' && html !== '')
    entry.warning(['error_page', 'html'], 'This is not shown as long as error_page.url is set.')
}

/** An export writes empty text for what is not set. */
function isNamed(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

const Color = Type.String({ pattern: '^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$', must_be: 'a colour such as "#0f5f57"' })

const BrandingRecord = Type.Object({
  logo_url: Type.Optional(Url),
  colors: Type.Optional(
    Type.Object({
      primary: Type.Optional(Color),
      page_background: Type.Optional(Type.Unknown()),
    }),
  ),
})

export const branding = defineRecord({
  key: 'branding',
  single: true,
  schema: BrandingRecord,
  plan(entry, draft) {
    const { logo_url, colors } = entry.value
    if (logo_url !== undefined) report(entry, ['logo_url'], linkVerdict(logo_url))
    const page_background = backgroundOf(entry)
    planSettings(draft, 'branding', {
      branding: {
        ...(logo_url === undefined ? {} : { logo_url }),
        colors: {
          ...(colors?.primary === undefined ? {} : { primary: colors.primary }),
          ...(page_background === undefined ? {} : { page_background }),
        },
      },
    })
  },
})

/** A gradient is not supported yet; a plain colour is. */
function backgroundOf(entry: Entry<Static<typeof BrandingRecord>>): string | undefined {
  const background = entry.value.colors?.page_background
  if (background === undefined) return undefined
  if (typeof background === 'string' && /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(background)) return background
  const path = ['colors', 'page_background']
  if (typeof background === 'object') entry.ignored(path)
  else entry.problem(path, 'This must be a colour such as "#0f5f57".')
  return undefined
}

function planSettings(draft: Draft, name: string, given: Partial<TenantSettings>): void {
  const before = draft.settings
  draft.settings = merged(before, given)
  put(draft, {
    ...{ kind: 'tenant', name, before, after: draft.settings },
    // Whatever else of the file changes the settings is in the draft by then.
    write: ({ configuration }, now) => configuration.saveSettings(draft.settings, now),
  })
}
