import { expect, test } from 'vitest'
import { isZone, momentOf } from './zones.ts'

const at = (text: string) => Date.parse(text)

test.each([
  ['2027-01-10T09:00', 'Europe/Berlin', '2027-01-10T08:00Z'],
  ['2027-07-10T09:00', 'Europe/Berlin', '2027-07-10T07:00Z'],
  ['2027-07-10T00:30', 'Asia/Kathmandu', '2027-07-09T18:45Z'],
  ['2027-07-10T23:59', 'Pacific/Auckland', '2027-07-10T11:59Z'],
  ['2027-07-10T12:00', 'UTC', '2027-07-10T12:00Z'],
  // Put forward by an hour at two: half past two is half past three.
  ['2027-03-28T02:30', 'Europe/Berlin', '2027-03-28T01:30Z'],
  ['2027-03-28T03:00', 'Europe/Berlin', '2027-03-28T01:00Z'],
  // Put back by an hour at three: half past two comes twice.
  ['2027-10-31T02:30', 'Europe/Berlin', '2027-10-31T00:30Z'],
  ['2027-10-31T03:00', 'Europe/Berlin', '2027-10-31T02:00Z'],
  ['2027-11-07T01:30', 'America/New_York', '2027-11-07T05:30Z'],
  // By half an hour.
  ['2027-10-03T02:15', 'Australia/Lord_Howe', '2027-10-02T15:45Z'],
])('%s in %s is %s', (wall, zone, moment) => {
  expect(momentOf(wall, zone)).toBe(at(moment))
})

test.each([
  ['2027-02-30T09:00', 'UTC'],
  ['2027-02-10T24:00', 'UTC'],
  ['tomorrow', 'UTC'],
  ['2027-02-10T09:00', 'Mars/Olympus'],
  ['2027-02-10T09:00', '+02:00'],
])('%s in %s is no time', (wall, zone) => {
  expect(momentOf(wall, zone)).toBeUndefined()
})

test('zones go by their names', () => {
  expect(['Europe/Berlin', 'UTC', '+02:00', 'Nowhere'].map(isZone)).toEqual([true, true, false, false])
})
