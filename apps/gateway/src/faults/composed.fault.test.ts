/**
 * Faults composed at random, short: `npm run test:faults -- composed` runs any seed for as long as is wanted. Whatever
 * meets with whatever, no promise is broken.
 */
import {
  clocksMissing,
  type ComposedReport,
  isLong,
  openOldVersion,
  projectRoot,
  runComposed,
  versionBefore,
} from '@flotilla/testing'
import { expect, test } from 'vitest'

/** Whose first seconds hold faults of every part. */
const seed = 27
const seconds = isLong ? 60 : 12

test(`${seconds} s of the faults of seed ${seed} break no promise`, async () => {
  const opened = openOldVersion(projectRoot(), versionBefore)
  if (typeof opened === 'string') console.warn(`skipped: no version before this one to run beside it: ${opened}`)
  const clocks = clocksMissing()
  if (clocks !== undefined) console.warn(`skipped: clocks that are set: ${clocks}`)
  const former = typeof opened === 'string' ? undefined : opened
  let report: ComposedReport
  try {
    report = await runComposed({ seed, seconds, former })
  } finally {
    former?.drop()
  }
  expect(report.violations).toEqual([])
  for (const what of [
    'message.send',
    'message.react',
    'removed',
    'added',
    'scheduled',
    'expired',
    'delivered live',
    'told',
    'typing',
    'signalled',
    'signal',
  ])
    expect(report.counts[what], what).toBeGreaterThan(0)
})
