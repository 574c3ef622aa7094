import { beforeEach, describe, expect, test } from 'vitest'
import { type Documents, type Fetch, FetchError, openDocuments } from '../src/index.ts'

const url = 'https://app.example.com/jwks.json'
const accept = ['application/json']

let at = 0
let asked: { url: string; etag: string | undefined }[] = []
let documents: Documents
let reply: (etag: string | undefined) => { status?: number; headers?: Record<string, string>; text?: string }

beforeEach(() => {
  at = 1_800_000_000_000
  asked = []
  reply = () => ({})
  const fetch: Fetch = async (address, { headers }) => {
    const etag = headers?.['if-none-match']
    asked.push({ url: address, etag })
    const { status = 200, headers: sent = {}, text = '{}' } = reply(etag)
    return { status, headers: { 'content-type': 'application/json', ...sent }, body: Buffer.from(text) }
  }
  documents = openDocuments(fetch, () => at)
})

const read = (address = url) => documents.read(address, { accept })
const after = async (seconds: number) => {
  at += seconds * 1000
  await read()
  return asked.length
}

describe('RFC 9111 §4.2 freshness', () => {
  test.each([
    ['no header: five minutes', {}, 300],
    ['max-age', { 'cache-control': 'public, max-age=600' }, 600],
    ['max-age, less the age on the way', { 'cache-control': 'max-age=600', age: '100' }, 500],
    ['never shorter than a minute', { 'cache-control': 'max-age=1' }, 60],
    ['no-store: a minute', { 'cache-control': 'no-store' }, 60],
    ['no-cache: a minute', { 'cache-control': 'no-cache, max-age=900' }, 60],
    ['never longer than an hour', { 'cache-control': 'max-age=31536000' }, 3600],
  ])('%s', async (_name, headers: Record<string, string>, seconds) => {
    reply = () => ({ headers })
    await read()
    expect(await after(seconds - 1)).toBe(1)
    expect(await after(1)).toBe(2)
  })

  test('an ETag is sent back, and 304 keeps the same document', async () => {
    reply = (etag) => (etag === '"a"' ? { status: 304 } : { headers: { etag: '"a"' } })
    const first = await read()
    at += 300_000
    expect(await read()).toBe(first)
    expect(asked.map(({ etag }) => etag)).toEqual([undefined, '"a"'])
    at += 300_000
    expect(await read()).toBe(first)
    expect(asked[2]?.etag).toBe('"a"')
  })

  test('an unchanged text is the same document', async () => {
    const first = await read()
    at += 300_000
    expect(await read()).toBe(first)
    reply = () => ({ text: '[]' })
    at += 300_000
    expect((await read()).text).toBe('[]')
  })
})

describe('RFC 9700 §4.11 documents of others: bounds', () => {
  test('many readers cause one request', async () => {
    await Promise.all(Array.from({ length: 100 }, () => read()))
    expect(asked).toHaveLength(1)
  })

  test('a document that lacks something is fetched anew, but not within the brake', async () => {
    const first = await read()
    const again = () => documents.read(url, { accept, newer_than: first })
    expect(await again()).toBe(first)
    expect(asked).toHaveLength(1)
    at += 10_000
    reply = () => ({ text: '[]' })
    expect((await again()).text).toBe('[]')
    expect((await again()).text).toBe('[]')
    expect(asked).toHaveLength(2)
  })

  test.each([301, 404, 500])('status %d is no document, and is not asked for again at once', async (status) => {
    reply = () => ({ status })
    await expect(read()).rejects.toBeInstanceOf(FetchError)
    await expect(read()).rejects.toBeInstanceOf(FetchError)
    expect(asked).toHaveLength(1)
    at += 10_000
    reply = () => ({})
    expect((await read()).text).toBe('{}')
  })

  test('the last answer counts while its server is away, up to an hour', async () => {
    const first = await read()
    reply = () => ({ status: 503 })
    at += 400_000
    expect(await read()).toBe(first)
    expect(await read()).toBe(first)
    expect(asked).toHaveLength(2)
    at += 3_200_001
    await expect(read()).rejects.toBeInstanceOf(FetchError)
  })

  test('of many documents those are kept that were used last', async () => {
    await read()
    for (let n = 0; n < 200; n++) await read(`${url}?${n}`)
    await read()
    for (let n = 200; n < 300; n++) await read(`${url}?${n}`)
    const before = asked.length
    await read()
    await read(`${url}?299`)
    expect(asked).toHaveLength(before)
    await read(`${url}?0`)
    expect(asked).toHaveLength(before + 1)
  })

  test('what is accepted is part of what was read', async () => {
    await read()
    await documents.read(url, { accept: ['application/jwt'] })
    expect(asked).toHaveLength(2)
  })
})
