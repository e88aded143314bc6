/**
 * What the fleet promises under load, on a real control plane: the chart on a cluster whose pods are processes, behind the
 * real edge. `FLEET=long` makes it as large as the promises are stated for; without it, small enough for every run.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { whyNoCluster } from './cluster.ts'
import { type ClusterStand, startClusterStand } from './load/cluster-stand.ts'
import { longCommand, publish, type Report } from './load/report.ts'
import { autoscaling } from './scenarios/autoscaling.ts'
import { loseGateway, loseNode, replaceRedis, rollApi } from './scenarios/losses.ts'
import { rollOut, scaleIn, scaleUp } from './scenarios/moves.ts'
import { storm } from './scenarios/storm.ts'
import { skipAloud } from './skip.ts'

const isLong = process.env['FLEET'] === 'long'
const isSkipped = skipAloud('the fleet under load', whyNoCluster())

/** Of a few hundred people three are a percent: chance alone makes a worse second than among thousands. */
const common = { groupSize: 10, processes: 2, reconnectShareMax: isLong ? 0.05 : 0.1 }
const scale = isLong
  ? { ...common, people: 5_000, messagesPerSecond: 200, connectsPerSecond: 300 }
  : { ...common, people: 300, messagesPerSecond: 40, connectsPerSecond: 150 }
/** Small numbers need no long drain, and show sooner whether shedding works when it is fast. */
const size = isLong
  ? { gateways: 4, few: 2, nodes: 5, drainMs: 20_000, connectsPerSecond: 100, settings: {} }
  : {
      gateways: 3,
      few: 2,
      nodes: 4,
      drainMs: 8_000,
      connectsPerSecond: 200,
      settings: { SHED_PERCENT_PER_SECOND: 2 },
    }
/** A gateway takes preStop, drain and some time to end; before that the autoscaler must not look away from it. */
const graceSeconds = 2 + size.drainMs / 1_000 + 25
const rules = {
  connectionsPerGateway: isLong ? 1_600 : 80,
  min: 2,
  max: isLong ? 6 : 3,
  downWindowSeconds: graceSeconds,
  downPeriodSeconds: graceSeconds,
}

let stand: ClusterStand
beforeAll(async () => {
  if (!isSkipped) stand = await startClusterStand({ ...size, durable: true })
})
afterAll(() => stand?.stop())

const command = isLong ? longCommand : 'npx vitest run --project fleet'

/** What must hold on any machine. The other targets are about time: a short run on a shared machine only shows them. */
const untimed: readonly string[] = [
  'the checker finds no violation',
  'every client comes back',
  'nobody else loses a connection',
]

async function holds(report: Promise<Report>) {
  const missed = publish(await report, command)
  expect(isLong ? missed : missed.filter(({ promise }) => untimed.includes(promise))).toEqual([])
}

test.skipIf(isSkipped)('every gateway is replaced by the Deployment controller', () => holds(rollOut(stand, scale)))

test.skipIf(isSkipped || !isLong)('the fleet shrinks', () => holds(scaleIn(stand, scale, size.few)))

test.skipIf(isSkipped || !isLong)('the fleet grows, and the new gateways fill', () =>
  holds(scaleUp(stand, scale, size.few, size.gateways)),
)

test.skipIf(isSkipped)('a gateway is deleted with force', () => holds(loseGateway(stand, scale)))

test.skipIf(isSkipped || !isLong)('a machine is lost', () => holds(loseNode(stand, scale)))

test.skipIf(isSkipped || !isLong)('the API is rolled', () => holds(rollApi(stand, scale)))

test.skipIf(isSkipped || !isLong)('Redis is replaced empty', () => holds(replaceRedis(stand, scale)))

test.skipIf(isSkipped)('everybody is cut off at once', () =>
  holds(
    storm(stand, {
      ...scale,
      people: isLong ? 10_000 : 400,
      bystanders: isLong ? 200 : 40,
      quietSeconds: isLong ? 20 : 5,
      ...(isLong ? { ackGrowthMax: 2 } : {}),
    }),
  ),
)

// The last one: afterwards it is the autoscaler who says how many gateways there are.
test.skipIf(isSkipped || !isLong)('the number of gateways follows the number of connections', () =>
  holds(
    autoscaling(stand, {
      ...scale,
      people: isLong ? 8_000 : 260,
      few: isLong ? 1_000 : 60,
      rules,
      rampSeconds: isLong ? 120 : 20,
      holdSeconds: isLong ? 90 : 10,
      fallSeconds: rules.max * rules.downPeriodSeconds + 120,
    }),
  ),
)
