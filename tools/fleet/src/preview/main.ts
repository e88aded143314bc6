/**
 * Pictures of the dashboards without Grafana: `npm run dashboards:preview`. Starts a small fleet, lets people talk on it
 * for some minutes while a gateway joins and another drains, asks a real Prometheus what the dashboards ask, and draws
 * them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readCommandLine } from '@flotilla/service'
import { freshDatabase, startPostgres, startRedis } from '@flotilla/testing'
import { dashboards } from '../dashboards/index.ts'
import { type MonitoredFleet, startMonitoredFleet, startTalking, type Talking } from '../monitored-fleet.ts'
import { findProgram, prometheusPackage } from '../programs.ts'
import { inProject } from '../root.ts'
import { type DashboardFile, fetchFigures } from './figures.ts'
import { photograph } from './page.ts'

const scrapeSeconds = 3
const { flags, values } = readCommandLine({
  usage: 'npm run dashboards:preview',
  about: 'Draws the dashboards without Grafana, from the metrics of a small fleet that it starts.',
  options: {
    minutes: { value: 'N', about: 'how long to run traffic (5)' },
    to: { value: 'FOLDER', about: 'output folder (.cache/dashboards)' },
    keep: { about: 'keep the metrics beside the pictures as JSON' },
  },
})
const minutes = Number(values['minutes'] ?? 5)
if (!(minutes > 0)) throw new Error('unable to start: --minutes must be a number above 0')
const to = values['to'] ?? '.cache/dashboards'
const prometheusProgram = findProgram('prometheus', prometheusPackage)
const chromium = findProgram('chromium', 'on Debian: apt-get install chromium')
if (prometheusProgram === undefined || chromium === undefined) process.exit(1)
mkdirSync(to, { recursive: true })

const [postgres, redis] = await Promise.all([startPostgres({ durable: true }), startRedis()])
const database = await freshDatabase(postgres.url)
const fleet = await startMonitoredFleet({
  program: prometheusProgram,
  databaseUrl: database.url,
  redisUrl: redis.url,
  gateways: 3,
  scrapeSeconds,
  settings: { CONNECTIONS_MAX: '150' },
})
const from = Math.floor(Date.now() / 1_000)
const talking: Talking[] = []
try {
  await live(fleet)
  const end = Math.floor(Date.now() / 1_000)
  for (const { uid } of dashboards) {
    const name = uid.replace('flotilla-', '')
    const file = JSON.parse(readFileSync(inProject(`helm/flotilla/dashboards/${name}.json`), 'utf8')) as DashboardFile
    const range = { from, to: end, stepSeconds: scrapeSeconds, rateSeconds: 4 * scrapeSeconds }
    const drawn = await fetchFigures(file, fleet.prometheus, range)
    if (flags.has('keep')) writeFileSync(`${to}/${name}.json`, JSON.stringify(drawn))
    await photograph(drawn, chromium, `${to}/${name}.png`)
    console.log(`drew ${to}/${name}.png`)
  }
} finally {
  await Promise.all(talking.map(one => one.stop()))
  await fleet.stop()
  await redis.stop()
  await postgres.drop()
}

/** What happens in those minutes: people come in four waves, one signs in again and again, a gateway joins, another drains. */
async function live({ startGateway, drainGateway, api }: MonitoredFleet): Promise<void> {
  const until = (share: number) =>
    new Promise(resolve => setTimeout(resolve, from * 1_000 + share * minutes * 60_000 - Date.now()))
  for (let wave = 1; wave <= 4; wave++) {
    talking.push(await startTalking(api, { people: 60, messagesPerSecond: 10 }))
    await until(wave * 0.08)
  }
  for (let share = 0.34; share < 0.44; share += 0.01) {
    await talking[0]!.signIn(Math.random() < 0.2 ? 'wrongly' : 'rightly')
    await until(share)
  }
  await startGateway('gateway-4')
  await until(0.74)
  await drainGateway('gateway-1')
  await until(1)
}
