/** Imported hashes: each scheme against published vectors and against hashes made here by other means. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import { hashSync } from '@node-rs/argon2'
import fc from 'fast-check'
import { bcrypt, createHMAC, createWhirlpool, md4, pbkdf2, whirlpool } from 'hash-wasm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkPasswordHash, encodePasswordHash, openPasswords, type Passwords } from '../src/passwords.ts'

// One for each group: a refusal takes as long as the dearest hash that its workers have met.
let passwords: Passwords
function freshWorkers(): void {
  beforeAll(() => {
    passwords = openPasswords({ threads: 1 })
  })
  afterAll(() => passwords.close())
}

const password = 'Correct horse 7 battery'
const salt = Buffer.from('0123456789abcdef', 'hex')
const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
const sha = (name: string, ...parts: (string | Uint8Array)[]) => {
  const hash = createHash(name)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

async function expectLogin(value: unknown, right = password): Promise<void> {
  expect(checkPasswordHash(value)).toBeUndefined()
  const stored = encodePasswordHash(value)
  expect(await passwords.verify(stored, right)).toEqual({ ok: true, rehash: true })
  expect(await passwords.verify(stored, `${right}x`)).toEqual({ ok: false, rehash: false })
}

describe('RFC 2104 §2, RFC 7914 §6, RFC 8018 §5.2, RFC 9106 §3.1 published vectors', () => {
  freshWorkers()

  test.each([
    // OpenBSD's and crypt_blowfish's test vectors.
    ['bcrypt $2a$', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
    ['bcrypt $2b$', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK', 'U*U*'],
    ['bcrypt $2y$', '$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a', 'U*U*U'],
    // RFC 7914 §12, as a PHC string.
    [
      'scrypt',
      `$scrypt$ln=14,r=8,p=1$${b64(Buffer.from('SodiumChloride'))}$${b64(Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887', 'hex'))}`,
      'pleaseletmein',
    ],
    // RFC 6070 §2.
    [
      'pbkdf2-sha1',
      `$pbkdf2-sha1$i=4096,l=20$${b64(Buffer.from('salt'))}$${b64(Buffer.from('4b007901b765489abead49d926f721d065a429c1', 'hex'))}`,
      'password',
    ],
    // RFC 7914 §11.
    [
      'pbkdf2-sha256',
      `$pbkdf2-sha256$i=80000,l=64$${b64(Buffer.from('NaCl'))}$${b64(Buffer.from('4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d', 'hex'))}`,
      'Password',
    ],
    // The reference implementation's README.
    ['argon2i', '$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG', 'password'],
  ])('%s', async (_name, hash, right) => {
    await expectLogin(hash, right)
  })

  test('RFC 1320 §A.5 md4', async () => {
    const value = { algorithm: 'md4', hash: { value: 'd79e1c308aa5bbcdeea8ed63df412da9', encoding: 'hex' } }
    await expectLogin(value, 'abcdefghijklmnopqrstuvwxyz')
  })

  test('RFC 2202 §3 hmac', async () => {
    const key = { value: 'Jefe' }
    const hash = { value: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79', encoding: 'hex', digest: 'sha1', key }
    await expectLogin({ algorithm: 'hmac', hash }, 'what do ya want for nothing?')
  })
})

describe('password_hash strings', () => {
  freshWorkers()

  test('Argon2 of every variant and version', async () => {
    for (const [algorithm, version] of [
      [0, 1],
      [1, 1],
      [2, 1],
      [2, 0],
    ] as const) {
      await expectLogin(hashSync(password, { algorithm, version, memoryCost: 1024, timeCost: 2, parallelism: 2 }))
    }
  })

  test('Argon2 of a password that is not UTF-8', async () => {
    const value = hashSync(Buffer.from('Grüße 7 mal', 'latin1'), { memoryCost: 1024 })
    await expectLogin({ algorithm: 'argon2', hash: { value }, password: { encoding: 'latin1' } }, 'Grüße 7 mal')
  })

  test('PBKDF2 with other names of its digest, and without parameters', async () => {
    const made = (digest: string, length: number, i = 1000) => b64(pbkdf2Sync(password, salt, i, length, digest))
    await expectLogin(`$pbkdf2-RSA-SHA512$i=1000,l=64$${b64(salt)}$${made('sha512', 64)}`)
    await expectLogin(`$pbkdf2-sha256WithRSAEncryption$l=32,i=1000$${b64(salt)}$${made('sha256', 32)}`)
    await expectLogin(`$pbkdf2-rmd160$i=1000$${b64(salt)}$${made('ripemd160', 20)}`)
    await expectLogin(`$pbkdf2-sha512$${b64(salt)}$${made('sha512', 64, 100_000)}`)
  })

  test('PBKDF2 with a digest that only WebAssembly has', async () => {
    const hash = await pbkdf2({
      password,
      salt,
      iterations: 500,
      hashLength: 64,
      hashFunction: createWhirlpool(),
      outputType: 'binary',
    })
    await expectLogin(`$pbkdf2-whirlpool$i=500,l=64$${b64(salt)}$${b64(hash)}`)
  })

  test.each([
    ['{MD5}', sha('md5', password)],
    ['{SMD5}', Buffer.concat([sha('md5', password, salt), salt])],
    ['{SHA}', sha('sha1', password)],
    ['{SSHA}', Buffer.concat([sha('sha1', password, salt), salt])],
    ['{ssha256}', Buffer.concat([sha('sha256', password, salt), salt])],
    ['{SSHA384}', Buffer.concat([sha('sha384', password, salt), salt])],
    ['{SHA-512}', sha('sha512', password)],
  ])('RFC 2307 §5.3 %s', async (scheme, bytes) => {
    await expectLogin(`${scheme}${bytes.toString('base64')}`)
  })
})

describe('custom_password_hash objects', () => {
  freshWorkers()

  test('argon2, bcrypt, pbkdf2 and ldap are stored as their string', async () => {
    const value = await bcrypt({ password, salt: randomBytes(16), costFactor: 5, outputType: 'encoded' })
    const custom = { algorithm: 'bcrypt', hash: { value, encoding: 'utf8' } }
    expect(encodePasswordHash(custom)).toBe(value)
    await expectLogin(custom)
  })

  test('bcrypt with a salt of its own before the password', async () => {
    const options = { salt: randomBytes(16), costFactor: 4, outputType: 'encoded' } as const
    const value = await bcrypt({ password: `pre${password}`, ...options })
    await expectLogin({ algorithm: 'bcrypt', hash: { value }, salt: { value: 'pre', position: 'prefix' } })
  })

  test('bcrypt reads 72 bytes, as the system did that made the hash', async () => {
    const long = 'é'.repeat(40)
    const value = await bcrypt({
      password: Buffer.from(long).subarray(0, 72),
      salt: randomBytes(16),
      costFactor: 4,
      outputType: 'encoded',
    })
    expect(await passwords.verify(value, long)).toEqual({ ok: true, rehash: true })
  })

  test.each(['md5', 'sha1', 'sha256', 'sha512'])('%s with and without salt, on either side', async (algorithm) => {
    const plain = { value: sha(algorithm, password).toString('hex').toUpperCase(), encoding: 'hex' }
    await expectLogin({ algorithm, hash: plain })
    const after = { value: sha(algorithm, password, salt).toString('base64url'), encoding: 'base64' }
    const saltHex = { value: salt.toString('hex'), encoding: 'hex', position: 'suffix' }
    await expectLogin({ algorithm, hash: after, salt: saltHex })
    const before = { value: sha(algorithm, 'abc', password).toString('base64'), encoding: 'base64' }
    await expectLogin({ algorithm, hash: before, salt: { value: 'abc' } })
  })

  test('md4, and whirlpool in an HMAC, which only WebAssembly has', async () => {
    await expectLogin({
      algorithm: 'md4',
      hash: { value: await md4(`abc${password}`), encoding: 'hex' },
      salt: { value: 'abc' },
    })
    const hasher = await createHMAC(createWhirlpool(), 'the key')
    const value = hasher.init().update(password).digest('hex')
    const key = { value: Buffer.from('the key').toString('base64'), encoding: 'base64' }
    await expectLogin({ algorithm: 'hmac', hash: { value, encoding: 'hex', digest: 'whirlpool', key } })
    expect(await whirlpool('')).toMatch(/^19fa61d75522a466/)
  })

  test.each(['md5', 'ripemd160', 'sha224', 'sha256', 'sha384', 'sha512'])('hmac with %s', async (digest) => {
    const value = createHmac(digest, salt).update(password).digest('base64')
    const key = { value: salt.toString('hex'), encoding: 'hex' }
    await expectLogin({ algorithm: 'hmac', hash: { value, encoding: 'base64', digest, key } })
  })

  test('scrypt with its parameters beside it, and with their defaults', async () => {
    const value = (options: object) => scryptSync(password, 'abc123', 32, options).toString('hex')
    const common = { algorithm: 'scrypt', salt: { value: 'abc123', encoding: 'utf8' }, keylen: 32 }
    await expectLogin({ ...common, hash: { value: value({}), encoding: 'hex' } })
    const hash = { value: value({ N: 4096, r: 4, p: 2 }), encoding: 'hex' }
    await expectLogin({ ...common, hash, cost: 4096, blockSize: 4, parallelization: 2 })
  })

  test.each(['utf16le', 'ucs2', 'latin1', 'binary', 'utf8'] as const)('a password hashed as %s', async (encoding) => {
    const right = 'Grüße 7 mal'
    const value = createHash('sha256').update(Buffer.from(right, encoding)).digest('hex')
    await expectLogin({ algorithm: 'sha256', hash: { value, encoding: 'hex' }, password: { encoding } }, right)
  })

  test('a password hashed as it was typed, in a form that is not the normal one', async () => {
    const typed = 'Cafe\u0301 crème 7'
    const value = createHash('sha1').update(typed).digest('hex')
    await expectLogin({ algorithm: 'sha1', hash: { value, encoding: 'hex' } }, typed)
  })
})

describe('checkPasswordHash', () => {
  freshWorkers()

  const hex = 'a'.repeat(64)
  const sha256 = { algorithm: 'sha256', hash: { value: hex, encoding: 'hex' } }
  const body = `${b64(salt)}$${b64(randomBytes(32))}`

  test.each([
    ['nothing', undefined, 'malformed'],
    ['an empty string', '', 'unsupported'],
    ['a password in clear', 'hunter2', 'unsupported'],
    ['crypt', '$6$rounds=5000$salt$hash', 'unsupported'],
    ['bcrypt $2x$', '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'malformed'],
    ['bcrypt cut short', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.', 'malformed'],
    ['bcrypt of cost 31', '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'too_costly'],
    ['Argon2 of 4 GiB', `$argon2id$v=19$m=4194304,t=1,p=1$${body}`, 'too_costly'],
    ['Argon2 of a million passes', `$argon2id$v=19$m=64,t=1000000,p=1$${body}`, 'too_costly'],
    ['Argon2 with much of both', `$argon2id$v=19$m=131072,t=32,p=1$${body}`, 'too_costly'],
    ['Argon2 with a key of its own', `$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA$${body}`, 'malformed'],
    ['Argon2 of version 18', `$argon2id$v=18$m=64,t=1,p=1$${body}`, 'malformed'],
    ['scrypt of 8 GiB', `$scrypt$ln=23,r=8,p=1$${body}`, 'too_costly'],
    ['scrypt of many lanes', `$scrypt$ln=14,r=8,p=4096$${body}`, 'too_costly'],
    ['PBKDF2 of 999 million', `$pbkdf2-sha256$i=999999999,l=32$${body}`, 'too_costly'],
    ['PBKDF2 with many blocks', `$pbkdf2-sha1$i=1000000,l=64$${b64(salt)}$${b64(randomBytes(64))}`, 'too_costly'],
    ['PBKDF2 with a wrong length', `$pbkdf2-sha256$i=1000,l=64$${body}`, 'malformed'],
    ['PBKDF2 with another digest', `$pbkdf2-blake2b$i=1000,l=32$${body}`, 'unsupported'],
    ['{CRYPT}', '{CRYPT}$6$salt$hash', 'unsupported'],
    ['{SSHA} without salt', `{SSHA}${sha('sha1', 'x').toString('base64')}`, 'malformed'],
    ['{SHA} with one', `{SHA}${sha('sha256', 'x').toString('base64')}`, 'malformed'],
    ['a very long string', `$2b$05$${'a'.repeat(10_000)}`, 'malformed'],
    ['an unknown algorithm', { ...sha256, algorithm: 'sha3' }, 'unsupported'],
    ['an unknown field', { ...sha256, rounds: 5 }, 'malformed'],
    ['a hash in no encoding', { algorithm: 'sha256', hash: { value: hex } }, 'malformed'],
    ['a hash in utf8', { algorithm: 'sha256', hash: { value: hex, encoding: 'utf8' } }, 'malformed'],
    ['a hash of another length', { ...sha256, algorithm: 'sha512' }, 'malformed'],
    ['a hash that is not hexadecimal', { algorithm: 'sha256', hash: { value: 'zz', encoding: 'hex' } }, 'malformed'],
    [
      'a salt where there is none',
      { algorithm: 'ldap', hash: { value: `{SHA}${hex}` }, salt: { value: 'x' } },
      'malformed',
    ],
    ['a cost that is no use', { ...sha256, cost: 4 }, 'malformed'],
    [
      'an HMAC without key',
      { algorithm: 'hmac', hash: { value: hex, encoding: 'hex', digest: 'sha256' } },
      'malformed',
    ],
    ['scrypt without keylen', { algorithm: 'scrypt', hash: { value: hex, encoding: 'hex' } }, 'malformed'],
    [
      'scrypt with an odd cost',
      { algorithm: 'scrypt', hash: { value: hex, encoding: 'hex' }, keylen: 32, cost: 1000 },
      'malformed',
    ],
    ['an object as value', { algorithm: 'md5', hash: { value: {} } }, 'malformed'],
    ['a list', [sha256], 'malformed'],
    ['a prototype name', { algorithm: '__proto__', hash: { value: hex, encoding: 'hex' } }, 'unsupported'],
  ])('%s is refused with a sentence', (_name, value, code) => {
    const problem = checkPasswordHash(value)
    expect(problem?.code).toBe(`password_hash_${code}`)
    expect(problem?.message).toMatch(/^.{10,}\.$/)
    expect(() => encodePasswordHash(value)).toThrow()
  })

  test('nothing that JSON or a tenant file can hold makes it throw or think long', () => {
    const started = performance.now()
    const bits = fc.constantFrom(
      '$2b$',
      '$argon2id$v=19$',
      'm=19456,t=2,p=1',
      '$pbkdf2-sha256$',
      'i=1000,l=32',
      '{SSHA}',
      '{"',
      '$',
    )
    const strings = fc.array(fc.oneof(bits, fc.string()), { maxLength: 8 }).map((parts) => parts.join(''))
    const algorithm = fc.constantFrom('argon2', 'bcrypt', 'scrypt', 'pbkdf2', 'hmac', 'md5', 'sha256', 'ldap')
    const objects = fc.record({ algorithm, hash: fc.anything(), salt: fc.anything() }, { requiredKeys: ['algorithm'] })
    fc.assert(
      fc.property(fc.oneof(fc.anything(), strings, objects), (value) => {
        const problem = checkPasswordHash(value)
        expect(problem === undefined || problem.message.length > 0).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('the dearest hashes that are taken are verified within seconds', async () => {
    const made = scryptSync(password, salt, 32, { N: 131_072, r: 8, p: 1, maxmem: 2 ** 28 })
    const started = performance.now()
    await expectLogin(`$scrypt$ln=17,r=8,p=1$${b64(salt)}$${b64(made)}`)
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  test('a stored hash that cannot be read is an error, not a wrong password', async () => {
    await expect(passwords.verify('rubbish', password)).rejects.toMatchObject({ code: 'password_hash_unsupported' })
    await expect(passwords.verify('{"algorithm":', password)).rejects.toMatchObject({ code: 'password_hash_malformed' })
  })
})
