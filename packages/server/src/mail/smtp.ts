/** Owns the sending of mails through an SMTP server. */
import type { SendMail } from './outbox.ts'

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. */
  readonly url: string
  /** The sender, such as `Example <login@example.com>`. */
  readonly from: string
}

const patience = 10_000

/** The library is loaded with the first mail. */
export function smtpSender({ url, from }: SmtpOptions): SendMail {
  const transport = import('nodemailer').then(({ createTransport }) => {
    const { hostname, port, username, password, protocol } = new URL(url)
    return createTransport({
      host: hostname,
      secure: protocol === 'smtps:',
      ...(port === '' ? {} : { port: Number(port) }),
      ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      connectionTimeout: patience,
      greetingTimeout: patience,
      socketTimeout: patience,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  })
  return async ({ mail_id, recipient, subject, text, html }) => {
    // The id lets a receiver recognise a mail that came twice.
    await (await transport).sendMail({
      from,
      to: recipient,
      subject,
      text,
      html,
      messageId: `<${mail_id}@${from.replace(/^.*@|>.*$/g, '')}>`,
    })
  }
}
