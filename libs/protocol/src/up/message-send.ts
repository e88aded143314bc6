import { Type } from 'typebox'
import { At, Body, Epoch, Seq, Uuid } from '../fields.ts'
import { command } from '../message.ts'

export const messageSend = command(
  'message.send',
  'Posts a message. The reply leaves after the commit. Repeated with the same clientId, it is answered with the first result.',
  { conversation: Uuid, clientId: Uuid, body: Body, replyTo: Type.Optional(Seq) },
  Type.Object({ seq: Seq, at: At, epoch: Epoch }, { additionalProperties: false }),
)
