/** Owns the documents of others in memory: keys, request objects, metadata, each kept as long as its headers and our limits say. */
import { type Fetch, FetchError, type OutboundAnswer } from './outbound.ts'

export interface Document {
  readonly text: string
  readonly content_type: string
}

export interface DocumentRequest {
  /** As of `Fetch`. */
  readonly accept: readonly string[]
  /** A document that has been looked at and lacks something: it is fetched anew, but not more often than the brake allows. */
  readonly newer_than?: Document
}

export interface Documents {
  /**
   * The same object is given as long as the text did not change, so that what was made of it can be remembered beside it.
   * @throws FetchError
   */
  read(url: string, request: DocumentRequest): Promise<Document>
}

/** Milliseconds. */
const limits = {
  /** A document is kept this long whatever its headers say. */
  floor: 60_000,
  /** Without headers. */
  usual: 300_000,
  /** No document is kept longer, and none is used longer when its server is away. */
  ceiling: 3_600_000,
  /** Between two looks at one document, failed ones included. */
  brake: 10_000,
} as const

/** At 64 KB each. */
const mostDocuments = 256

interface Entry {
  document?: Document
  etag?: string
  fetched_at: number
  fresh_until: number
  looked_at: number
  failure?: unknown
  running?: Promise<Document>
}

/** @spec RFC 9111 §4.2 */
export function openDocuments(fetch: Fetch, now: () => number): Documents {
  // A map keeps its order: what was used last stands last.
  const entries = new Map<string, Entry>()

  function entryOf(key: string): Entry {
    const entry = entries.get(key) ?? { fetched_at: 0, fresh_until: 0, looked_at: Number.NEGATIVE_INFINITY }
    entries.delete(key)
    entries.set(key, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= mostDocuments) break
      entries.delete(oldest)
    }
    return entry
  }

  async function look(url: string, accept: readonly string[], entry: Entry): Promise<Document> {
    entry.looked_at = now()
    try {
      const known = entry.document === undefined || entry.etag === undefined ? {} : { 'if-none-match': entry.etag }
      const answer = await fetch(url, { accept, headers: known })
      const document = documentOf(url, answer, entry.document)
      Object.assign(entry, {
        document,
        failure: undefined,
        etag: answer.headers.etag ?? (answer.status === 304 ? entry.etag : undefined),
        fetched_at: now(),
      })
      entry.fresh_until = now() + lifetime(answer.headers)
      return document
    } catch (error) {
      entry.failure = error
      throw error
    }
  }

  return {
    async read(url, { accept, newer_than }) {
      const entry = entryOf(`${accept.join()} ${url}`)
      const { document } = entry
      const fresh = document !== undefined && now() < entry.fresh_until && document !== newer_than
      if (fresh) return document
      if (now() - entry.looked_at < limits.brake && entry.running === undefined) {
        if (document !== undefined && now() - entry.fetched_at < limits.ceiling) return document
        throw entry.failure ?? new FetchError('busy', `${url} was asked for a moment ago`)
      }
      entry.running ??= look(url, accept, entry).finally(() => {
        delete entry.running
      })
      try {
        return await entry.running
      } catch (error) {
        // A server that is away for a while need not stop what its last answer still vouches for.
        if (document !== undefined && now() - entry.fetched_at < limits.ceiling) return document
        throw error
      }
    },
  }
}

function documentOf(url: string, answer: OutboundAnswer, before: Document | undefined): Document {
  if (answer.status === 304 && before !== undefined) return before
  if (answer.status !== 200) throw new FetchError('unusable', `${url} answered ${answer.status} where 200 is needed`)
  const text = answer.body.toString('utf8')
  return text === before?.text ? before : { text, content_type: mediaType(answer.headers['content-type']) }
}

/** A media type without its parameters, in lower case; empty where there is none. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Milliseconds that an answer may be kept. */
function lifetime(headers: Readonly<Record<string, string>>): number {
  const control = (headers['cache-control'] ?? '').toLowerCase()
  if (/(^|[\s,])no-(store|cache)\b/.test(control)) return limits.floor
  const stated = /(?:^|[\s,])max-age="?(\d{1,10})/.exec(control)?.[1]
  if (stated === undefined) return limits.usual
  const age = /^\d{1,10}$/.test(headers.age ?? '') ? Number(headers.age) : 0
  return Math.min(limits.ceiling, Math.max(limits.floor, (Number(stated) - age) * 1000))
}
