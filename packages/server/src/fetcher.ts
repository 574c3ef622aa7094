/**
 * Owns the one way by which this server asks others for something on behalf of a client: https alone, to public addresses alone, at
 * the very address that was judged, without redirects, within seconds and a bounded number of bytes.
 */
import { lookup, Resolver } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { type Fetch, FetchError, mediaType, type OutboundAnswer, type OutboundRequest } from '@latchkey/core'
import { isLoopbackHost } from '@latchkey/oauth'
import { allowedHosts } from './fetch_allow.ts'
import { isPublicAddress } from './public_address.ts'

/** Milliseconds for everything: the name, the connection, the answer. */
const longest = 5000
/** Bytes of an answer. */
const largest = 65_536
/** Requests to one host and port in a minute, and at one time. */
const perMinute = 300
const atOnce = 10
/** Destinations that are counted; the next one waits for a minute to pass. */
const mostDestinations = 1000

export interface FetcherOptions {
  /** `host` or `host:port`: may be reached although private, and over plain http. */
  readonly allow: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Looks a name up; as `openLookUp` says where it is left out. */
  readonly resolve?: LookUp
  /** `address:port`; those of the machine where they are left out. */
  readonly name_servers?: readonly string[]
}

export function openFetcher({ allow, now, name_servers, resolve = openLookUp(name_servers) }: FetcherOptions): Fetch {
  const isAllowed = allowedHosts(allow)
  const brake = openBrake(now)
  return async (text, request) => {
    const url = readAddress(text, isAllowed)
    const leave = brake(url.host)
    const signal = AbortSignal.timeout(longest)
    try {
      const addresses = await within(signal, addressesOf(url, isAllowed(url), resolve))
      return await send(url, addresses, request, signal)
    } catch (error) {
      if (error instanceof FetchError) throw error
      if (signal.aborted) throw new FetchError('timeout', `${url.href} did not answer within ${longest} ms`, error)
      throw new FetchError('unreachable', `${url.href} cannot be reached: ${String(error)}`, error)
    } finally {
      leave()
    }
  }
}

function readAddress(text: string, isAllowed: (url: URL) => boolean): URL {
  if (text.length > 2048 || !/^[\x21-\x7e]+$/.test(text) || text.includes('\\') || !URL.canParse(text))
    throw new FetchError('refused', `${text.slice(0, 200)} is not an address that can be fetched`)
  const url = new URL(text)
  url.hash = ''
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isAllowed(url)))
    throw new FetchError('refused', `${url.href} is not https, and its host is not listed in fetch_allow`)
  if (isLoopbackHost(url.hostname) && !isAllowed(url))
    throw new FetchError('refused', `${url.host} is this machine: see fetch_allow`)
  if (url.username !== '' || url.password !== '')
    throw new FetchError('refused', `${url.host}: an address with a user name is not fetched`)
  return url
}

/** @param listed in `fetch_allow` */
type LookUp = (host: string, listed: boolean) => Promise<readonly Address[]>

export interface Address {
  readonly address: string
  readonly family: number
}

/** Every address of the host, each of them public; one private among them is reason enough to ask none. */
async function addressesOf(url: URL, allowed: boolean, resolve: LookUp): Promise<readonly Address[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  const addresses = family === 0 ? await resolve(host, allowed) : [{ address: host, family }]
  if (addresses.length === 0) throw new FetchError('unreachable', `${host} has no address`)
  const inside = allowed ? undefined : addresses.find(({ address }) => !isPublicAddress(address))
  if (inside !== undefined)
    throw new FetchError('refused', `${host} is ${inside.address}, which is not a public address: see fetch_allow`)
  return addresses
}

/**
 * A listed name is looked up as this machine does. That takes one of its few threads as long as it lasts, which is no place for names
 * that strangers make up: for theirs the name servers are asked directly.
 */
function openLookUp(name_servers: readonly string[] | undefined): LookUp {
  const resolver = new Resolver({ timeout: 1500, tries: 2 })
  if (name_servers !== undefined) resolver.setServers(name_servers)
  return async (host, listed) => {
    if (listed) return lookup(host, { all: true })
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    if (four.status === 'rejected' && six.status === 'rejected') throw four.reason
    return [
      ...(four.status === 'rejected' ? [] : four.value.map((address) => ({ address, family: 4 }))),
      ...(six.status === 'rejected' ? [] : six.value.map((address) => ({ address, family: 6 }))),
    ]
  }
}

async function send(
  url: URL,
  addresses: readonly Address[],
  { accept, method = 'GET', headers, body }: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const options: RequestOptions = {
    ...{ method, signal, agent: false, maxHeaderSize: 16_384, lookup: known(addresses) },
    headers: {
      ...{ accept: accept.length === 0 ? '*/*' : accept.join(', '), 'accept-encoding': 'identity' },
      ...{ 'user-agent': 'Latchkey', connection: 'close' },
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  }
  // Plain http is for exceptions, and importing it brings the browser's WebSocket along: that is not for every start.
  const begin = url.protocol === 'https:' ? httpsRequest : (await import('node:http')).request
  return new Promise((resolve, reject) => {
    const sent = begin(url, options, (answer) => {
      readAnswer(url, answer, accept)
        .then(resolve, reject)
        .finally(() => sent.destroy())
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Dials what was judged: the name is not looked up a second time. */
function known(addresses: readonly Address[]): LookupFunction {
  return (_host, options, done) => {
    const [first = { address: '', family: 0 }] = addresses
    if (options.all === true) done(null, [...addresses])
    else done(null, first.address, first.family)
  }
}

async function readAnswer(url: URL, answer: IncomingMessage, accept: readonly string[]): Promise<OutboundAnswer> {
  const status = answer.statusCode ?? 0
  const headers = Object.fromEntries(
    Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
      values?.[0] === undefined ? [] : [[name, values[0]]],
    ),
  )
  const type = mediaType(headers['content-type'])
  if (status === 200 && accept.length > 0 && !accept.includes(type))
    throw new FetchError('unusable', `${url.href} sent ${type || 'no type'} where ${accept.join(' or ')} is needed`)
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new FetchError('unusable', `${url.href} sent a packed answer, which is not unpacked`)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > largest) throw new FetchError('unusable', `${url.href} sent more than ${largest} bytes`)
    chunks.push(chunk)
  }
  return { status, headers, body: Buffer.concat(chunks) }
}

/** A look-up cannot be called off, but it need not be waited for. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** Nobody may use this server to hammer another. @returns what is to be called at the end of a request */
function openBrake(now: () => number): (destination: string) => () => void {
  const counts = new Map<string, { since: number; count: number; running: number }>()
  return (destination) => {
    const known = counts.get(destination)
    if (known === undefined && counts.size >= mostDestinations) {
      for (const [name, { since, running }] of counts) {
        if (running === 0 && Math.abs(now() - since) > 60_000) counts.delete(name)
      }
      if (counts.size >= mostDestinations) throw new FetchError('busy', 'Too many servers are asked at this time')
    }
    const count = known ?? { since: now(), count: 0, running: 0 }
    if (Math.abs(now() - count.since) > 60_000) Object.assign(count, { since: now(), count: 0 })
    if (count.count >= perMinute || count.running >= atOnce)
      throw new FetchError('busy', `${destination} is asked too often`)
    counts.set(destination, count)
    count.count++
    count.running++
    return () => {
      count.running--
    }
  }
}
