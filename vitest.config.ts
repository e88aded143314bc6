import { defineConfig } from 'vitest/config'

/**
 * Every test imports the sources themselves (the `source` condition), so no build is needed before a test run.
 * `.pg.test` and `.redis.test` files get a real server from the global set-up in libs/testing.
 */
const shared = {
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
}

/** Of those only that ran out of time, as libs/testing/src/retry.ts says. */
const retry = process.env['CI'] === undefined ? 0 : { count: 1 }
const setupFiles = ['libs/testing/src/retry.ts']

export default defineConfig({
  ...shared,
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './libs/testing/src/count-reporter.ts'],
    projects: [
      {
        ...shared,
        test: {
          retry,
          setupFiles,
          name: 'tests',
          sequence: { groupOrder: 0 },
          include: ['{libs,apps,examples,tools}/*/src/**/*.test.ts'],
          exclude: [
            '**/node_modules/**',
            '**/dist/**',
            '**/*.attack.test.ts',
            '**/*.fault.test.ts',
            '**/*.fleet.test.ts',
            '**/*.fuzz.test.ts',
            '**/*.web.test.ts',
          ],
          globalSetup: ['libs/testing/src/global-setup.ts'],
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          // Whatever failed, and twice: where a machine stands still, a browser shows what is wrong for a moment, too.
          retry: retry && { count: 2 },
          name: 'web',
          // Beside the others: a page waits for whatever it needs.
          sequence: { groupOrder: 0 },
          include: ['apps/web/src/**/*.web.test.ts', 'examples/*/src/**/*.web.test.ts'],
          globalSetup: ['libs/testing/src/global-setup.ts'],
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 60_000,
          hookTimeout: 240_000,
        },
      },
      {
        ...shared,
        test: {
          retry,
          setupFiles,
          name: 'faults',
          // After the others: what measures time under load must not share the machine.
          sequence: { groupOrder: 1 },
          include: ['{apps,libs,tools}/*/src/**/*.fault.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          globalSetup: ['libs/testing/src/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          retry,
          setupFiles,
          name: 'attack',
          sequence: { groupOrder: 4 },
          include: ['tools/attack/src/**/*.attack.test.ts'],
          globalSetup: ['libs/testing/src/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          retry,
          setupFiles,
          name: 'api',
          sequence: { groupOrder: 3 },
          include: ['apps/api/src/**/*.fuzz.test.ts'],
          globalSetup: ['libs/testing/src/global-setup.ts'],
        },
      },
      {
        ...shared,
        test: {
          retry,
          setupFiles,
          name: 'fleet',
          sequence: { groupOrder: 2 },
          include: ['tools/fleet/src/**/*.fleet.test.ts'],
          globalSetup: ['libs/testing/src/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
