/** Owns what a client may register to have its tokens bound to a key or a certificate, and the names in its certificate. */
import { isIP } from 'node:net'
import { distinguishedName } from '@latchkey/core'
import { parseUri } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { Type } from 'typebox'
import type { Entry } from './record.ts'

const CertificateName = Type.Optional(Type.String({ minLength: 1, maxLength: 1024 }))

export const SenderFields = {
  dpop_bound_access_tokens: Type.Optional(Type.Boolean()),
  require_dpop_nonce: Type.Optional(Type.Boolean()),
  tls_client_certificate_bound_access_tokens: Type.Optional(Type.Boolean()),
  tls_client_auth_subject_dn: CertificateName,
  tls_client_auth_san_dns: CertificateName,
  tls_client_auth_san_uri: CertificateName,
  tls_client_auth_san_ip: CertificateName,
  tls_client_auth_san_email: CertificateName,
}

const forms = {
  tls_client_auth_subject_dn: {
    fits: (text: string) => distinguishedName(text) !== undefined,
    must_be: 'a distinguished name in the form of RFC 4514, such as CN=payroll,O=Example',
  },
  tls_client_auth_san_dns: {
    fits: (text: string) => /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i.test(text),
    must_be: 'a host name without wildcards, such as payroll.example.com',
  },
  tls_client_auth_san_uri: {
    fits: (text: string) => parseUri(text) !== undefined,
    must_be: 'an absolute URI, such as spiffe://example.com/payroll',
  },
  tls_client_auth_san_ip: { fits: (text: string) => isIP(text) !== 0, must_be: 'an IP address' },
  tls_client_auth_san_email: {
    fits: (text: string) => /^[^@\s]+@[^@\s]+$/.test(text),
    must_be: 'an e-mail address',
  },
} as const

/**
 * @spec RFC 8705 §2.1.2
 * @spec RFC 8705 §2.2.2
 */
export function checkSenders(entry: Entry<object>, client: Client): void {
  const given = (Object.keys(forms) as (keyof typeof forms)[]).filter((name) => client[name] !== undefined)
  for (const name of given) {
    const { fits, must_be } = forms[name]
    if (!fits(client[name] ?? '')) entry.problem([name], `This must be ${must_be}.`)
  }
  const method = client.token_endpoint_auth_method
  if (method === 'tls_client_auth' && given.length !== 1)
    entry.problem(
      ['token_endpoint_auth_method'],
      `tls_client_auth needs the one name in the client's certificate: give exactly one of ${Object.keys(forms).join(', ')}.`,
    )
  if (method === 'self_signed_tls_client_auth' && client.jwks === undefined && client.jwks_uri === undefined)
    entry.problem(
      ['token_endpoint_auth_method'],
      "self_signed_tls_client_auth needs the client's certificate or key: add jwks or jwks_uri.",
    )
}
