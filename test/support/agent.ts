/** Owns a browser without a screen: cookies, redirects on demand, forms found in pages and sent as a browser sends them. */

export interface Answer {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** The `Location` header, made absolute. */
  readonly location: string | undefined
}

export interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

interface StoredCookie {
  readonly name: string
  readonly value: string
  readonly sameSite: string
  readonly secure: boolean
}

/** One browser: give it to nobody else. */
export class Agent {
  readonly #cookies = new Map<string, StoredCookie>()
  readonly #headers: HeadersInit

  /** @param headers sent with every request, such as `Accept-Language` */
  constructor(headers: HeadersInit = {}) {
    this.#headers = headers
  }

  get cookies(): readonly StoredCookie[] {
    return [...this.#cookies.values()]
  }

  clearCookies(): void {
    this.#cookies.clear()
  }

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, { name, value, sameSite: 'lax', secure: false })
  }

  /** One request; redirects are not followed. */
  async request(url: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(this.#headers)
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value)
    if (this.#cookies.size > 0 && !headers.has('cookie')) {
      headers.set('cookie', this.cookies.map(({ name, value }) => `${name}=${value}`).join('; '))
    }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#store(line)
    const location = response.headers.get('location')
    return {
      url,
      status: response.status,
      headers: response.headers,
      body: await response.text(),
      location: location === null ? undefined : new URL(location, url).href,
    }
  }

  /** Follows redirects as long as they stay on the origin of the first address; the last answer is given. */
  async visit(url: string, init: RequestInit = {}): Promise<Answer> {
    let answer = await this.request(url, init)
    for (let hops = 0; hops < 10; hops++) {
      if (answer.location === undefined || new URL(answer.location).origin !== new URL(url).origin) return answer
      answer = await this.request(answer.location)
    }
    throw new Error(`More than ten redirects from ${url}`)
  }

  /** Sends the first form of a page with some fields filled in, and follows redirects. */
  async submit(page: Answer, fields: Readonly<Record<string, string>>, headers: HeadersInit = {}): Promise<Answer> {
    const form = formOf(page)
    return this.visit(form.action, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'null',
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
      body: new URLSearchParams({ ...form.fields, ...fields }).toString(),
    })
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    const attribute = (key: string) => attributes.find((one) => one.toLowerCase().startsWith(key))?.split('=')[1]
    const expires = attribute('expires')
    if (expires !== undefined && new Date(expires).getTime() <= 0) this.#cookies.delete(name)
    else {
      const secure = attributes.some((one) => one.toLowerCase() === 'secure')
      this.#cookies.set(name, { name, value: pair.slice(equals + 1), sameSite: attribute('samesite') ?? '', secure })
    }
  }
}

/** The first form of a page, with its hidden fields. */
export function formOf(page: Answer): Form {
  const form = /<form[^>]*>[\s\S]*?<\/form>/.exec(page.body)?.[0]
  if (form === undefined) throw new Error(`No form at ${page.url}: ${page.status} ${page.body.slice(0, 500)}`)
  const action = attributeOf(form.slice(0, form.indexOf('>')), 'action') ?? ''
  const fields: Record<string, string> = {}
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    if (attributeOf(input, 'type') === 'hidden')
      fields[attributeOf(input, 'name') ?? ''] = attributeOf(input, 'value') ?? ''
  }
  return { action: new URL(action, page.url).href, fields }
}

function attributeOf(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return value
    ?.replaceAll('&quot;', '"')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** The parameters behind the `#` of an address. */
export function fragmentOf(address: string | undefined): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(new URL(address ?? 'about:blank').hash.slice(1)))
}

/** The claims of a JWT, unchecked. */
export function claimsOf(jwt: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}
