/** How to open a socket: where to connect, and the ticket to present. */
import { Type } from 'typebox'
import { Emoji, Epoch } from '../fields.ts'
import { answered, closed, listOf, named } from './fields.ts'
import { routes } from './route.ts'

export const ConnectAnswer = named(
  'Connect',
  Type.Object(
    {
      urls: listOf(Type.Object({ url: Type.String(), region: Type.String() }, closed), {
        minItems: 1,
        description: 'Where to open the socket: the best first, then fallbacks.',
      }),
      ticket: Type.String({ description: 'Pass it as `?ticket=`. Valid once.' }),
      ticketExpiresInMs: Type.Integer({ minimum: 1 }),
      protocol: Type.Integer({ minimum: 1, description: 'The socket protocol version.' }),
      epoch: Epoch,
      reactionEmojis: Type.Optional(
        listOf(Emoji, { description: 'With what people may react here. Left out where any emoji will do.' }),
      ),
    },
    closed,
  ),
)
export type ConnectAnswer = Type.Static<typeof ConnectAnswer>

export const connect = routes('connect', 'session', {
  connect: {
    at: 'GET /v1/connect',
    summary: 'Get socket URLs and a ticket',
    description: 'Open `${url}?ticket=${ticket}&v=${protocol}`. A ticket is short-lived and valid once.',
    answers: { 200: answered('The gateways, best first, and a ticket.', ConnectAnswer) },
  },
})
