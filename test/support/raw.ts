/** Owns sending bytes as they are: request lines and headers that no HTTP client would write. */
import { connect } from 'node:net'

export interface RawAnswer {
  /** 0 when the connection was closed without an answer. */
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Sends one request over a connection of its own.
 * @param head the request line and headers; `Host` and `Connection: close` are added unless `headers` replaces them
 */
export async function sendRaw(
  issuer: string,
  requestLine: string,
  headers?: readonly string[],
  body = '',
): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(issuer)
  const lines = [requestLine, ...(headers ?? [`Host: ${host}`]), 'Connection: close', '', body]
  return read(await exchange(hostname, Number(port), lines.join('\r\n')))
}

function exchange(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, host, () => socket.write(Buffer.from(text, 'latin1')))
    socket.setTimeout(10_000, () => socket.destroy(new Error('No answer within ten seconds')))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('error', reject)
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}

function read(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: text.slice(end + 4) }
}
