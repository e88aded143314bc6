/**
 * A clock on the wall that a test sets while the processes that live by it run: libfaketime. The monotonic clock, the
 * timers and the times of files stay true, as on a machine whose clock is set.
 */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeFolder } from './reaper.ts'

export interface SteppedClock {
  /** What a process is started with to live by it. Any number may. */
  readonly env: Readonly<Record<string, string>>
  /** Sets it: from now on it is so far ahead of the true one, or behind when negative, and goes on from there. */
  step(aheadMs: number): void
  drop(): void
}

const folders = ['/usr/lib', '/usr/local/lib', '/usr/lib64']

function findLibrary(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const places = folders
    .filter(folder => existsSync(folder))
    .flatMap(folder => [folder, ...readdirSync(folder).map(name => join(folder, name))])
  // The one for programs with threads.
  return places.map(place => join(place, 'faketime/libfaketimeMT.so.1')).find(file => existsSync(file))
}

/** Why no clock can be stepped on this machine, with what to do; undefined when it can. */
export function clocksMissing(): string | undefined {
  if (findLibrary() !== undefined) return undefined
  return 'libfaketime is missing, by which processes get a clock that can be set: apt-get install libfaketime'
}

/** @throws Error where `clocksMissing` says why */
export function makeSteppedClock(aheadMs = 0): SteppedClock {
  const library = findLibrary()
  if (library === undefined) throw new Error(`unable to make a clock: ${clocksMissing()}`)
  const folder = makeFolder('clock')
  const file = join(folder, 'now')
  const step = (ms: number) => {
    // Moved into place: read half written it would be the true time for a moment.
    writeFileSync(`${file}.next`, `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1_000).toFixed(3)}`)
    renameSync(`${file}.next`, file)
  }
  step(aheadMs)
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    step,
    drop: () => dropFolder(folder),
  }
}
