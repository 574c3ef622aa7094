/** Clients with TLS certificates, over real TLS: who they are, what their tokens are bound to, and what a proxy may pass on. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Agent as TlsAgent } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import {
  type Authority,
  type CertificateChange,
  type KeyedCertificate,
  makeAuthority,
  makeCertificateOf,
} from '../support/client_certificate.ts'
import { codeOf, codeTenant, offlineApi, requestToken, secret } from '../support/code_flow.ts'
import { dpopProof, proofKey } from '../support/dpop.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { freePort, type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, tenant } from '../support/tenant.ts'
import { type TlsRequest, tlsRequest } from '../support/tls_client.ts'

const id = (name: string) => `${name}Client0000000000000000000000`
const boundCallback = 'https://certified.example.com/callback'
const selfSigned = makeCertificateOf({ subject: ['CN=self'] })

/** One client for each way of naming a certificate. */
const named = {
  Subject: { tls_client_auth_subject_dn: 'CN=client,O=Example' },
  Escaped: { tls_client_auth_subject_dn: 'CN=a\\, b\\2B c,DC=example' },
  Dns: { tls_client_auth_san_dns: 'Client.example.com' },
  Uri: { tls_client_auth_san_uri: 'https://client.example.com/a,b' },
  Ip: { tls_client_auth_san_ip: '10.1.2.3' },
  Email: { tls_client_auth_san_email: 'client@example.com' },
} as const
type Named = keyof typeof named

const machine = (name: string, method: string, more: object) => ({
  ...{ name, client_id: id(name), app_type: 'non_interactive', token_endpoint_auth_method: method, ...more },
})
const certified = {
  clients: [
    ...Object.entries(named).map(([name, setting]) => machine(name, 'tls_client_auth', setting)),
    machine('Self', 'self_signed_tls_client_auth', { jwks: { keys: [selfSigned.public_jwk] } }),
    machine('Bound', 'client_secret_post', { client_secret: secret, tls_client_certificate_bound_access_tokens: true }),
    {
      ...{ name: 'Public', client_id: id('Public'), app_type: 'native', callbacks: [boundCallback] },
      tls_client_certificate_bound_access_tokens: true,
    },
  ],
  clientGrants: [...Object.keys(named), 'Self', 'Bound'].map((name) => ({
    ...{ client_id: id(name), audience: apis.messages, scope: ['read:messages'] },
  })),
}

let latchkey: Latchkey
let files: Certificate
let authority: Authority
let mtls: string
const ada = new Agent()
beforeAll(async () => {
  files = await makeCertificate()
  authority = makeAuthority()
  const tls_client_ca = join(files.folder, 'clients.pem')
  writeFileSync(tls_client_ca, `${authority.cert}${makeAuthority('Another').cert}`)
  const mtls_port = String(await freePort())
  mtls = `https://localhost:${mtls_port}/`
  latchkey = await startLatchkey({ tenant, tls_file: files.file, options: { mtls_port, tls_client_ca } })
  await latchkey.apply(codeTenant)
  await latchkey.apply(JSON.stringify(certified))
  await signIn(ada, latchkey.issuer)
})
afterAll(async () => {
  await latchkey.close()
  files.remove()
})

const issue = (change: CertificateChange = {}) =>
  makeCertificateOf({ issuer: authority, usage: 'clientAuth', ...change })
const send = (path: string, certificate: KeyedCertificate | undefined, more: Partial<TlsRequest> = {}) =>
  tlsRequest(`${mtls}${path}`, { ca: files.ca, certificate, ...more })
const token = (name: string, certificate: KeyedCertificate | undefined, change: Parameters = {}) =>
  send('oauth/token', certificate, {
    form: { grant_type: 'client_credentials', client_id: id(name), audience: apis.messages, ...change },
  })
const outcome = async (answer: ReturnType<typeof token>) => {
  const { status, json } = await answer
  return status === 200 ? 'token' : `${status} ${json.error}`
}

describe('RFC 8705 §2.1.2 the names in a certificate', () => {
  const fitting: Record<Named, CertificateChange> = {
    Subject: { subject: ['O=Example', 'CN=client'] },
    Escaped: { subject: ['DC=example', 'CN=a, b+ c'] },
    Dns: { names: ['dns:client.EXAMPLE.com'] },
    Uri: { names: ['dns:other.example', 'uri:https://client.example.com/a,b'] },
    Ip: { names: ['ip:10.1.2.3'] },
    Email: { names: ['email:client@example.com'] },
  }
  test.each(Object.keys(fitting) as Named[])('the name by %s', async (name) => {
    expect(await outcome(token(name, issue(fitting[name])))).toBe('token')
    const forAnything = makeCertificateOf({ issuer: authority, ...fitting[name] })
    expect(await outcome(token(name, forAnything))).toBe('token')
  })

  test('a client without a name, or with two, is not taken', async () => {
    const client = (more: object) =>
      latchkey.apply(JSON.stringify({ clients: [machine('Nameless', 'tls_client_auth', more)] }))
    await expect(client({})).rejects.toThrow(/exactly one of/)
    await expect(client({ ...named.Dns, ...named.Ip })).rejects.toThrow(/exactly one of/)
    await expect(client({ tls_client_auth_san_ip: 'localhost' })).rejects.toThrow(/an IP address/)
    await expect(client({ tls_client_auth_san_dns: '*.example.com' })).rejects.toThrow(/without wildcards/)
    await expect(client({ tls_client_auth_subject_dn: 'client' })).rejects.toThrow(/RFC 4514/)
  })
})

describe('RFC 8705 §2.1 certificates of an authority', () => {
  const faults: Record<string, [Named, () => KeyedCertificate | undefined]> = {
    'no certificate': ['Subject', () => undefined],
    'one that signs itself': ['Subject', () => makeCertificateOf()],
    'one of an unknown authority': ['Subject', () => makeCertificateOf({ issuer: makeAuthority() })],
    'one of an authority of the same name': ['Subject', () => makeCertificateOf({ issuer: makeAuthority('Another') })],
    'one that another client certificate signed': ['Subject', () => makeCertificateOf({ issuer: issue() })],
    'one for servers': ['Subject', () => issue({ usage: 'serverAuth' })],
    'one that has expired': ['Subject', () => issue({ to: Date.now() - 1000 })],
    'one that is not valid yet': ['Subject', () => issue({ from: Date.now() + 60_000 })],
    'another CN': ['Subject', () => issue({ subject: ['O=Example', 'CN=other'] })],
    'the CN in capitals': ['Subject', () => issue({ subject: ['O=Example', 'CN=CLIENT'] })],
    'the names in another order': ['Subject', () => issue({ subject: ['CN=client', 'O=Example'] })],
    'one name more': ['Subject', () => issue({ subject: ['C=DE', 'O=Example', 'CN=client'] })],
    'one name fewer': ['Subject', () => issue({ subject: ['CN=client'] })],
    'both names as one value': ['Subject', () => issue({ subject: ['CN=client,O=Example'] })],
    'a line break for a border': ['Subject', () => issue({ subject: ['O=Example\nCN=client'] })],
    'another host': ['Dns', () => issue({ names: ['dns:other.example.com'] })],
    'a wildcard': ['Dns', () => issue({ names: ['dns:*.example.com'] })],
    'the host as CN alone': ['Dns', () => issue({ subject: ['CN=Client.example.com'] })],
    'the host behind a comma': ['Dns', () => issue({ names: ['dns:x, DNS:Client.example.com'] })],
    'the host as an address': ['Dns', () => issue({ names: ['uri:Client.example.com'] })],
    'the address in capitals': ['Uri', () => issue({ names: ['uri:https://CLIENT.example.com/a,b'] })],
    'another number': ['Ip', () => issue({ names: ['ip:10.1.2.4'] })],
    'the number as a host': ['Ip', () => issue({ names: ['dns:10.1.2.3'] })],
    'another mailbox': ['Email', () => issue({ names: ['email:other@example.com'] })],
  }
  test.each(Object.keys(faults))('%s is invalid_client', async (fault) => {
    const [name, make] = faults[fault] ?? ['Subject', () => undefined]
    expect(await outcome(token(name, make()))).toBe('401 invalid_client')
  })

  test('a secret in its place, or the certificate at the port that asks for none', async () => {
    expect(await outcome(token('Subject', issue(), { client_secret: secret }))).toBe('401 invalid_client')
    const form = { grant_type: 'client_credentials', client_id: id('Subject'), audience: apis.messages }
    const url = `${latchkey.https_issuer}oauth/token`
    expect((await tlsRequest(url, { ca: files.ca, certificate: issue(), form })).status).toBe(401)
  })

  test('a resumed TLS session is still of the same certificate', async () => {
    const agent = new TlsAgent({ keepAlive: false, maxCachedSessions: 10 })
    const form = { grant_type: 'client_credentials', client_id: id('Subject'), audience: apis.messages }
    const certificate = issue()
    for (let round = 0; round < 3; round++)
      expect((await send('oauth/token', certificate, { form, agent })).status).toBe(200)
    agent.destroy()
  })
})

describe('RFC 8705 §2.2.2 keys of certificates', () => {
  test('a client without one is not taken', async () => {
    const client = machine('Keyless', 'self_signed_tls_client_auth', {})
    await expect(latchkey.apply(JSON.stringify({ clients: [client] }))).rejects.toThrow(/add jwks or jwks_uri/)
  })
})

describe('RFC 8705 §2.2 certificates that sign themselves', () => {
  test('the registered key counts, in whatever certificate', async () => {
    expect(await outcome(token('Self', selfSigned))).toBe('token')
    expect(await outcome(token('Self', makeCertificateOf({ of: selfSigned, subject: ['CN=renewed'] })))).toBe('token')
  })

  test.each([
    ['none', () => undefined],
    ['another key with the same names', () => makeCertificateOf({ subject: ['CN=self'] })],
    ['one of the authority', () => issue({ subject: ['CN=self'] })],
    ['an expired one', () => makeCertificateOf({ of: selfSigned, to: Date.now() - 1000 })],
  ])('%s is invalid_client', async (_name, make) => {
    expect(await outcome(token('Self', make()))).toBe('401 invalid_client')
  })
})

const proof = { client_secret: secret }

describe('RFC 8705 §3.1 the confirmation of a token', () => {
  test('the token names the certificate, whoever issued it', async () => {
    const certificate = makeCertificateOf()
    const { json } = await token('Bound', certificate, proof)
    expect(json.token_type).toBe('Bearer')
    expect(claimsOf(String(json.access_token)).cnf).toEqual({ 'x5t#S256': thumbprint(certificate) })
  })
})

describe('RFC 8705 §3 tokens bound to a certificate', () => {
  test('no certificate, no token', async () => {
    expect(await outcome(token('Bound', undefined, proof))).toBe('400 invalid_request')
    const { status } = await requestToken(latchkey.issuer, {
      ...{ grant_type: 'client_credentials', client_id: id('Bound'), audience: apis.messages, ...proof },
    })
    expect(status).toBe(400)
  })

  test('a client that does not ask for it gets plain tokens over the same connection', async () => {
    const { json } = await token('Subject', issue())
    expect(claimsOf(String(json.access_token))).not.toHaveProperty('cnf')
  })
})

const thumbprint = ({ der }: KeyedCertificate) => createHash('sha256').update(der).digest('base64url')

describe('RFC 9449 §4.3 a proof over a connection with a certificate', () => {
  test('names the address that was called, and the token is bound to both', async () => {
    const key = proofKey()
    const certificate = makeCertificateOf()
    const form = { grant_type: 'client_credentials', client_id: id('Bound'), audience: apis.messages, ...proof }
    const ask = (htu: string) =>
      send('oauth/token', certificate, { form, headers: { dpop: dpopProof(key, 'POST', htu) } })
    expect((await ask(`${latchkey.issuer}oauth/token`)).json.error).toBe('invalid_dpop_proof')
    const { json } = await ask(`${mtls}oauth/token`)
    expect(json.token_type).toBe('DPoP')
    const cnf = { jkt: key.jkt, 'x5t#S256': thumbprint(certificate) }
    expect(claimsOf(String(json.access_token)).cnf).toEqual(cnf)
  })
})

describe('RFC 8705 §3.4 clients that register themselves', () => {
  test('say how they prove themselves, and what their tokens are bound to', async () => {
    await latchkey.apply(JSON.stringify({ tenant: { flags: { enable_dynamic_client_registration: true } } }))
    const metadata = {
      ...{ redirect_uris: [boundCallback], token_endpoint_auth_method: 'self_signed_tls_client_auth' },
      ...{ jwks: { keys: [selfSigned.public_jwk] }, tls_client_certificate_bound_access_tokens: true },
      dpop_bound_access_tokens: true,
    }
    const answer = await fetch(`${latchkey.issuer}oidc/register`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(metadata),
    })
    const json = (await answer.json()) as Record<string, unknown>
    expect([answer.status, json]).toEqual([201, expect.objectContaining(metadata)])
    expect(json).not.toHaveProperty('client_secret')
    const form = { grant_type: 'authorization_code', client_id: String(json.client_id), code: 'x' }
    const known = await send('oauth/token', selfSigned, { form })
    expect([known.status, known.json.error]).toEqual([400, 'invalid_dpop_proof'])
    expect((await send('oauth/token', makeCertificateOf(), { form })).json.error).toBe('invalid_client')
  })
})

describe('RFC 8705 §4 public clients', () => {
  const certificate = makeCertificateOf({ subject: ['CN=device'] })
  const asked = { client_id: id('Public'), redirect_uri: boundCallback }
  const exchange = async (change: Parameters = {}) => {
    const form = { ...(await codeOf(ada, latchkey.issuer, { ...asked, ...change })) }
    return (await send('oauth/token', certificate, { form })).json
  }
  const userinfo = (access_token: unknown, by: KeyedCertificate | undefined) =>
    send('userinfo', by, { headers: { authorization: `Bearer ${access_token}` } })

  test('userinfo opens to the certificate of the token alone, opaque or not', async () => {
    for (const audience of [undefined, apis.messages]) {
      const { access_token } = await exchange({ audience, scope: 'openid email' })
      expect((await userinfo(access_token, certificate)).status).toBe(200)
      for (const other of [undefined, makeCertificateOf({ subject: ['CN=device'] })]) {
        const { status, json, headers } = await userinfo(access_token, other)
        expect([status, json.error]).toEqual([401, 'invalid_token'])
        expect(headers['www-authenticate']).toContain('error="invalid_token"')
      }
      const plain = await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
      expect(plain.status).toBe(401)
    }
  })

  test('the refresh token is bound to it too', async () => {
    const { refresh_token } = await exchange({ audience: offlineApi, scope: 'openid offline_access' })
    const form = { grant_type: 'refresh_token', client_id: id('Public'), refresh_token: String(refresh_token) }
    const stranger = makeCertificateOf({ subject: ['CN=device'] })
    expect(await outcome(send('oauth/token', stranger, { form }))).toBe('400 invalid_grant')
    expect(await outcome(send('oauth/token', undefined, { form }))).toBe('400 invalid_request')
    expect(await outcome(send('oauth/token', certificate, { form }))).toBe('token')
  })
})

describe('RFC 8705 §3.3 what discovery says', () => {
  test('it names the address for certificates, with what it serves', async () => {
    const document = (await (await fetch(`${latchkey.issuer}.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >
    expect(document).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      mtls_endpoint_aliases: { token_endpoint: `${mtls}oauth/token`, userinfo_endpoint: `${mtls}userinfo` },
    })
    expect(document.token_endpoint_auth_methods_supported).toEqual(
      expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
    )
    for (const url of Object.values(document.mtls_endpoint_aliases as Record<string, string>))
      expect(url.startsWith(mtls)).toBe(true)
  })
})

describe('RFC 8705 §5 the address for certificates', () => {
  test('tokens from there are of the issuer, and pages have no place there', async () => {
    const { json } = await token('Subject', issue())
    expect(claimsOf(String(json.access_token)).iss).toBe(latchkey.issuer)
    expect((await send('authorize?client_id=x', undefined)).status).toBe(400)
  })
})

describe('RFC 9440 §2 certificates that a proxy passes on', () => {
  let behind: Latchkey
  let strangers: Latchkey
  beforeAll(async () => {
    const options = { client_certificate_header: 'Client-Cert', tls_client_ca: join(files.folder, 'clients.pem') }
    behind = await startLatchkey({ tenant, options: { ...options, trust_proxy: ['127.0.0.1', '::1'] } })
    strangers = await startLatchkey({ tenant, options: { ...options, trust_proxy: ['10.0.0.0/8'] } })
    for (const one of [behind, strangers]) {
      await one.apply(codeTenant)
      await one.apply(JSON.stringify(certified))
    }
  })
  afterAll(() => Promise.all([behind.close(), strangers.close()]))

  const ask = (at: Latchkey, header: string | undefined) =>
    requestToken(
      at.issuer,
      { grant_type: 'client_credentials', client_id: id('Subject'), audience: apis.messages },
      header === undefined ? {} : { 'client-cert': header },
    )
  const forms: Record<string, (certificate: KeyedCertificate) => string> = {
    'bytes between colons': ({ der }) => `:${der.toString('base64')}:`,
    'PEM in percent-encoding': ({ cert }) => encodeURIComponent(cert),
    'Base64 alone': ({ der }) => der.toString('base64'),
  }

  test.each(Object.keys(forms))('%s, from a listed proxy', async (form) => {
    const header = forms[form]?.(issue()) ?? ''
    expect((await ask(behind, header)).status).toBe(200)
    expect((await ask(strangers, header)).status).toBe(401)
    expect((await ask(behind, forms[form]?.(makeCertificateOf()))).status).toBe(401)
  })

  test('none is none, and what cannot be read is refused', async () => {
    expect((await ask(behind, undefined)).status).toBe(401)
    for (const header of ['x', ':AAAA:', '%', ':', `${forms['Base64 alone']?.(issue())}, AAAA`])
      expect((await ask(behind, header)).json.error).toBe('invalid_request')
  })

  test('without an address of its own it has no aliases', async () => {
    const document = (await (await fetch(`${behind.issuer}.well-known/openid-configuration`)).json()) as object
    expect(document).toHaveProperty('tls_client_certificate_bound_access_tokens', true)
    expect(document).not.toHaveProperty('mtls_endpoint_aliases')
  })
})
