/** Proves that each fault of a lock file that would break somebody's `npm ci` is found. */
import { describe, expect, test } from 'vitest'
import { findLockProblems, type Locked } from '../lock_problems.ts'

const root = { dependencies: { a: '1.0.0' } }
const good: Record<string, Locked> = {
  '': root,
  'packages/one': { dependencies: { b: '2.0.0' } },
  'node_modules/one': { link: true },
  'node_modules/a': { version: '1.0.0', license: 'MIT', optionalDependencies: { 'a-linux': '1.0.0' } },
  'node_modules/a-linux': { version: '1.0.0', license: 'MIT' },
  'node_modules/b': { version: '2.0.0', license: 'Apache-2.0' },
}
const manifests = { '': root, 'packages/one': { dependencies: { b: '2.0.0' } } }

describe('a lock file', () => {
  test('that is complete passes', () => expect(findLockProblems(good, manifests)).toEqual([]))

  for (const [name, change, sentence] of [
    [
      'of another version',
      { 'packages/one': { dependencies: { b: '1.0.0' } } },
      /packages\/one\/package\.json and package-lock\.json disagree/,
    ],
    [
      'without a package of the workspace',
      { 'packages/one': undefined },
      /packages\/one\/package\.json and package-lock\.json disagree/,
    ],
    [
      'without the package of another system',
      { 'node_modules/a-linux': undefined },
      /a wants a-linux on another system/,
    ],
    [
      'with an install script',
      { 'node_modules/b': { license: 'MIT', hasInstallScript: true } },
      /b has an install script/,
    ],
    ['with a licence of another kind', { 'node_modules/b': { license: 'AGPL-3.0' } }, /b has the licence AGPL-3\.0/],
    ['without a licence', { 'node_modules/b': {} }, /b has the licence \(none\)/],
  ] as const) {
    test(`${name} is refused`, () => {
      const changed: Record<string, Locked | undefined> = { ...good, ...change }
      const entries = Object.entries(changed).flatMap(([path, locked]) =>
        locked === undefined ? [] : [[path, locked]],
      )
      const problems = findLockProblems(Object.fromEntries(entries), manifests)
      expect(problems).toEqual([expect.stringMatching(sentence)])
    })
  }

  test('a range instead of a version is refused', () => {
    const ranged = { dependencies: { b: '^2.0.0' } }
    const problems = findLockProblems({ ...good, 'packages/one': ranged }, { ...manifests, 'packages/one': ranged })
    expect(problems).toEqual([expect.stringMatching(/asks for b \^2\.0\.0: name one exact version/)])
  })
})
