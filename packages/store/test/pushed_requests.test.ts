/** Pushed requests: sealed, bound to their client, answered once; and the secrets that must be read again. */
import { describe, expect, test } from 'vitest'
import { type Client, keepsSecret } from '../src/index.ts'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

const row = { client_id: 'app', request: '{"state":"in the open"}', ends_at: now + 90_000, kept_until: now + 9_000_000 }

describe.each(kinds)('pushed requests over %s', (kind) => {
  const opened = useStore(kind)
  const pushed = async () => {
    const reference = fresh()
    await opened.store.pushedRequests.create(reference, row, now)
    return reference
  }
  const keyOf = async (reference: string) => {
    const found = await opened.store.pushedRequests.peek(reference, 'app', now)
    return found?.key ?? ''
  }

  test('are found by their client alone, until their time is over', async () => {
    const { pushedRequests } = opened.store
    const reference = await pushed()
    expect(await pushedRequests.peek(reference, 'app', now)).toMatchObject({ request: row.request })
    expect(await pushedRequests.peek(reference, 'app', row.ends_at - 1)).toBeDefined()
    expect(await pushedRequests.peek(reference, 'app', row.ends_at)).toBeUndefined()
    expect(await pushedRequests.peek(reference, 'other', now)).toBeUndefined()
    expect(await pushedRequests.peek(fresh(), 'app', now)).toBeUndefined()
    expect(await opened.storeOf('two').pushedRequests.peek(reference, 'app', now)).toBeUndefined()
  })

  test('neither the reference nor the request can be read from the database', async () => {
    const reference = await pushed()
    const rows = JSON.stringify(await opened.db.selectFrom('pushed_requests').selectAll().execute())
    expect(rows).not.toContain(reference)
    expect(rows).not.toContain('in the open')
  })

  test('are answered once, whoever comes at once, and also after the reference is over', async () => {
    const { pushedRequests } = opened.store
    const reference = await pushed()
    const key = await keyOf(reference)
    const taken = await atOnce(100, () => pushedRequests.take(key, row.ends_at + 1))
    expect(taken.filter(Boolean)).toHaveLength(1)
    expect(await pushedRequests.peek(reference, 'app', now)).toBeUndefined()
  })

  test('are swept when no trip can need them any more', async () => {
    const key = await keyOf(await pushed())
    await opened.store.upkeep.sweep(row.kept_until - 1)
    expect(await opened.store.pushedRequests.take(key, now)).toBe(true)
    await opened.store.upkeep.sweep(row.kept_until)
    expect(await opened.db.selectFrom('pushed_requests').selectAll().execute()).toEqual([])
  })
})

describe.each(kinds)('client secrets over %s', (kind) => {
  const opened = useStore(kind)
  const client = (token_endpoint_auth_method: string, more: object = {}) =>
    ({ client_id: 'signing', name: 'S', token_endpoint_auth_method, ...more }) as Client

  test('are kept readable only while the client signs with them', async () => {
    const { configuration } = opened.store
    await configuration.saveClient(client('client_secret_post'), now)
    await configuration.saveClientSecret('signing', 'the secret', now)
    expect(await configuration.clientSecret('signing')).toBeUndefined()
    await configuration.saveClient(client('client_secret_jwt'), now)
    expect(await configuration.clientSecret('signing')).toBeUndefined()
    await configuration.saveClientSecret('signing', 'the secret', now)
    expect(await configuration.clientSecret('signing')).toBe('the secret')
    expect(await configuration.hasClientSecret('signing', 'the secret')).toBe(true)
    expect(JSON.stringify(await opened.db.selectFrom('clients').selectAll().execute())).not.toContain('the secret')
    await configuration.saveClient(client('client_secret_basic'), now)
    expect(await configuration.clientSecret('signing')).toBeUndefined()
    expect(await configuration.hasClientSecret('signing', 'the secret')).toBe(true)
  })

  test.each([
    ['client_secret_jwt', {}, true],
    ['client_secret_basic', { request_object_signing_alg: 'HS256' }, true],
    ['client_secret_basic', { jwt_configuration: { lifetime_in_seconds: 1, alg: 'HS256' } }, true],
    ['client_secret_basic', { id_token_encrypted_response_alg: 'dir' }, true],
    ['client_secret_basic', { id_token_encrypted_response_alg: 'A128KW' }, true],
    ['client_secret_basic', { request_object_signing_alg: 'RS256' }, false],
    ['private_key_jwt', {}, false],
  ])('%s with %j: %s', (method, more, kept) => expect(keepsSecret(client(method, more))).toBe(kept))
})
