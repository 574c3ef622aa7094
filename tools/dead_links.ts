/** Owns the judgement which links between the pages of the repository lead nowhere. Pure. */
import { posix } from 'node:path'

export interface Page {
  /** Relative to the root, with `/`. */
  readonly path: string
  readonly text: string
}

/**
 * @param pages every Markdown page
 * @param exists whether there is a file or folder at a path relative to the root
 * @returns a line for each link to a file, a page or a heading that is not there
 */
export function findDeadLinks(pages: readonly Page[], exists: (path: string) => boolean): string[] {
  const headings = new Map(pages.map(({ path, text }) => [path, anchorsOf(text)]))
  return pages.flatMap(({ path, text }) =>
    linksOf(text).flatMap(({ line, target }) => {
      const [file = '', anchor] = decodeURI(target).split('#')
      const place = file === '' ? path : posix.join(posix.dirname(path), file)
      if (!exists(place)) return [`${path}:${line}  ${target}: there is no ${place}`]
      const known = headings.get(place)
      const isMissing = anchor !== undefined && known !== undefined && !known.has(anchor)
      return isMissing ? [`${path}:${line}  ${target}: ${place} has no such heading`] : []
    }),
  )
}

/** Links and pictures that lead to the repository itself; what stands in code is no link. */
function linksOf(text: string): { line: number; target: string }[] {
  return withoutCode(text)
    .split('\n')
    .flatMap((line, index) => {
      const inText = [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
      const inMarkup = [...line.matchAll(/(?:href|src)="([^"]+)"/g)]
      const atFoot = [...line.matchAll(/^\[[^\]]+\]:\s+(\S+)/g)]
      const targets = [...inText, ...inMarkup, ...atFoot].map(([, target = '']) => target)
      return targets
        .filter((target) => !/^(?:[a-z][a-z+.-]*:|\/\/)/i.test(target))
        .map((target) => ({ line: index + 1, target }))
    })
}

/** Blanks code out, and keeps the lines where they are. */
function withoutCode(text: string): string {
  const blank = (code: string) => code.replace(/[^\n]/g, ' ')
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank)
}

/** The anchors that code hosts make of headings; a repeated one gets a number. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id))
  const plain = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
  for (const [, heading = ''] of plain.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}
