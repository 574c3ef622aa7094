/** Owns the three kinds of tests: beside the code (unit), over HTTP against the whole server (flows), in a real Chromium (browser). */
import { defineConfig } from 'vitest/config'

const inChromium = '**/*.browser.test.ts'
// On a machine that others use as well a timeout may pass once; what is broken fails twice.
const retry = 1
const never = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          retry,
          include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'tools/test/**/*.test.ts'],
          exclude: [inChromium, ...never],
          testTimeout: 15_000,
          hookTimeout: 15_000,
        },
      },
      {
        test: {
          name: 'flows',
          retry,
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', inChromium, ...never],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'browser',
          retry,
          include: ['test/browser/**/*.test.ts', '**/*.browser.test.ts'],
          exclude: never,
          // One Chromium at a time: two on two cores slow each other into timeouts.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
    // Processes, not threads: the native modules, signals and the servers' own worker threads are what they are in production.
    pool: 'forks',
    maxWorkers: 2,
  },
})
