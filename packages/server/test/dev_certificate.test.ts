/** The development certificate, proved by real TLS connections. */
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, get, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensureCertificate } from '../src/dev/certificate.ts'
import { makeLeaf } from '../src/dev/make_certificate.ts'
import { howToTrust } from '../src/dev/trust.ts'

const DAY = 86_400_000
let folder: string
let server: Server | undefined

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'latchkey-certificate-')), 'tls')
})

afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
  await rm(join(folder, '..'), { recursive: true, force: true })
})

const ensure = (days = 0) => ensureCertificate(folder, { now: () => Date.now() + days * DAY })

async function serve(): Promise<number> {
  const { cert, key } = await ensure()
  const started = createServer({ cert, key }, (_request, response) => response.end('hello'))
  server = started
  await new Promise<void>((resolve) => started.listen(0, 'localhost', resolve))
  return (started.address() as AddressInfo).port
}

function fetchText(port: number, ca?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: 'localhost', port, ...(ca === undefined ? {} : { ca }), agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve(text))
    })
    request.on('error', reject)
  })
}

describe('https on localhost', () => {
  test('a client that trusts the authority connects', async () => {
    const port = await serve()
    const { ca_file } = await ensure()
    expect(await fetchText(port, await readFile(ca_file, 'utf8'))).toBe('hello')
  })

  test('a client that does not trust it refuses', async () => {
    await expect(fetchText(await serve())).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  test('NODE_EXTRA_CA_CERTS is enough for a Node program', async () => {
    const port = await serve()
    const { ca_file } = await ensure()
    const program = `fetch('https://localhost:${port}').then((r) => r.text()).then(console.log)`
    const { promise, resolve } = Promise.withResolvers<string>()
    const { execFile } = await import('node:child_process')
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca_file }
    execFile(process.execPath, ['-e', program], { env }, (_error, stdout, stderr) => resolve(stdout + stderr))
    expect(await promise).toBe('hello\n')
  })

  test('the certificate names localhost and both loopback addresses, and nothing else', async () => {
    const certificate = new X509Certificate((await ensure()).cert)
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    const days = (certificate.validToDate.getTime() - Date.now()) / DAY
    expect(Math.round(days)).toBe(90)
  })
})

const openssl = spawnSync('openssl', ['version']).status === 0

describe.skipIf(!openssl)('RFC 5280 §4.2.1.10 the authority, as openssl sees it', () => {
  const verify = (file: string, ...options: string[]) =>
    spawnSync('openssl', ['verify', '-x509_strict', ...options, '-CAfile', join(folder, 'ca.pem'), file], {
      encoding: 'utf8',
    })

  test('the chain holds for each name', async () => {
    await ensure()
    const leaf = join(folder, 'localhost.pem')
    for (const name of [
      ['-verify_hostname', 'localhost'],
      ['-verify_ip', '127.0.0.1'],
      ['-verify_ip', '::1'],
    ]) {
      const { status, stderr } = verify(leaf, '-purpose', 'sslserver', ...name)
      expect(stderr).toBe('')
      expect(status).toBe(0)
    }
  })

  test('its extensions are critical and limit it to this machine', async () => {
    await ensure()
    const { stdout } = spawnSync('openssl', ['x509', '-in', join(folder, 'ca.pem'), '-noout', '-text'], {
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    expect(stdout).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/)
    expect(stdout).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+IP:127.0.0.0\/255.0.0.0\s+IP:/)
  })

  test('what it signs for another name is worth nothing', async () => {
    await ensure()
    const [key, request, leaf] = ['other.key', 'other.csr', 'other.pem'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    const names = join(folder, 'names')
    await writeFile(names, 'subjectAltName=DNS:bank.example\n')
    const csr = [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=bank.example',
    ]
    expect(spawnSync('openssl', [...csr, '-keyout', key, '-out', request]).status).toBe(0)
    const authority = ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca_key.pem')]
    const sign = ['x509', '-req', '-in', request, ...authority, '-extfile', names, '-out', leaf]
    expect(spawnSync('openssl', sign).status).toBe(0)
    expect(verify(leaf).stderr).toContain('permitted subtree violation')
  })
})

describe('on disk', () => {
  test('the second call reads what the first one made', async () => {
    const first = await ensure()
    const second = await ensure()
    expect(first).toMatchObject({ ca_created: true, notice: undefined })
    expect(second).toEqual({ ...first, ca_created: false, cert: first.cert, key: first.key })
  })

  test('keys are for the owner alone, and no draft is left', async () => {
    await ensure()
    expect((await readdir(folder)).toSorted()).toEqual(['ca.pem', 'ca_key.pem', 'localhost.pem'])
    for (const name of ['ca_key.pem', 'localhost.pem']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  test('it is kept while 30 days are left and renewed after, by the same authority', async () => {
    const first = await ensure()
    expect((await ensure(59)).cert).toBe(first.cert)
    const renewed = await ensure(61)
    expect(renewed.cert).not.toBe(first.cert)
    expect(renewed).toMatchObject({ ca_created: false, fingerprint: first.fingerprint, notice: undefined })
  })

  test('an authority near its end is replaced, and says so', async () => {
    const first = await ensure()
    const later = await ensure(5 * 365 - 60)
    expect(later.ca_created).toBe(true)
    expect(later.fingerprint).not.toBe(first.fingerprint)
    expect(later.notice).toMatch(/ends soon, so a new one was made: trust the new one/)
  })

  test('a certificate from the future, made by a wrong clock, is replaced', async () => {
    await ensure(400)
    expect((await ensure()).ca_created).toBe(true)
  })

  for (const [file, content, notice] of [
    ['ca.pem', 'nonsense', /authority in .* is damaged, so a new one was made/],
    ['ca_key.pem', '', /authority in .* is damaged, so a new one was made/],
    [
      'localhost.pem',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /was damaged, so a new one was made/,
    ],
  ] as const) {
    test(`a damaged ${file} is made anew with a notice`, async () => {
      await ensure()
      await writeFile(join(folder, file), content)
      const again = await ensure()
      expect(again.notice).toMatch(notice)
      expect(again.ca_created).toBe(file !== 'localhost.pem')
      expect(await fetchText(await serve(), await readFile(again.ca_file, 'utf8'))).toBe('hello')
    })
  }

  for (const file of ['ca.pem', 'ca_key.pem']) {
    test(`a lost ${file} is noticed`, async () => {
      await ensure()
      await rm(join(folder, file))
      expect((await ensure()).notice).toMatch(/has lost its (?:certificate|key), so a new one was made/)
    })
  }

  test('a certificate of another authority is not used', async () => {
    await ensure()
    const other = await ensureCertificate(join(folder, 'other'), { now: Date.now })
    const key = await readFile(join(folder, 'other', 'ca_key.pem'), 'utf8')
    const foreign = await makeLeaf({ cert: await readFile(other.ca_file, 'utf8'), key }, Date.now(), 90)
    await writeFile(join(folder, 'localhost.pem'), `${foreign.cert}\n${foreign.key}\n`)
    const again = await ensure()
    expect(new X509Certificate(again.cert).verify(new X509Certificate(await readFile(again.ca_file)).publicKey)).toBe(
      true,
    )
  })

  test('a folder that cannot be made is a clear error', async () => {
    await writeFile(join(folder, '..', 'file'), '')
    const impossible = ensureCertificate(join(folder, '..', 'file', 'tls'), { now: Date.now })
    await expect(impossible).rejects.toMatchObject({
      code: 'certificate_unwritable',
      message: expect.stringMatching(/cannot be kept in .* Make the folder writable/),
    })
  })
})

describe('how to trust it', () => {
  test('the first line is for Node programs, on every system', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      const [first, ...others] = howToTrust('/home/ann/ca.pem', platform)
      expect(first?.line).toBe('NODE_EXTRA_CA_CERTS=/home/ann/ca.pem')
      expect(others.length).toBeGreaterThan(0)
      for (const { line } of others) expect(line).toContain(' /home/ann/ca.pem')
    }
  })

  test('a path with spaces and quotes stays one word', () => {
    const line = howToTrust("/home/ann's files/ca.pem", 'linux')[0]?.line
    const { stdout } = spawnSync('sh', ['-c', `${line}; printf %s "$NODE_EXTRA_CA_CERTS"`], { encoding: 'utf8' })
    expect(stdout).toBe("/home/ann's files/ca.pem")
  })
})
