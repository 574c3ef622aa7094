import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/latchkey.ts'
import { clients, connection, person, tenant } from '../support/tenant.ts'

const command = join(import.meta.dirname, '../../packages/cli/bin/latchkey.js')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-stop-'))
  writeFileSync(join(folder, 'tenant.yaml'), tenant)
})
afterAll(() => rmSync(folder, { recursive: true }))

async function serve(port: number) {
  const options = [
    '--issuer',
    `http://localhost:${port}`,
    '--port',
    String(port),
    '--apply',
    'tenant.yaml',
    '--log-level',
    'silent',
  ]
  const child = spawn(process.execPath, [command, 'serve', ...options], { cwd: folder, stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await expect
    .poll(
      () =>
        fetch(`http://localhost:${port}/health/ready`).then(
          (answer) => answer.status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200)
  return { child, ended }
}

/** Everything that a connection sends until it closes. */
function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.once('close', () => resolve(text))
    socket.once('error', reject)
  })
}

describe('SIGTERM', () => {
  test('a request in flight is answered, new ones are not taken, and the process ends in time', async () => {
    const port = await freePort()
    const { child, ended } = await serve(port)
    const body = JSON.stringify({ client_id: clients.spa, email: person.email, connection })
    const socket = connect(port, 'localhost')
    const answer = readAll(socket)
    socket.write(
      `POST /dbconnections/change_password HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const told = performance.now()
    child.kill('SIGTERM')
    await expect
      .poll(
        () =>
          fetch(`http://localhost:${port}/health/live`).then(
            () => 'answered',
            () => 'refused',
          ),
        { timeout: 5000 },
      )
      .toBe('refused')
    socket.write(body.slice(10))
    expect(await answer).toContain("We've just sent you an email to reset your password.")
    expect(await ended).toBe(0)
    expect(performance.now() - told).toBeLessThan(10_000)
  })
})
