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
import type { Sample } from '../load/load.ts'
import type { Report } from '../load/report.ts'
import type { Stand } from '../load/stand.ts'
import { type Found, type Scale, underLoad } from './under-load.ts'

const asPromised = ({ figures, judgement }: Found, scale: Scale) => [
  nothingIsBroken(judgement),
  everybodyComesBack(figures),
  fewReconnectAtOnce(figures, scale.reconnectShareMax),
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
    targets: asPromised(found, scale),
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
    targets: asPromised(found, scale),
    tables: [
      figuresTable('During the scale-in', found.figures),
      connectionsTable('Connections by gateway', found.samples),
    ],
    raw: { figures: found.figures, judgement: found.judgement },
  }
}

/** How long the connections must have been even until that counts as the end. */
const evenSecondsMin = 10

/** How soon after the new gateways are ready they must be. */
const evenWithinSeconds = 120

export async function scaleUp(stand: Stand, scale: Scale, from: number, to: number): Promise<Report> {
  await stand.scale(from)
  let grownAt = Infinity
  const isEven = (samples: readonly Sample[], gateways: readonly string[]) => {
    const since = samples.filter(({ atMs }) => atMs >= grownAt)
    return connectionsAreEven(since, gateways, evenWithinSeconds)
  }
  const found = await underLoad(stand, scale, 'scale-up', async (_load, samples) => {
    await stand.scale(to)
    grownAt = Date.now()
    const gateways = await stand.gateways()
    // A little longer than is allowed, so that a sample says whether it was in time.
    const deadline = grownAt + (evenWithinSeconds + evenSecondsMin) * 1_000
    for (let evenSince: number | undefined; Date.now() < deadline; await pause(1_000)) {
      const lately = samples().filter(({ atMs }) => atMs >= Math.max(grownAt, Date.now() - 2_000))
      if (!isEven(lately, gateways).met) evenSince = undefined
      else evenSince ??= Date.now()
      if (evenSince !== undefined && Date.now() - evenSince >= evenSecondsMin * 1_000) break
    }
  })
  return {
    name: 'scale-up',
    title: 'More gateways under load',
    about: `${described(scale, from)}; then ${to} gateways, watched until their connections have been even for ${evenSecondsMin} s.`,
    targets: [...asPromised(found, scale), isEven(found.samples, await stand.gateways())],
    tables: [
      figuresTable('During the scale-up', found.figures),
      connectionsTable('Connections by gateway', found.samples),
    ],
    raw: { figures: found.figures, judgement: found.judgement },
  }
}
