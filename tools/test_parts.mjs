// @ts-check
/** Owns the list of what `npm test` checks, in order. A new check is one more entry. */

/**
 * @typedef {object} Part
 * @property {string} name what is said on the command line
 * @property {string} title what it shows when it passes
 * @property {readonly (readonly string[])[]} [commands] scripts with their arguments, run by Node in order
 * @property {string} [project] the vitest project to run instead
 * @property {boolean} [chromium] whether it needs the browser
 */

/** @type {readonly Part[]} */
export const PARTS = [
  { name: 'types', title: 'Types', commands: [['node_modules/typescript/bin/tsc', '--noEmit']] },
  {
    name: 'lint',
    title: 'Lint and format',
    commands: [['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.']],
  },
  { name: 'lock', title: 'Dependencies', commands: [['tools/check_lock.ts']] },
  { name: 'imports', title: 'Import rules', commands: [['tools/check_imports.ts']] },
  { name: 'spec', title: 'Spec index', commands: [['tools/spec_index.ts', '--check']] },
  { name: 'unit', title: 'Unit tests', project: 'unit' },
  { name: 'flows', title: 'Flow tests', project: 'flows' },
  { name: 'browser', title: 'Browser tests', project: 'browser', chromium: true },
]
