import { expect, test } from 'vitest'
import type { TestModule } from 'vitest/node'
import { countTests, listRetried } from './count-reporter.ts'

type State = 'passed' | 'failed' | 'skipped' | 'pending'

/** As much of a module of vitest as is counted. */
function file(states: readonly State[], moduleErrors = 0, suiteErrors = 0): TestModule {
  const errors = (count: number) => () => Array.from({ length: count })
  return {
    errors: errors(moduleErrors),
    children: {
      allSuites: () => [{ errors: errors(suiteErrors) }],
      allTests: () => states.map(state => ({ result: () => ({ state }) })),
    },
  } as unknown as TestModule
}

test('every test is counted, and what kept tests from running counts as failed', () => {
  expect(countTests([], [])).toEqual({ passed: 0, failed: 0, skipped: 0 })
  const files = [file(['passed', 'failed', 'skipped']), file(['passed'])]
  expect(countTests(files, [])).toEqual({ passed: 2, failed: 1, skipped: 1 })
  expect(countTests([file(['passed'], 1, 1)], [{ message: 'outside of any test' }])).toEqual({
    passed: 1,
    failed: 3,
    skipped: 0,
  })
  expect(countTests([file(['pending'])], [])).toMatchObject({ passed: 0, failed: 1 })
})

test('what passed only when tried again is named, with what it failed of before', () => {
  const errors = [{ message: 'Timeout\nCall log', stacks: [{ file: '/a.test.ts', line: 7 }] }]
  const tries = (fullName: string, state: State, retryCount: number) => ({
    fullName,
    result: () => ({ state, errors: retryCount > 0 ? errors : undefined }),
    diagnostic: () => ({ retryCount }),
  })
  const module = {
    relativeModuleId: 'a.test.ts',
    children: {
      allTests: () => [tries('once', 'passed', 0), tries('twice', 'passed', 1), tries('never', 'failed', 1)],
    },
  } as unknown as TestModule
  expect(listRetried([module])).toEqual(['a.test.ts: twice\n  Timeout\n  Call log\n  at /a.test.ts:7'])
})
