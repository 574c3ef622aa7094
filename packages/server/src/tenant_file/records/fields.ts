/** Owns the field types that several records share. */
import { Type } from 'typebox'
import { maxUrlLength, maxUrls, type Verdict } from '../urls.ts'
import type { Entry } from './record.ts'

export const Url = Type.String({ minLength: 1, maxLength: maxUrlLength })

export const UrlList = Type.Array(Url, { maxItems: maxUrls })

/** Of a rich request. */
export const DetailsType = Type.String({ minLength: 1, maxLength: 255 })

export const DisplayName = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[^<>\\u0000-\\u001f\\u007f]*$',
  must_be: 'one line without < and >',
})

/** Reports what a URL's verdict says. @returns true when it can be registered */
export function report<T>(entry: Entry<T>, path: readonly (string | number)[], verdict: Verdict): boolean {
  if (verdict.warning !== undefined) entry.warning(path, verdict.warning)
  if (verdict.problem === undefined) return true
  entry.problem(path, verdict.problem)
  return false
}

/** Reports what the verdicts on a list of URLs say. */
export function reportAll<T>(
  entry: Entry<T>,
  field: string,
  urls: readonly string[] | undefined,
  judge: (url: string) => Verdict,
): void {
  for (const [index, url] of (urls ?? []).entries()) report(entry, [field, index], judge(url))
}
