import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kinds, type Page, readBlocks, readPages, root } from './support/blocks.ts'

const pages = readPages()
const paths = pages.map(({ path }) => path)

/** Where a page leads inside the repository, relative to the root and without the anchor. */
function targetsOf({ path, text }: Page): readonly string[] {
  const prose = text.replaceAll(/^(\s*)```[\s\S]*?^\1```/gm, '').replaceAll(/`[^`\n]*`/g, '')
  const inText = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
  const inMarkup = [...prose.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g)]
  return [...inText, ...inMarkup]
    .map(([, target = '']) => target.split('#')[0] ?? '')
    .filter((target) => target !== '' && !/^[a-z][a-z+.-]*:/i.test(target))
    .map((target) => posix.join(posix.dirname(path), decodeURI(target)))
}

describe('the pages', () => {
  test.each(pages)('$path leads to files that are there', (page) => {
    expect(targetsOf(page).filter((target) => !existsSync(join(root, target)))).toEqual([])
  })

  test('the pictures are pictures', () => {
    const pictures = pages.flatMap(targetsOf).filter((target) => target.endsWith('.png'))
    expect(pictures.length).toBeGreaterThan(0)
    for (const picture of new Set(pictures)) {
      const file = join(root, picture)
      expect(readFileSync(file).subarray(1, 4).toString(), picture).toBe('PNG')
      expect(statSync(file).size, picture).toBeGreaterThan(1000)
    }
  })

  test('every page of docs can be reached from docs/README.md', () => {
    const reached = new Set<string>()
    const waiting = ['docs/README.md']
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const page = pages.find((one) => one.path === path)
      if (page === undefined || reached.has(path)) continue
      reached.add(path)
      waiting.push(...targetsOf(page))
    }
    expect(paths.filter((path) => path.startsWith('docs/') && !reached.has(path))).toEqual([])
  })

  test('the front page leads to the index', () => {
    expect(pages.filter(({ path }) => path === 'README.md').flatMap(targetsOf)).toContain('docs/README.md')
  })
})

describe('the samples', () => {
  const blocks = pages.flatMap(({ path, blocks }) =>
    blocks.map((block) => ({ ...block, place: `${path}:${block.line}` })),
  )

  test('each says what a test does with it', () => {
    expect(blocks.filter(({ kind }) => kind === undefined).map(({ place }) => place)).toEqual([])
  })

  test('what is shown and not run says why, and is no program', () => {
    for (const { kind, detail, language, place } of blocks.filter((one) => one.kind === 'shown')) {
      expect(detail, `${place}: ${kind}`).not.toBe('')
      expect(['ts', 'js', 'html', 'yaml', 'http', 'json'], place).not.toContain(language)
    }
  })

  test('an output follows something that is run', () => {
    for (const [index, { kind, place }] of blocks.entries())
      if (kind === 'output') expect(['shell', 'node', 'http'], place).toContain(blocks[index - 1]?.kind)
  })

  test('a block without a comment, or with an unknown one, is noticed', () => {
    const fence = '```'
    const [bare, unknown, known] = readBlocks(
      `${fence}sh\nls\n${fence}\n\n<!-- sample: dance -->\n${fence}sh\nls\n${fence}\n\n<!-- sample: shell -->\n${fence}sh\nls\n${fence}\n`,
    )
    expect([bare?.kind, unknown?.kind, known?.kind]).toEqual([undefined, undefined, 'shell'])
    expect(kinds).toContain('shell')
  })
})
