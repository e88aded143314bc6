/** Parts are lost without a word. Clients are cut off, some longer than others, but no promise breaks and all come back. */
import { setTimeout as pause } from 'node:timers/promises'
import { connectionsTable, everybodyComesBack, figuresTable, nothingIsBroken } from '../load/figures.ts'
import type { Load } from '../load/load.ts'
import type { Report } from '../load/report.ts'
import type { ClusterStand } from '../load/cluster-stand.ts'
import type { Stand } from '../load/stand.ts'
import { type Scale, underLoad } from './under-load.ts'

/** The talk goes on for so long after the loss. */
const afterMs = 5_000
/** Of the connections, those that break each second while the API is rolled. */
const cutShare = 0.01

async function lose(
  stand: Stand,
  scale: Scale,
  what: Pick<Report, 'name' | 'title' | 'about'>,
  act: (load: Load) => Promise<void>,
): Promise<Report> {
  const { figures, samples, judgement } = await underLoad(stand, scale, what.name, async load => {
    await act(load)
    await pause(afterMs)
  })
  return {
    ...what,
    targets: [nothingIsBroken(judgement), everybodyComesBack(figures)],
    tables: [figuresTable('Meanwhile', figures), connectionsTable('Connections by gateway', samples)],
    raw: { figures, judgement },
  }
}

export const loseGateway = (stand: Stand, scale: Scale): Promise<Report> =>
  lose(
    stand,
    scale,
    {
      name: 'gateway-lost',
      title: 'A gateway deleted with force',
      about:
        'The pod of one gateway is deleted with force while everybody talks; the Deployment puts another in its place.',
    },
    () => stand.kill(),
  )

export const loseNode = (stand: ClusterStand, scale: Scale): Promise<Report> =>
  lose(
    stand,
    scale,
    {
      name: 'node-lost',
      title: 'A machine lost',
      about:
        'The machine of a gateway is gone at once: nobody hears a FIN. Its clients find out by their pings and come back elsewhere; the controllers replace its pods.',
    },
    () => stand.loseNode(),
  )

export const rollApi = (stand: ClusterStand, scale: Scale): Promise<Report> =>
  lose(
    stand,
    scale,
    {
      name: 'api-rolled',
      title: 'The API rolled',
      about: `Every process of the API is replaced while everybody talks and ${cutShare * 100} % of the connections break each second, so that there is always somebody who asks it for the way back.`,
    },
    async load => {
      await load.cutSome(load.people * cutShare)
      await stand.rollApi()
      await load.cutSome(0)
    },
  )

export const replaceRedis = (stand: ClusterStand, scale: Scale): Promise<Report> =>
  lose(
    stand,
    scale,
    {
      name: 'redis-replaced',
      title: 'Redis replaced empty',
      about: 'The pod of Redis is deleted and another one begins without any data while everybody talks.',
    },
    () => stand.replaceRedis(),
  )
