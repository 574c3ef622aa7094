/** Owns a second server, an application on an origin of its own: it frames, opens and receives what the pages send. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface App {
  readonly origin: string
  /** What was sent to the application, oldest first. */
  readonly requests: { readonly method: string; readonly url: string; readonly body: string }[]
  close(): Promise<void>
}

const page = `<!doctype html><title>App</title><script>
window.received = []
addEventListener('message', (event) => received.push({
  data: event.data, origin: event.origin,
  source: event.source === window.popup ? 'popup' : event.source === document.querySelector('iframe')?.contentWindow ? 'frame' : 'other',
}))
</script>`

/** Starts the application on a free port of `host`, which must mean this machine. */
export async function startApp(host = 'localhost'): Promise<App> {
  const requests: { method: string; url: string; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      if (request.url !== '/favicon.ico') requests.push({ method: request.method ?? '', url: request.url ?? '', body })
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const written = host.includes(':') ? `[${host}]` : host
  return {
    origin: `http://${written}:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
