/** The way to the socket: where to connect, and the ticket that lets in. */
import { Type } from 'typebox'
import { Epoch } from '../fields.ts'
import { answered, closed, listOf, named } from './fields.ts'
import { routes } from './route.ts'

export const ConnectAnswer = named(
  'Connect',
  Type.Object(
    {
      urls: listOf(Type.Object({ url: Type.String(), region: Type.String() }, closed), {
        minItems: 1,
        description: 'Where to open the socket: the best first, the rest to fall back to.',
      }),
      ticket: Type.String({ description: 'For `?ticket=` of one socket, once.' }),
      ticketExpiresInMs: Type.Integer({ minimum: 1 }),
      protocol: Type.Integer({ minimum: 1, description: 'The version of the socket protocol that is spoken here.' }),
      epoch: Epoch,
    },
    closed,
  ),
)
export type ConnectAnswer = Type.Static<typeof ConnectAnswer>

export const connect = routes('connect', 'session', {
  connect: {
    at: 'GET /v1/connect',
    summary: 'Ask where to open a socket',
    description: 'Open `${url}?ticket=${ticket}&v=${protocol}`. A ticket is good once, and not for long.',
    answers: { 200: answered('The gateways, the best first, and a ticket.', ConnectAnswer) },
  },
})
