/** A deployment that takes nobody, and one whose operators' port is nobody else's. */
import { connect } from 'node:net'
import { platform } from 'node:os'
import { type Attack, check, none } from '../attack.ts'
import { createCall } from '../rest.ts'

const password = 'correct horse battery'

export const closedRegistration: Attack = {
  name: 'closed-registration',
  by: 'an outsider',
  tries: 'to register where registration is closed, and to read the figures of operators from elsewhere',
  async run(stand) {
    const settings = { ...stand.settings, REGISTRATION: 'closed', OPERATOR_HOST: undefined }
    const closed = await stand.startPart('api', settings)
    stand.afterwards(() => closed.end())
    const call = createCall(closed.url)
    const from = stand.address()
    const answers = [
      await call('POST /v1/users', { from, body: { username: 'newcomer', password } }),
      await call('POST /v1/users/with-passkey/options', { from, body: { username: 'newcomer' } }),
    ]
    const isOpen = await reaches(closed.operatorPort)
    return [
      none(
        'ways in that are open',
        answers.filter(({ status }) => status < 400 || status >= 500).map(({ status }) => status),
      ),
      check('the port of operators listens on this machine alone, unless it is told otherwise', !isOpen, isOpen),
    ]
  },
}

/** By another address of this machine: only who listens on all of them is there. */
function reaches(port: number): Promise<boolean> {
  if (platform() !== 'linux') return Promise.resolve(false)
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.2', () => resolve(true))
    socket.on('connect', () => socket.destroy())
    socket.on('error', () => resolve(false))
  })
}
