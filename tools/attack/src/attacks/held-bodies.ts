/** Requests whose body never comes take no seats from those whose does. */
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type Attack, none } from '../attack.ts'
import { statuses } from '../rest.ts'
import type { Person, Stand } from '../stand.ts'

/** From two addresses, each: together more than the API answers at once. */
const heldPerAddress = 590
const others = 20

export const heldBodies: Attack = {
  name: 'held-bodies',
  by: 'an outsider',
  tries: 'to take all seats of the API with requests whose body never comes, from two addresses',
  isFlood: true,
  async run(stand, begins) {
    const people = await stand.people(others)
    await begins()
    const sockets = await Promise.all(
      [stand.address(), stand.address()].flatMap(from =>
        Array.from({ length: heldPerAddress }, () => holdBody(stand, from)),
      ),
    )
    stand.afterwards(() => {
      for (const socket of sockets) socket.destroy()
    })
    await pause(300)
    const rounds = stand.size(1, 20)
    const answers = []
    for (let round = 0; round < rounds; round++) {
      answers.push(...(await Promise.all(people.map(person => askAs(stand, person)))))
      if (stand.isLong) await pause(1_000)
    }
    const refused = answers.filter(({ status }) => status !== 200)
    return [
      none(
        `requests of others that are refused meanwhile, of ${answers.length}`,
        refused.length === 0 ? [] : [statuses(refused)],
      ),
    ]
  },
}

const askAs = (stand: Stand, person: Person) => stand.call('GET /v1/me', { token: person.token(), from: person.from })

/** Sends the headers of a sign-in, and nothing more. */
function holdBody(stand: Stand, from: string): Promise<Socket> {
  const { hostname, port } = new URL(stand.api)
  const head = [
    'POST /v1/sessions HTTP/1.1',
    `host: ${hostname}`,
    'content-type: application/json',
    'content-length: 100',
    `x-forwarded-for: ${from}`,
  ]
  return new Promise(resolve => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
      resolve(socket)
    })
    socket.on('error', () => resolve(socket))
    socket.resume()
  })
}
