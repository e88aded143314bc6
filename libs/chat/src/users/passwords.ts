/**
 * Passwords: which are good enough, and their hashes (argon2id). A hash takes a core for some 30 ms and 19 MiB, on the
 * threads that DNS and files need too: few run at once, a bounded queue waits, and more are told to come back.
 */
import { Refusal } from '@flotilla/protocol'
import { hash as argonHash, verify as argonVerify } from '@node-rs/argon2'
import { commonPasswords } from './common-passwords.ts'

export interface Passwords {
  /** @throws Refusal overloaded */
  hash(text: string): Promise<string>
  /**
   * @param hash undefined when there is no such person: it takes as long, and answers false
   * @throws Refusal overloaded
   */
  verify(hash: string | undefined, text: string): Promise<boolean>
}

export interface PasswordsOptions {
  readonly passwordHashesMax: number
  readonly passwordQueueMax: number
}

/** OWASP's first choice. argon2id is the library's default; its enum cannot be imported under isolatedModules. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a password that nobody knows, at the same cost: time must not tell whether a person exists. */
const nobody = '$argon2id$v=19$m=19456,t=2,p=1$gSdNIEdoAjO4aDOAJ0h63Q$5WDum47l8+Game1UEx8Q7+73ISNXsFWTMGIQ9fyTjZk'

const lengthMin = 8
const lengthMax = 200
const overloadRetryMs = 1_000

/** One spelling for what keyboards and systems compose differently. */
const normal = (text: string) => text.normalize('NFKC')

/** @throws Refusal password_weak, which names the rule */
export function checkPassword(text: string): void {
  const refuse = (rule: string) => new Refusal('password_weak', undefined, { field: 'password', rule })
  const length = Array.from(normal(text)).length
  if (length < lengthMin) throw refuse(`minLength ${lengthMin}`)
  if (length > lengthMax) throw refuse(`maxLength ${lengthMax}`)
  if (commonPasswords.has(normal(text).toLowerCase())) throw refuse('not among the commonest')
}

export function createPasswords(options: PasswordsOptions): Passwords {
  const waiting: (() => void)[] = []
  let underWay = 0

  /** A place that gets free goes straight to the first who waits, so that nobody can slip in between. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (underWay < options.passwordHashesMax) underWay++
    else if (waiting.length < options.passwordQueueMax) await new Promise<void>(resolve => waiting.push(resolve))
    else throw new Refusal('overloaded', 'unable to look at the password: too many wait', { retryMs: overloadRetryMs })
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) underWay--
      else next()
    }
  }

  return {
    hash: text => inTurn(() => argonHash(normal(text), cost)),
    verify: (hash, text) => inTurn(() => argonVerify(hash ?? nobody, normal(text))),
  }
}
