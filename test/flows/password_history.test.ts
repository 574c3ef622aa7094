import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  const remembering = tenant.replace(
    'passwordPolicy: good',
    'passwordPolicy: good\n      password_history: { enable: true, size: 2 }',
  )
  latchkey = await startLatchkey({ tenant: remembering })
})
afterAll(() => latchkey.close())

/** Asks for the mail, follows its link and chooses a password. @returns the title of the page that answers */
async function reset(password: string): Promise<string> {
  const agent = new Agent()
  await agent.submit(await agent.visit(`${latchkey.issuer}u/reset-password/request`), { email: person.email })
  const [mail] = await latchkey.mails()
  const answer = await agent.submit(await agent.visit(mail?.links[0] ?? ''), { password, password_confirm: password })
  return /<title>([^<]*)/.exec(answer.body)?.[1] ?? ''
}

describe('contract F4: password_history', () => {
  test('the current and the former password are refused, one before them is not', async () => {
    expect(await reset(person.password)).toMatch(/^Problem/)
    expect(await reset('Second-Horse-8')).toMatch(/^Password changed/)
    expect(await reset(person.password)).toMatch(/^Problem/)
    expect(await reset('Third-Horse-9')).toMatch(/^Password changed/)
    expect(await reset('Second-Horse-8')).toMatch(/^Problem/)
    expect(await reset(person.password)).toMatch(/^Password changed/)
  })
})
