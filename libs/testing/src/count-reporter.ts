/** The last line of a test run, for people and for machines: `12 passed, 0 failed, 1 skipped`. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** A file that could not be read, a hook that failed and an error outside of any test count as failed too. */
export function countTests(modules: readonly TestModule[], errors: readonly SerializedError[]): Counts {
  const counts = { passed: 0, failed: errors.length, skipped: 0 }
  for (const module of modules) {
    counts.failed += module.errors().length
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      // What never came to its end, because the run was broken off, did not pass.
      counts[state === 'pending' ? 'failed' : state] += 1
    }
  }
  return counts
}

/** Tests that passed only when they were tried again (vitest.config.ts): file and name, what a try before failed of, and where. */
export function listRetried(modules: readonly TestModule[]): string[] {
  return modules.flatMap(module =>
    [...module.children.allTests()].flatMap(test => {
      const { state, errors = [] } = test.result()
      if (state !== 'passed' || (test.diagnostic()?.retryCount ?? 0) === 0) return []
      const told = errors.map(({ message, stacks }) =>
        [message, ...placesOf(stacks)].join('\n').replaceAll(/^/gm, '  '),
      )
      return [[`${module.relativeModuleId}: ${test.fullName}`, ...told].join('\n')]
    }),
  )
}

const placesOf = (stacks: SerializedError['stacks'] = []) => stacks.map(({ file, line }) => `at ${file}:${line}`)

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const { passed, failed, skipped } = countTests(modules, errors)
    for (const one of listRetried(modules)) process.stdout.write(`\npassed when tried again: ${one}`)
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  }
}
