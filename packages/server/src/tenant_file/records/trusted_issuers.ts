/** Owns the issuers that a tenant file trusts to say who a person is. */
import { type Static, Type } from 'typebox'
import type { Draft } from '../draft.ts'
import { entryVerdict } from '../urls.ts'
import { ProofFields } from './client_proofs.ts'
import { report, Url } from './fields.ts'
import type { Entry } from './record.ts'

const Issuer = Type.Object({
  issuer: Type.String({ minLength: 1, maxLength: 600 }),
  jwks: ProofFields.jwks,
  jwks_uri: Type.Optional(Url),
  clients: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 100 }),
  audience: Type.Optional(Type.Enum(['issuer', 'any'])),
  subject: Type.Optional(
    Type.Object({
      claim: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
      match: Type.Optional(Type.Enum(['user_id', 'email', 'username'])),
      connection: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    }),
  ),
})

export const TrustedIssuerFields = {
  trusted_issuers: Type.Optional(Type.Array(Issuer, { maxItems: 100 })),
}

interface Given {
  readonly trusted_issuers?: readonly Static<typeof Issuer>[]
}

/** @spec RFC 7523 §3 */
export function checkTrustedIssuers(entry: Entry<Given>, draft: Draft): void {
  const seen = new Set<string>()
  for (const [index, { issuer, jwks, jwks_uri, subject = {} }] of (entry.value.trusted_issuers ?? []).entries()) {
    const at = ['trusted_issuers', index] as const
    if (seen.has(issuer)) entry.problem([...at, 'issuer'], `The issuer ${issuer} is listed twice: merge the two.`)
    seen.add(issuer)
    if ((jwks === undefined) === (jwks_uri === undefined))
      entry.problem([...at], 'Its keys are needed, in jwks or at jwks_uri, and not in both.')
    if (jwks_uri !== undefined) report(entry, [...at, 'jwks_uri'], entryVerdict(jwks_uri))
    const { match = 'user_id', connection } = subject
    const isThere = connection !== undefined && (draft.connections.has(connection) || draft.broken.has(connection))
    if (match !== 'user_id' && !isThere)
      entry.problem(
        [...at, 'subject', 'connection'],
        `People are found by ${match} in one connection: name one that there is, in connection.`,
      )
  }
}
