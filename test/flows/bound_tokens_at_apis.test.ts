/** Bound tokens of this server at an API that checks them with `@latchkey/api`: over http with proofs, over TLS with certificates. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createVerifier } from '@latchkey/api'
import { protect, requireScope } from '@latchkey/api/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { type KeyedCertificate, makeCertificateOf } from '../support/client_certificate.ts'
import { codeClients, codeTenant, requestToken, secret } from '../support/code_flow.ts'
import { athOf, dpopProof, type ProofKey, proofKey } from '../support/dpop.ts'
import { freePort, type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, tenant } from '../support/tenant.ts'
import { tlsRequest } from '../support/tls_client.ts'

const certifiedId = 'CertifiedClient00000000000000001'
const certified = `
clients:
  - name: Certified
    client_id: ${certifiedId}
    client_secret: '${secret}'
    app_type: non_interactive
    tls_client_certificate_bound_access_tokens: true
clientGrants:
  - client_id: ${certifiedId}
    audience: ${apis.messages}
    scope: ['read:messages']
`

let latchkey: Latchkey
let files: Certificate
let mtls: string
let http: Server
let https: Server
let at: string
let secureAt: string
beforeAll(async () => {
  files = await makeCertificate()
  const mtls_port = String(await freePort())
  mtls = `https://localhost:${mtls_port}/`
  latchkey = await startLatchkey({ tenant, tls_file: files.file, options: { mtls_port } })
  await latchkey.apply(codeTenant)
  await latchkey.apply(certified)
  const verifier = createVerifier({
    issuer: latchkey.issuer,
    audience: apis.messages,
    dpop_nonce_secret: 'a secret of the API for its nonces',
  })
  const handler = protect(verifier)(
    requireScope('read:messages')((request, response) => response.end(JSON.stringify({ sub: request.auth.sub }))),
  )
  const listener: RequestListener = (request, response) => void handler(request, response)
  http = createServer(listener)
  https = createTlsServer({ cert: files.cert, key: files.key, requestCert: true, rejectUnauthorized: false }, listener)
  at = `http://localhost:${await portOf(http)}/messages`
  secureAt = `https://localhost:${await portOf(https)}/messages`
})
afterAll(async () => {
  for (const server of [http, https]) server.close()
  await latchkey.close()
  files.remove()
})

function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve((server.address() as AddressInfo).port)))
}

describe('RFC 9449 §7.1 a DPoP token at an API', () => {
  const key = proofKey('EdDSA')
  let access_token: string | undefined
  beforeAll(async () => {
    const fields = { grant_type: 'client_credentials', client_id: codeClients.machine, client_secret: secret }
    const dpop = dpopProof(key, 'POST', `${latchkey.issuer}oauth/token`)
    const { json } = await requestToken(latchkey.issuer, { ...fields, audience: apis.messages }, { dpop })
    access_token = json.access_token
  })
  const call = (nonce: string | undefined | null, who: ProofKey = key) =>
    fetch(at, {
      headers: {
        authorization: `DPoP ${access_token}`,
        dpop: dpopProof(who, 'GET', at, { claims: { ...athOf(access_token), nonce: nonce ?? undefined } }),
      },
    })

  test('opens with a proof, once the nonce of the API is known', async () => {
    const first = await call(undefined)
    expect([first.status, first.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^DPoP .*error="use_dpop_nonce".*algs="ES256/),
    ])
    const nonce = first.headers.get('dpop-nonce')
    const second = await call(nonce)
    expect([second.status, await second.json()]).toEqual([200, { sub: `${codeClients.machine}@clients` }])
    expect(second.headers.get('dpop-nonce')).toBe(nonce)
    expect((await call(nonce, proofKey())).status).toBe(401)
  })

  test('is worth nothing as Bearer', async () => {
    const answer = await fetch(at, { headers: { authorization: `Bearer ${access_token}` } })
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^DPoP /)])
  })
})

describe('RFC 8705 §3 a certificate-bound token at an API', () => {
  const own = makeCertificateOf({ subject: ['CN=job'] })
  const other = makeCertificateOf({ subject: ['CN=job'] })
  let access_token: unknown
  beforeAll(async () => {
    const form = { grant_type: 'client_credentials', client_id: certifiedId, client_secret: secret }
    const asked = { ca: files.ca, certificate: own, form: { ...form, audience: apis.messages } }
    access_token = (await tlsRequest(`${mtls}oauth/token`, asked)).json.access_token
  })
  const call = async (certificate: KeyedCertificate | undefined) => {
    const headers = { authorization: `Bearer ${access_token}` }
    return (await tlsRequest(secureAt, { ca: files.ca, certificate, headers })).status
  }

  test('opens over a connection with that certificate, and over no other', async () => {
    expect([await call(own), await call(other), await call(undefined)]).toEqual([200, 401, 401])
    expect((await fetch(at, { headers: { authorization: `Bearer ${access_token}` } })).status).toBe(401)
  })
})
