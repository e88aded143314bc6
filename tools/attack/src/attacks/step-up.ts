/** A password alone is not enough to reauthenticate where the account has a second factor. */
import { type Attack, check } from '../attack.ts'
import { codeOf } from '../totp.ts'

const password = 'correct horse battery'

export const stepUp: Attack = {
  name: 'step-up',
  by: 'somebody who knows a password',
  tries: 'to turn off the authenticator app, and to export all data, by a password and a session that lies open',
  async run(stand) {
    const person = await stand.register('careful', password)
    const as = () => ({ token: person.token(), from: person.from })
    const begun = await stand.must('POST /v1/me/totp', as())
    const code = codeOf(begun.body.secret as string)
    await stand.must('POST /v1/me/totp/confirm', { ...as(), body: { code } })
    // The session lies open for an hour: the last sign-in is stale.
    await stand.pool.query(`UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1`, [person.session])
    const again = await stand.call('POST /v1/sessions/current/reauthentication', {
      ...as(),
      body: { factor: 'password', password },
    })
    const removal = await stand.call('DELETE /v1/me/totp', as())
    const archive = await stand.call('GET /v1/me/export', as())
    const factors = await stand.must('GET /v1/me/factors', as())
    const operator = await stand.call('GET /v1/operator/reports', as())
    const isRefused = (status: number) => status === 401 || status === 403
    return [
      check('the app stays on', factors.body.totp === true && isRefused(removal.status), {
        reauthentication: again.status,
        removal: removal.status,
      }),
      check('nothing is exported', isRefused(archive.status), archive.status),
      check('the routes of operators are closed', isRefused(operator.status), operator.status),
    ]
  },
}
