/**
 * Passwords: which are good enough, and their hashes (argon2id). A hash takes a core for some 30 ms and 19 MiB, on the
 * threads that DNS and files need too: few run at once, a bounded queue waits, and more are told to come back.
 */
import { Refusal } from '@flotilla/protocol'
import pLimit from 'p-limit'

export interface Passwords {
  /**
   * Takes a slot in the queue before anything is counted against somebody: whoever is only told to come back must not
   * use up their tries with it.
   * @throws Refusal overloaded, with the time in which the queue will be done
   */
  enter(): HashSlot
  /** @throws Refusal overloaded, without a slot */
  hash(text: string, slot?: HashSlot): Promise<string>
  /**
   * @param hash undefined when there is no such person: it takes as long, and answers false
   * @throws Refusal overloaded, without a slot
   */
  verify(hash: string | undefined, text: string, slot?: HashSlot): Promise<boolean>
}

/** A slot in the queue. Good for one hash after the other, until it is left. */
export interface HashSlot {
  leave(): void
}

export interface PasswordsOptions {
  readonly passwordHashesMax: number
  readonly passwordQueueMax: number
}

/** Loaded by the first password: gateways see none, and their image does without the binary. */
const argon = () => import('@node-rs/argon2')

/** OWASP's first choice. argon2id is the library's default; its enum cannot be imported under isolatedModules. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a password that nobody knows, at the same cost: time must not tell whether a person exists. */
const nobody = '$argon2id$v=19$m=19456,t=2,p=1$gSdNIEdoAjO4aDOAJ0h63Q$5WDum47l8+Game1UEx8Q7+73ISNXsFWTMGIQ9fyTjZk'

const lengthMin = 8
const lengthMax = 200
/** What a hash is taken for until some were made, and the share of the newest in the average. */
const hashMsAtFirst = 30
const newestShare = 0.1
const retryMsMin = 1_000
const retryMsMax = 30_000

/** One spelling for what keyboards and systems compose differently. */
const normal = (text: string) => text.normalize('NFKC')

/**
 * Long enough, and none that is tried first: those that leaked most, one piece again and again, the alphabet, a name
 * that everybody knows. No rules of what it is made of: they make passwords worse (NIST SP 800-63B).
 * @param names that belong to the account: with digits around them they are no password either
 * @throws Refusal password_weak, which names the rule
 */
export async function checkPassword(text: string, names: readonly (string | null | undefined)[] = []): Promise<void> {
  const refuse = (rule: string) => new Refusal('password_weak', undefined, { field: 'password', rule })
  const plain = normal(text).toLowerCase()
  const length = Array.from(normal(text)).length
  if (length < lengthMin) throw refuse(`minLength ${lengthMin}`)
  if (length > lengthMax) throw refuse(`maxLength ${lengthMax}`)
  const { commonPasswords } = await import('../../text/common-passwords.ts')
  if (commonPasswords.has(plain)) throw refuse('not a common password')
  if (/^(.{1,4})\1+$/su.test(plain) || isRun(plain)) throw refuse('no repetition or sequence')
  const words = names.flatMap(name => (name ? [name, name.split('@')[0] ?? ''] : []))
  if (words.some(word => undressed(normal(word).toLowerCase()) === undressed(plain)))
    throw refuse('not the username or email address')
}

/** `abcdefgh`, `87654321`: each character is the next one, or each the one before. */
function isRun(text: string): boolean {
  const points = Array.from(text, letter => letter.codePointAt(0) ?? 0)
  const step = (points[1] ?? 0) - (points[0] ?? 0)
  return Math.abs(step) === 1 && points.every((point, at) => at === 0 || point - (points[at - 1] ?? 0) === step)
}

/** Without digits and signs before and after it, unless nothing else is there. */
const undressed = (text: string) => text.replaceAll(/^\P{L}+|\P{L}+$/gu, '') || text

export function createPasswords(options: PasswordsOptions): Passwords {
  const { passwordHashesMax, passwordQueueMax } = options
  const limit = pLimit(Math.max(1, passwordHashesMax))
  let slots = 0
  let hashMs = hashMsAtFirst

  function enter(): HashSlot {
    if (slots >= passwordHashesMax + passwordQueueMax) {
      const queueMs = (slots * hashMs) / Math.max(1, passwordHashesMax)
      const retryMs = Math.round(Math.min(retryMsMax, Math.max(retryMsMin, queueMs)))
      throw new Refusal('overloaded', 'too many sign-ins in progress', { retryMs })
    }
    slots++
    let held = true
    return {
      leave() {
        if (held) slots--
        held = false
      },
    }
  }

  async function inTurn<T>(given: HashSlot | undefined, work: () => Promise<T>): Promise<T> {
    const slot = given ?? enter()
    try {
      return await limit(async () => {
        const began = performance.now()
        try {
          return await work()
        } finally {
          hashMs += (performance.now() - began - hashMs) * newestShare
        }
      })
    } finally {
      if (given === undefined) slot.leave()
    }
  }

  return {
    enter,
    hash: (text, slot) => inTurn(slot, async () => (await argon()).hash(normal(text), cost)),
    verify: (hash, text, slot) => inTurn(slot, async () => (await argon()).verify(hash ?? nobody, normal(text))),
  }
}
