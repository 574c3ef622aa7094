// @ts-check
/** Owns the list of what `npm test` checks, in order. A new check is one more entry. */

/**
 * @typedef {object} Part
 * @property {string} name what is said on the command line
 * @property {string} title what it shows when it passes
 * @property {readonly string[]} [command] a script with its arguments, run by Node
 * @property {string} [project] the vitest project to run instead
 * @property {boolean} [needsBuild] whether it needs what `npm start` builds
 * @property {boolean} [needsChromium] whether it needs the browser
 */

/** @type {readonly Part[]} */
export const PARTS = [
  { name: 'types', title: 'Types', command: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  {
    name: 'lint',
    title: 'Lint and format',
    command: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.'],
  },
  { name: 'lock', title: 'Dependencies', command: ['tools/check_lock.ts'] },
  { name: 'imports', title: 'Import rules', command: ['tools/check_imports.ts'] },
  { name: 'spec', title: 'Spec index', command: ['tools/spec_index.ts', '--check', '--strict'] },
  { name: 'options', title: 'Options page', command: ['tools/configuration_page.ts', '--check'] },
  { name: 'docs', title: 'Links in docs', command: ['tools/check_docs.ts'] },
  { name: 'build', title: 'Build', needsBuild: true },
  { name: 'unit', title: 'Unit tests', project: 'unit' },
  { name: 'flows', title: 'Flow tests', project: 'flows', needsBuild: true },
  { name: 'browser', title: 'Browser tests', project: 'browser', needsBuild: true, needsChromium: true },
]
