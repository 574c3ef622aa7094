/** The outbox: a mail lies there before it is sent, one worker takes it, and its ticket does not stay behind. */
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

const mail = (created_at = now) => ({
  ...{ mail_id: fresh(), recipient: 'a@example.com', kind: 'reset_password', subject: 'S', created_at, attempts: 0 },
  ...{ text: 'https://login/u/reset-password?ticket=T', html: '<p>T</p>' },
})

describe.each(kinds)('mails over %s', (kind) => {
  const opened = useStore(kind)
  const outbox = () => opened.storeOf(fresh('tenant')).mails

  test('lie sealed, and are taken one by one, the oldest first, each by one worker', async () => {
    const tenant = fresh('tenant')
    const { mails } = opened.storeOf(tenant)
    const all = Array.from({ length: 10 }, (_, index) => mail(now + index))
    for (const one of all.toReversed()) await mails.add(one)
    const rows = JSON.stringify(await opened.db.selectFrom('mails').selectAll().where('tenant', '=', tenant).execute())
    expect(rows).not.toContain('ticket=T')
    expect(await mails.takeDue(now - 1, now)).toBeUndefined()
    expect(await mails.takeDue(now + 100, now + 1000)).toEqual({ ...all[0], attempts: 1 })
    const taken = await atOnce(30, () => mails.takeDue(now + 100, now + 1000))
    const ids = taken.filter((one) => one !== undefined).map((one) => one.mail_id)
    expect(ids.toSorted()).toEqual(
      all
        .slice(1)
        .map((one) => one.mail_id)
        .toSorted(),
    )
  })

  test('one whose worker died is taken again when its time is over', async () => {
    const mails = outbox()
    const one = mail()
    await mails.add(one)
    expect(await mails.takeDue(now, now + 60_000)).toMatchObject({ mail_id: one.mail_id, attempts: 1 })
    expect(await mails.takeDue(now + 59_999, now + 99_999)).toBeUndefined()
    expect(await mails.takeDue(now + 60_000, now + 120_000)).toMatchObject({ mail_id: one.mail_id, attempts: 2 })
  })

  test('a failed one waits, a sent one is never sent again and has lost its text', async () => {
    const mails = outbox()
    const one = mail()
    await mails.add(one)
    await mails.takeDue(now, now + 1000)
    await mails.failed(one.mail_id, 'no route', now + 5000)
    expect(await mails.takeDue(now + 4999, now + 9000)).toBeUndefined()
    expect(await mails.takeDue(now + 5000, now + 9000)).toMatchObject({ attempts: 2, text: one.text })
    await mails.sent(one.mail_id, now + 5001)
    expect(await mails.takeDue(now + 999_999, now + 9_999_999)).toBeUndefined()
    expect(await mails.find(one.mail_id)).toMatchObject({ subject: 'S', text: '', html: '' })
  })

  test('are listed with the newest first, and found by their id in their own tenant', async () => {
    const mails = outbox()
    const [first, second, third] = [mail(now), mail(now + 1), mail(now + 2)]
    for (const one of [second, first, third]) await mails.add(one)
    expect((await mails.list(2)).map((one) => one.mail_id)).toEqual([third.mail_id, second.mail_id])
    expect(await mails.find(first.mail_id)).toEqual(first)
    expect(await outbox().find(first.mail_id)).toBeUndefined()
    expect(await outbox().list(9)).toEqual([])
  })
})
