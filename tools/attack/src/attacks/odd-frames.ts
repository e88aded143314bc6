/** Frames that no browser sends, byte by byte: a node refuses them, and closes. */
import { randomBytes, randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { makeConversation, type TestSocket } from '@flotilla/testing'
import { type Attack, check } from '../attack.ts'
import type { Person, Stand } from '../stand.ts'

const endsWithinMs = 5_000
const listenMs = 1_000

export const oddFrames: Attack = {
  name: 'odd-frames',
  by: 'somebody with an account',
  tries: 'frames without a mask, with reserved bits, of no UTF-8, of another version, and data that poisons prototypes',
  async run(stand) {
    const [person, other] = (await stand.people(2)) as [Person, Person]
    const ping = Buffer.from('{"id":1,"op":"ping"}')
    const ended = await Promise.all([
      isTakenForNothing(stand, person, frameOf(0x81, ping, false)),
      endsAfter(stand, person, 'a frame with reserved bits', frameOf(0xf1, ping, true)),
      endsAfter(stand, person, 'a frame of an unknown kind', frameOf(0x83, ping, true)),
      endsAfter(stand, person, 'text that is no UTF-8', frameOf(0x81, Buffer.from([0xff, 0xfe, 0xc0]), true)),
      endsAfter(stand, person, 'a control frame that is too long', frameOf(0x89, randomBytes(126), true)),
    ])
    const version = await upgrade(stand, person, { 'sec-websocket-version': '8' })
    version.socket.destroy()

    const conversation = await makeConversation(stand.pool, [person.user, other.user], 'direct')
    const socket = await stand.socket(person, 0)
    const command = { op: 'message.send', conversation, clientId: randomUUID() }
    const answers = [
      await answerTo(socket, 1, `${open(command, 1)},"body":{"text":"x","data":{"__proto__":{"admin":true}}}}`),
      await answerTo(socket, 2, `${open(command, 2)},"body":{"text":"x"},"__proto__":{"admin":true}}`),
    ]
    return [
      ...ended,
      check(
        'another version of the WebSocket is not spoken',
        !version.head.includes(' 101 '),
        version.head.split('\r')[0],
      ),
      check('data with a key __proto__ is refused', answers[0] === 'refused', answers[0]),
      check('a command with a key __proto__ is refused', answers[1] === 'refused', answers[1]),
    ]
  },
}

const open = (command: object, id: number) => JSON.stringify({ id, ...command }).slice(0, -1)

async function answerTo(socket: TestSocket, id: number, text: string): Promise<string> {
  await socket.sendRaw(text)
  const reply = await socket.nextReply(id).catch((error: unknown) => String(error))
  return typeof reply === 'string' ? reply : 'error' in reply ? 'refused' : 'taken'
}

/** The library passes over the missing mask, and unmasks with bytes of the frame: no command comes of it. */
async function isTakenForNothing(stand: Stand, person: Person, frame: Buffer) {
  const { socket, closed, heard } = await upgrade(stand, person, {})
  socket.write(frame)
  await Promise.race([closed, pause(listenMs)])
  socket.destroy()
  const isAnswered = heard().includes('"id":1')
  return check('a frame without a mask is no command', !isAnswered, isAnswered ? 'it is answered' : 'no answer')
}

/** Whether a node ends the connection after such a frame. */
async function endsAfter(stand: Stand, person: Person, what: string, frame: Buffer) {
  const { socket, closed } = await upgrade(stand, person, {})
  socket.write(frame)
  const ended = await Promise.race([closed, pause(endsWithinMs)])
  socket.destroy()
  return check(`${what} ends the connection`, ended !== undefined, ended ?? 'it stays open')
}

/** One frame of fewer than 126 bytes, or of a length that it says in two bytes. */
function frameOf(first: number, payload: Buffer, isMasked: boolean): Buffer {
  const flag = isMasked ? 0x80 : 0
  const length =
    payload.length < 126 ? [flag | payload.length] : [flag | 126, payload.length >> 8, payload.length & 0xff]
  const mask = isMasked ? randomBytes(4) : Buffer.alloc(0)
  const body = isMasked ? Buffer.from(payload.map((byte, nth) => byte ^ mask[nth % 4]!)) : payload
  return Buffer.concat([Buffer.from([first, ...length]), mask, body])
}

/** A WebSocket by hand. Resolves with the head of the answer, and when the first frame has come if it was an upgrade. */
async function upgrade(
  stand: Stand,
  { user, session, from }: Person,
  headers: Readonly<Record<string, string>>,
): Promise<{ socket: Socket; head: string; closed: Promise<string>; heard(): string }> {
  const { hostname, port } = new URL(stand.gateways[0]!.directUrl)
  const socket = connect(Number(port), hostname)
  stand.afterwards(() => socket.destroy())
  const given = {
    host: hostname,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-version': '13',
    'x-forwarded-for': from,
    ...headers,
  }
  const query = `ticket=${encodeURIComponent(stand.fleet.ticket(user, session))}&v=1`
  socket.write(
    `GET /v1/socket?${query} HTTP/1.1\r\n${Object.entries(given)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  )
  let heard = ''
  const closed = new Promise<string>(resolve => {
    socket.on('error', () => {})
    socket.on('close', () => resolve('closed'))
  })
  const answered = new Promise<void>(resolve => {
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1')
      if (heard.includes('"hello"') || !heard.startsWith('HTTP/1.1 101')) resolve()
    })
  })
  await Promise.race([answered, closed, pause(endsWithinMs)])
  return { socket, head: heard.split('\r\n\r\n')[0] ?? '', closed, heard: () => heard }
}
