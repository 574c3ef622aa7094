import { afterAll, describe, expect, test } from 'vitest'
import { readPages } from './support/blocks.ts'
import { start } from './support/run.ts'
import { openStage, type Stage } from './support/stage.ts'

const apis = readPages().flatMap((page) =>
  page.blocks.filter(({ kind }) => kind === 'api').map((block) => ({ page, block, path: page.path, line: block.line })),
)

test('there are APIs to try', () => expect(apis.length).toBeGreaterThan(0))

describe.each(apis)('$path:$line', ({ page, block }) => {
  const opened: Stage[] = []
  afterAll(() => Promise.all(opened.map((stage) => stage.close())))

  test('lets in who has the scope, and nobody else', async () => {
    const stage = await openStage(page)
    opened.push(stage)
    const { tenant, url, audience, client_id, redirect_uri } = await prepare(stage)
    if (tenant !== undefined) await stage.latchkey.apply(tenant)
    const api = await start(stage.write(block.detail, block.code), stage.folder, url)
    try {
      const call = (token: string | undefined) =>
        fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
      const signIn = async (scope: string) =>
        (await stage.signIn({ audience, client_id, redirect_uri, scope: `openid ${scope}` })).tokens
      expect((await call(undefined)).status).toBe(401)
      const { access_token, id_token } = await signIn('read:messages')
      expect((await call(access_token)).status).toBe(200)
      expect((await call(id_token)).status).toBe(401)
      expect((await call((await signIn('')).access_token)).status).toBe(403)
    } finally {
      await api.stop()
    }
  })

  /** Where the API listens, and who may call it: its own tenant file's first client, or the demo app. */
  async function prepare(stage: Stage) {
    const port = Number(/listen\(\{? ?(?:port: )?(\d+)/.exec(block.code)?.[1])
    const audience = stage.toTest(/audience: '([^']+)'/.exec(block.code)?.[1] ?? '')
    const file = page.blocks.find(({ kind, language }) => kind === 'file' && language === 'yaml')
    const tenant = file === undefined ? undefined : stage.toTest(file.code)
    const url = `http://localhost:${stage.port(port)}/messages`
    const client_id = /client_id: (\S+)/.exec(tenant ?? '')?.[1]
    const redirect_uri = /callbacks: \['?([^\],']+)/.exec(tenant ?? '')?.[1]
    return {
      ...{ tenant, url, audience },
      client_id: client_id ?? 'LatchkeyDemoSinglePageApp0000001',
      redirect_uri: redirect_uri ?? stage.toTest('http://localhost:8401/callback.html'),
    }
  }
})
