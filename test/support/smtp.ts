/** Owns a mail server for tests: it speaks enough SMTP to take mails over, or to refuse them. */
import { createServer, type Socket } from 'node:net'

export interface TakenMail {
  readonly from: string
  readonly to: string
  /** The message with its headers, as it was sent. */
  readonly data: string
}

export interface MailServer {
  readonly port: number
  readonly mails: readonly TakenMail[]
  /** Answers every mail with a temporary failure, as a full server does. */
  refuse(on: 'on' | 'off'): void
  close(): Promise<void>
}

export async function startMailServer(): Promise<MailServer> {
  const mails: TakenMail[] = []
  let refusing = false
  const server = createServer((socket) => converse(socket, mails, () => refusing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    refuse(on) {
      refusing = on === 'on'
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function converse(socket: Socket, mails: TakenMail[], refusing: () => boolean): void {
  let [from, to, data] = ['', '', '']
  let inData = false
  let rest = ''
  const say = (line: string) => socket.write(`${line}\r\n`)
  const take = (line: string) => {
    if (inData) {
      if (line !== '.') data += `${line.replace(/^\.\./, '.')}\r\n`
      else {
        inData = false
        mails.push({ from, to, data })
        say('250 taken')
      }
      return
    }
    const word = line.slice(0, 4).toUpperCase()
    if (word === 'EHLO' || word === 'HELO') say('250 test')
    else if (word === 'MAIL') {
      from = line.slice('MAIL FROM:'.length)
      say(refusing() ? '451 try again later' : '250 ok')
    } else if (word === 'RCPT') {
      to = line.slice('RCPT TO:'.length)
      say('250 ok')
    } else if (word === 'DATA') {
      inData = true
      data = ''
      say('354 go on')
    } else if (word === 'QUIT') {
      say('221 bye')
      socket.end()
    } else say('250 ok')
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  say('220 test')
}
