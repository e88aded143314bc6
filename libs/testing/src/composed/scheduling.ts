/** People of a composed run schedule messages. */
import { randomUUID } from 'node:crypto'
import type { History } from '../history.ts'
import type { Call, Caller } from './calls.ts'
import type { Dice } from './dice.ts'

const aheadMs = { min: 500, max: 4_000 }
const path = '/v1/scheduled-messages'

/** Three messages that are soon to be sent, two of them at one time; now and then one is cancelled. */
export async function scheduleSome(
  call: Call,
  history: History,
  dice: Dice,
  { conversation, user, as }: { readonly conversation: string; readonly user: string; readonly as: Caller },
): Promise<{ taken: number; cancelled: boolean }> {
  const firstMs = Date.now() + dice.between(aheadMs.min, aheadMs.max)
  const clientIds = [randomUUID(), randomUUID(), randomUUID()]
  for (const [nth, clientId] of clientIds.entries()) {
    const dueMs = firstMs + (nth === 2 ? dice.between(0, 300) : 0)
    await call('POST', path, as, { conversation, clientId, body: { text: randomUUID() }, at: dueMs })
    history.live({ kind: 'scheduled', user, conversation, clientId, dueMs, answeredMs: Date.now() })
  }
  if (dice.roll() > 0.3) return { taken: clientIds.length, cancelled: false }
  const clientId = dice.pick(clientIds)
  await call('DELETE', `${path}/${clientId}`, as)
  history.live({ kind: 'cancelled', clientId })
  return { taken: clientIds.length, cancelled: true }
}
