/**
 * What a push service is spared. One that says when to come back is left alone until then; one that fails again and again
 * is left alone for a while that grows, and then tried with one push until that is answered. Meanwhile its queue waits
 * in the store. A service that answers at all, be it with a refusal, is well.
 */
import type { push } from '@flotilla/chat'
import { LRUCache } from 'lru-cache'

export interface Circuits {
  /** How long the service is still left alone; 0 when it is not. */
  pausedMs(key: string): number
  /** Of so many that could be sent to it, how many may. */
  allowed(key: string, wanted: number): number
  /** Something is being sent. Call `noted` once with what came of it. */
  sending(key: string): void
  noted(key: string, answer: push.Answer): void
  /** How many services are left alone. */
  paused(): number
}

/** Failures in a row until a service is taken for ill. */
const failuresMax = 10
/** No service closes itself for longer by one answer. */
const retryAfterMsMax = 3_600_000
/** Hosts of Web Push are few; beyond this the longest untouched is forgotten. */
const keysMax = 1_000

interface Circuit {
  /** In a row. */
  failures: number
  /** Pauses in a row. What fails together, or during a pause, makes one. */
  pauses: number
  until: number
  underWay: number
}

/**
 * @param steady the monotonic clock
 * @param pauseMs of a service that is ill: doubled each time, up to the second one
 */
export function createCircuits(
  steady: () => number,
  pauseMs: { readonly first: number; readonly max: number },
): Circuits {
  const circuits = new LRUCache<string, Circuit>({ max: keysMax })
  const of = (key: string): Circuit => {
    const circuit = circuits.get(key) ?? { failures: 0, pauses: 0, until: 0, underWay: 0 }
    circuits.set(key, circuit)
    return circuit
  }
  const pausedMs = (key: string) => Math.max(0, (circuits.peek(key)?.until ?? 0) - steady())

  return {
    pausedMs,
    allowed(key, wanted) {
      if (pausedMs(key) > 0) return 0
      const { failures, underWay } = of(key)
      return failures < failuresMax ? wanted : Math.min(wanted, Math.max(0, 1 - underWay))
    },
    sending(key) {
      of(key).underWay++
    },
    noted(key, answer) {
      const circuit = of(key)
      circuit.underWay = Math.max(0, circuit.underWay - 1)
      if (answer.answer !== 'later' && answer.answer !== 'unclear') {
        circuit.failures = 0
        circuit.pauses = 0
        return
      }
      circuit.failures++
      const now = steady()
      const asked = answer.answer === 'later' ? Math.min(answer.retryMs ?? 0, retryAfterMsMax) : 0
      const isIll = circuit.failures >= failuresMax && circuit.until <= now
      const ill = isIll ? Math.min(pauseMs.first * 2 ** circuit.pauses++, pauseMs.max) : 0
      circuit.until = Math.max(circuit.until, now + Math.max(asked, ill))
    },
    paused: () => [...circuits.keys()].filter(key => pausedMs(key) > 0).length,
  }
}
