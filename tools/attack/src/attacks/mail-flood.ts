/** Nobody's mailbox is flooded, and nobody is kept out of their own codes by a stranger who asks for them. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Attack, atMost, check, happens } from '../attack.ts'
import { statuses } from '../rest.ts'
import { codeOf } from '../totp.ts'
import type { Person, Stand } from '../stand.ts'

const password = 'correct horse battery'
/** Mails about one account within seconds, however many reasons there were. */
const noticesMax = 5
/** Codes that an address is sent in an hour, for strangers all together, with some room. */
const codesMax = 12
/** By then a worker has sent what it will send. */
const settleMs = 1_500

export const mailFlood: Attack = {
  name: 'mail-flood',
  by: 'somebody with an account',
  tries: 'to flood a mailbox with notices, and to use up the codes of somebody else’s address',
  async run(stand) {
    return (await Promise.all([floodWithNotices(stand), keepOwnerOut(stand)])).flat()
  },
}

/** New recovery codes again and again: each is told by mail. */
async function floodWithNotices(stand: Stand) {
  const person = await stand.register('mallory', password)
  const address = 'mallory@example.org'
  await giveAddress(stand, person, address)
  const as = () => ({ token: person.token(), from: person.from })
  const begun = await stand.must('POST /v1/me/totp', as())
  await stand.must('POST /v1/me/totp/confirm', { ...as(), body: { code: codeOf(begun.body.secret as string) } })
  const rounds = stand.size(16, 120)
  const answers = []
  for (let round = 0; round < rounds; round++) answers.push(await stand.call('POST /v1/me/recovery-codes', as()))
  await pause(settleMs)
  const mails = mailsTo(stand, address)
  return [atMost(`mails after ${rounds} changes of an account`, noticesMax, mails), saw(statuses(answers))]
}

const saw = (counts: Record<number, number>) =>
  check(
    'the changes were answered or told to come back',
    Object.keys(counts).every(status => Number(status) < 500),
    counts,
  )

/** A stranger asks for codes for an address from several of their own; then its owner asks. */
async function keepOwnerOut(stand: Stand) {
  const address = 'owner@example.org'
  const owner = (await stand.people(1))[0]!
  await giveAddress(stand, owner, address)
  const ask = (from: string) => stand.call('POST /v1/codes', { from, body: { email: address, purpose: 'sign-in' } })
  const strangers = Array.from({ length: 4 }, () => stand.address())
  for (const from of strangers) for (let nth = 0; nth < 5; nth++) await ask(from)
  await pause(settleMs)
  const before = mailsTo(stand, address)
  const answer = await ask(owner.from)
  const arrived = await happens(() => mailsTo(stand, address) > before, {
    what: 'the code of the owner arrives',
    withinMs: 5_000,
  })
  return [
    atMost('mails to an address that strangers ask codes for', codesMax, before),
    check('its owner is told nothing else than before', answer.status === 202, answer.status),
    check('the owner gets a code', arrived, arrived ? 'it came' : 'none came'),
  ]
}

const giveAddress = (stand: Stand, { user }: Pick<Person, 'user'>, address: string) =>
  stand.pool.query('UPDATE users SET email = $2 WHERE id = $1', [user, address])

const mailsTo = (stand: Stand, address: string) =>
  stand.mails.filter(mail => new RegExp(`^to:.*${address}`, 'im').test(mail)).length
