/** Proves that a link that leads nowhere is found, in each of the ways that links are written. */
import { describe, expect, test } from 'vitest'
import { findDeadLinks } from '../dead_links.ts'

const other = { path: 'docs/other.md', text: '# Other page\n\n## What `exp` means\n\n## Twice\n\n## Twice\n' }

function deadIn(text: string): string[] {
  const files = ['docs/page.md', 'docs/other.md', 'docs', 'README.md', 'docs/a b.png']
  return findDeadLinks([{ path: 'docs/page.md', text }, other], (path) => files.includes(path))
}

describe('a link is dead', () => {
  for (const [name, text, reason] of [
    ['to a missing page', 'line\n\nsee [it](missing.md)', 'docs/page.md:3  missing.md: there is no docs/missing.md'],
    ['to a page above', '[it](../GONE.md)', 'docs/page.md:1  ../GONE.md: there is no GONE.md'],
    ['to a missing picture', '![it](gone.png "title")', 'docs/page.md:1  gone.png: there is no docs/gone.png'],
    ['in markup', '<img src="gone.png">', 'docs/page.md:1  gone.png: there is no docs/gone.png'],
    ['at the foot', '[it]\n\n[it]: gone.md', 'docs/page.md:3  gone.md: there is no docs/gone.md'],
    ['to a missing heading', '[it](other.md#gone)', 'docs/page.md:1  other.md#gone: docs/other.md has no such heading'],
    ['to a missing heading of its own', '[it](#gone)', 'docs/page.md:1  #gone: docs/page.md has no such heading'],
  ] as const) {
    test(name, () => expect(deadIn(text)).toEqual([reason]))
  }
})

describe('a link is alive', () => {
  for (const [name, text] of [
    ['to a page', '[it](other.md)'],
    ['to a folder', '[it](../docs)'],
    ['to the root', '[it](../README.md)'],
    ['to a heading with code', '[it](other.md#what-exp-means)'],
    ['to the second of two headings', '[it](other.md#twice-1)'],
    ['to a file with a space', '![it](a%20b.png)'],
    ['to the web', '[it](https://example.com/gone) <a href="mailto:a@example.com">b</a>'],
    ['to its own heading', '# Here it is\n[it](#here-it-is)'],
    ['in code', '`[it](gone.md)`\n\n```md\n[it](gone.md)\n```'],
  ] as const) {
    test(name, () => expect(deadIn(text)).toEqual([]))
  }
})
