/** Guesses at a password are counted by account, whatever addresses they come from, and their owner learns of them. */
import { type Attack, check, happens, inBatches, none } from '../attack.ts'
import { serverErrors, statuses } from '../rest.ts'

const password = 'correct horse battery'
/** Of each address: fewer than what one address is refused after. */
const perAddress = 10
const alarming = /fail|guess|wrong|attempt|tries|tried|unfamiliar|suspicious/i

export const passwordGuessing: Attack = {
  name: 'password-guessing',
  by: 'an outsider',
  tries: 'hundreds of wrong passwords from many addresses, and then the right one',
  async run(stand) {
    const owner = await stand.register('victim', password)
    const address = 'victim@example.org'
    await stand.pool.query('UPDATE users SET email = $2 WHERE id = $1', [owner.user, address])
    const signIn = (guess: string, from: string, more = {}) =>
      stand.call('POST /v1/sessions', { from, body: { username: 'victim', password: guess, ...more } })
    const guesses = stand.size(40, 600)
    const addresses = Array.from({ length: guesses / perAddress }, () => stand.address())
    const answers = await inBatches(
      addresses.flatMap(from =>
        Array.from({ length: perAddress }, (_, nth) => ({ from, guess: `a wrong guess ${nth}` })),
      ),
      perAddress,
      ({ from, guess }) => signIn(guess, from),
    )
    const right = await signIn(password, stand.address())
    const own = await signIn(password, owner.from, owner.device === undefined ? {} : { device: owner.device })
    const told = await happens(() => stand.mails.some(mail => mail.includes(address) && alarming.test(mail)), {
      what: 'the owner is told',
      withinMs: 5_000,
    })
    const events = await stand.must('GET /v1/me/security-events?limit=100', { token: owner.token(), from: owner.from })
    const noted = (events.body.events as { kind: string }[]).filter(({ kind }) => alarming.test(kind))
    return [
      none(
        'a guess is answered or told to come back, never with a fault',
        serverErrors(answers).filter(({ body }) => body.error?.retryMs === undefined),
      ),
      check(
        'guesses are told to come back, although each address is below its limit',
        answers.some(({ status }) => status === 429),
        statuses(answers),
      ),
      check('the owner signs in meanwhile, from where they always do', own.status < 300, own.status),
      check('the trail of the account tells of them', noted.length > 0, `${noted.length} lines`),
      check('the owner is told by mail', told, `the right one was answered with ${right.status}`),
    ]
  },
}
