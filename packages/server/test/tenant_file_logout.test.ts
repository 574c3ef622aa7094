/** What a client of a tenant file may say about logouts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fixture, openFixture } from './tenant_file_fixture.ts'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.db.destroy())

const client = (fields: string) =>
  `clients: [{ name: A, client_id: A, app_type: spa, callbacks: ["https://a.example/cb", "http://localhost:3000/cb"], ${fields} }]`
const problemsOf = (fields: string) => fixture.problems(client(fields))

describe('OpenID Connect RP-Initiated Logout §3.1 post_logout_redirect_uris', () => {
  test('are kept as they are written', async () => {
    const uris = ['https://a.example/bye?x=1', 'com.example.app://bye', 'http://localhost:3000']
    await fixture.apply(client(`post_logout_redirect_uris: ${JSON.stringify(uris)}`))
    const { clients } = await fixture.store.configuration.read()
    expect(clients[0]?.post_logout_redirect_uris).toEqual(uris)
  })

  test.each(['"https://*.a.example/bye"', '"https://a.example/bye#x"', '"/bye"', '"javascript:alert(1)"', '""'])(
    '%s is refused',
    async (uri) => expect(await problemsOf(`post_logout_redirect_uris: [${uri}]`)).not.toEqual([]),
  )
})

describe('OpenID Connect Front-Channel Logout §2 frontchannel_logout_uri', () => {
  test.each(['https://a.example/out', 'https://a.example/out?x=1', 'http://localhost:3000/out'])(
    '%s has the origin of a callback',
    async (uri) => expect(await problemsOf(`frontchannel_logout_uri: "${uri}"`)).toEqual([]),
  )

  test.each([
    'https://b.example/out',
    'http://a.example/out',
    'https://a.example:444/out',
    'http://localhost:3001/out',
    'https://a.example/out#x',
    'com.example.app://out',
    'https://user@a.example/out',
    'out',
  ])('%s is refused', async (uri) => {
    expect((await problemsOf(`frontchannel_logout_uri: "${uri}"`)).join()).toContain('frontchannel_logout_uri')
  })
})

describe('OpenID Connect Back-Channel Logout §2.2 backchannel_logout_uri', () => {
  test.each(['https://api.a.example/out', 'https://b.example/out?x=1', 'http://localhost:3000/out'])(
    '%s is taken, whatever the callbacks',
    async (uri) => expect(await problemsOf(`backchannel_logout_uri: "${uri}"`)).toEqual([]),
  )

  test.each(['http://b.example/out', 'https://b.example/out#x', 'com.example.app://out', 'out'])(
    '%s is refused',
    async (uri) => {
      expect((await problemsOf(`backchannel_logout_uri: "${uri}"`)).join()).toContain('backchannel_logout_uri')
    },
  )
})
