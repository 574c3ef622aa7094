/** Owns a real HTTP server that shows any page in any state, with the headers it has in service. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  assets,
  contentSecurityPolicy,
  describePermissions,
  type Frame,
  imageSources,
  openPages,
  type PageModels,
  type PageName,
  type Pages,
} from '../../../src/pages/index.ts'
import { client, type PageState, states, tenant } from './states.ts'

export interface Preview {
  readonly origin: string
  readonly pages: Pages
  /** The forms that were posted, oldest first. */
  readonly posts: { readonly path: string; readonly fields: URLSearchParams }[]
  /** Serves a page at a path of its own until the preview is closed; answers with its address. */
  show<Name extends PageName>(name: Name, model: PageModels[Name], options?: ShowOptions): string
  close(): Promise<void>
}

export interface ShowOptions {
  readonly frame?: Partial<Frame>
  readonly frame_ancestors?: readonly string[]
  readonly form_action?: readonly string[]
  readonly inline_styles?: boolean
  readonly scopes?: readonly string[]
}

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void

/** Starts the preview on a free port of localhost. `redirect_posts_to` answers forms with a redirect, as a login does. */
export async function startPreview(redirectPostsTo?: string): Promise<Preview> {
  const pages = openPages()
  const posts: { path: string; fields: URLSearchParams }[] = []
  const shown = new Map<string, Answer>()
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method === 'POST') return takePost(request, response, url)
    const asset = assets.find(({ path }) => path === url.pathname)
    if (asset !== undefined) return void response.setHeader('content-type', asset.type).end(asset.body)
    if (url.pathname.startsWith('/logos/')) return sendLogo(response, url.pathname)
    const answer = shown.get(url.pathname)
    if (answer === undefined) return void response.writeHead(404).end()
    answer(request, response, url)
  })

  function takePost(request: IncomingMessage, response: ServerResponse, url: URL): void {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      posts.push({ path: url.pathname + url.search, fields: new URLSearchParams(body) })
      if (redirectPostsTo === undefined) response.end('taken')
      else response.writeHead(303, { location: redirectPostsTo }).end()
    })
  }

  function show<Name extends PageName>(name: Name, model: PageModels[Name], options: ShowOptions = {}): string {
    const path = `/preview/${shown.size}/${name}`
    shown.set(path, (_request, response, url) => {
      const nonce = randomBytes(16).toString('base64url')
      const frame = { locale: url.searchParams.get('lang') ?? 'en', nonce, tenant, client, ...options.frame }
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.setHeader('referrer-policy', 'no-referrer')
      response.setHeader('x-content-type-options', 'nosniff')
      response.setHeader(
        'content-security-policy',
        contentSecurityPolicy({
          nonce,
          form_action: options.form_action ?? [],
          frame_ancestors: options.frame_ancestors ?? [],
          img_src: imageSources([frame.tenant.picture_url, frame.client?.logo_uri]),
          inline_styles: options.inline_styles ?? false,
        }),
      )
      const words = { api_scopes: [], use_descriptions: false }
      const permissions = describePermissions(options.scopes ?? [], words, pages.texts(frame.locale))
      response.end(pages.render(name, options.scopes === undefined ? model : { ...model, permissions }, frame))
    })
    return origin + path
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    origin,
    pages,
    posts,
    show,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Serves every state; answers with the address of each. */
export function showStates(preview: Preview): readonly { readonly name: string; readonly url: string }[] {
  return states.map((entry) => ({ name: `${entry.page}-${entry.state}`, url: showState(preview, entry) }))
}

function showState(preview: Preview, entry: PageState): string {
  // Logos come from the preview itself, under its second name, so that they are of another origin.
  const logos = preview.origin.replace('localhost', '127.0.0.1')
  const local = <Value>(value: Value): Value =>
    JSON.parse(JSON.stringify(value).replaceAll('LOGOS/', `${logos}/logos/`)) as Value
  return preview.show(entry.page as 'login', local(entry.model) as PageModels['login'], {
    frame: {
      tenant: local(entry.tenant ?? tenant),
      client: entry.client === false ? undefined : local(entry.client ?? client),
    },
    ...(entry.scopes === undefined ? {} : { scopes: entry.scopes }),
  })
}

function sendLogo(response: ServerResponse, path: string): void {
  const fill = path.includes('client') ? '#d9480f' : path.includes('tenant') ? '#3b5bdb' : '#2b8a3e'
  response.setHeader('content-type', 'image/svg+xml')
  response.end(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${fill}"/><path d="M18 44 32 18l14 26z" fill="#fff"/></svg>`,
  )
}
