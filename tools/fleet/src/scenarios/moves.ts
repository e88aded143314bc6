/** Gateways come and go in an orderly way: a roll-out, and a fleet that shrinks and grows. Nobody may notice much. */
import { setTimeout as pause } from 'node:timers/promises'
import {
  connectionsAreEven,
  connectionsTable,
  everybodyComesBack,
  fewReconnectAtOnce,
  figuresTable,
  gapsAreShort,
  nothingIsBroken,
} from '../load/figures.ts'
import type { Report } from '../load/report.ts'
import type { Stand } from '../load/stand.ts'
import { type Found, type Scale, underLoad } from './under-load.ts'

const asPromised = ({ figures, judgement }: Found) => [
  nothingIsBroken(judgement),
  everybodyComesBack(figures),
  fewReconnectAtOnce(figures),
  gapsAreShort(figures),
]

const described = ({ people, messagesPerSecond }: Scale, gateways: number) =>
  `${people.toLocaleString('en-US')} clients on ${gateways} gateways, ${messagesPerSecond} messages a second in groups and direct conversations`

export async function rollOut(stand: Stand, scale: Scale): Promise<Report> {
  const gateways = await stand.gateways()
  const found = await underLoad(stand, scale, 'roll-out', () => stand.rollOut())
  return {
    name: 'roll-out',
    title: 'Roll-out under load',
    about: `${described(scale, gateways.length)}; every gateway is replaced, one after the other.`,
    targets: asPromised(found),
    tables: [
      figuresTable('During the roll-out', found.figures),
      connectionsTable('Connections by gateway', found.samples),
    ],
    raw: { figures: found.figures, judgement: found.judgement },
  }
}

export async function scaleIn(stand: Stand, scale: Scale, to: number): Promise<Report> {
  const gateways = await stand.gateways()
  const found = await underLoad(stand, scale, 'scale-in', () => stand.scale(to))
  return {
    name: 'scale-in',
    title: 'Fewer gateways under load',
    about: `${described(scale, gateways.length)}; then ${to} gateways.`,
    targets: asPromised(found),
    tables: [
      figuresTable('During the scale-in', found.figures),
      connectionsTable('Connections by gateway', found.samples),
    ],
    raw: { figures: found.figures, judgement: found.judgement },
  }
}

/** @param evenWithinSeconds how long the connections are watched after the new gateways are ready */
export async function scaleUp(stand: Stand, scale: Scale, to: number, evenWithinSeconds: number): Promise<Report> {
  const before = await stand.gateways()
  let grownAt = 0
  const found = await underLoad(stand, scale, 'scale-up', async () => {
    await stand.scale(to)
    grownAt = Date.now()
    await pause(evenWithinSeconds * 1_000)
  })
  const since = found.samples.filter(({ atMs }) => atMs >= grownAt)
  return {
    name: 'scale-up',
    title: 'More gateways under load',
    about: `${described(scale, before.length)}; then ${to} gateways, watched for ${evenWithinSeconds} s after they were ready.`,
    targets: [...asPromised(found), connectionsAreEven(since, await stand.gateways(), evenWithinSeconds)],
    tables: [
      figuresTable('During the scale-up', found.figures),
      connectionsTable('Connections by gateway', found.samples),
    ],
    raw: { figures: found.figures, judgement: found.judgement },
  }
}
