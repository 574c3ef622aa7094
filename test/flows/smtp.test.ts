import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'
import { clients, connection, person, tenant } from '../support/tenant.ts'

let folder: string
let mailServer: MailServer
let latchkey: Latchkey
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-smtp-'))
  mailServer = await startMailServer()
  const smtp = join(folder, 'smtp')
  writeFileSync(smtp, `smtp://127.0.0.1:${mailServer.port}`, { mode: 0o600 })
  const options = { smtp, mail_from: 'Example <login@example.com>' }
  latchkey = await startLatchkey({ tenant, development: false, options })
})
afterAll(async () => {
  await latchkey.close()
  await mailServer.close()
  rmSync(folder, { recursive: true })
})

function askForReset(): Promise<Response> {
  return fetch(`${latchkey.issuer}dbconnections/change_password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: clients.spa, email: person.email, connection }),
  })
}

describe('mails through SMTP in serve', () => {
  test('a mail is sent with sender, recipient, text, HTML and the link', async () => {
    expect((await askForReset()).status).toBe(200)
    await expect.poll(() => mailServer.mails.length, { timeout: 5000 }).toBe(1)
    const [mail] = mailServer.mails
    expect(mail).toMatchObject({ from: expect.stringContaining('login@example.com'), to: `<${person.email}>` })
    const message = mail?.data.replaceAll('=\r\n', '').replaceAll('=3D', '=') ?? ''
    expect(message).toContain('multipart/alternative')
    expect(message).toContain(`${latchkey.issuer}u/reset-password?ticket=`)
  })

  test('there is no mailbox page', async () => {
    expect((await fetch(`${latchkey.issuer}dev/mail`)).status).toBe(404)
  })

  test('a mail that is refused for now is sent later', async () => {
    const before = mailServer.mails.length
    mailServer.refuse('on')
    expect((await askForReset()).status).toBe(200)
    await expect
      .poll(() => latchkey.log.some((entry) => entry.msg === 'a mail could not be sent and is tried again'), {
        timeout: 5000,
      })
      .toBe(true)
    mailServer.refuse('off')
    latchkey.advance(60)
    await expect.poll(() => mailServer.mails.length, { timeout: 10_000 }).toBe(before + 1)
  })
})
