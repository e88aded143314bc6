/**
 * How a command, an event and a kind of entry are declared: one value carries the schema, the name and the sentence for the
 * docs.
 */
import { Type } from 'typebox'
import { At, Epoch, Seq, Uuid } from './fields.ts'
import { limits } from './limits.ts'

const CommandId = Type.Integer({
  minimum: 0,
  maximum: limits.commandIdMax,
  description: 'Chosen by the client and repeated in the reply.',
})

/**
 * A command: `{id, op, ...fields}`, answered by `{id, ok}` or `{id, error}`.
 * @param quiet whether the id may be left out; then nothing is answered unless it fails, and that as an `error` event.
 */
export function command<const Op extends string, Fields extends Type.TProperties, Reply extends Type.TSchema>(
  op: Op,
  description: string,
  fields: Fields,
  reply: Reply,
) {
  const schema = Type.Object(
    { id: CommandId, op: Type.Literal(op), ...fields },
    { additionalProperties: false, description },
  )
  return { op, description, quiet: false as const, schema, reply }
}

/** A command that may come without an id: then it is answered only by an `error` event, and only when it fails. */
export function quietCommand<const Op extends string, Fields extends Type.TProperties, Reply extends Type.TSchema>(
  op: Op,
  description: string,
  fields: Fields,
  reply: Reply,
) {
  const schema = Type.Object(
    { id: Type.Optional(CommandId), op: Type.Literal(op), ...fields },
    { additionalProperties: false, description },
  )
  return { op, description, quiet: true as const, schema, reply }
}

/**
 * What becomes of an event that cannot be delivered, or whose reader is slow. Its class is part of each event's declaration,
 * and everything on its way goes by it.
 */
export const deliveryClasses = {
  entry:
    'Has a seq in a log. A loss leaves a gap and is healed; a client that reads too slowly is disconnected and resumes.',
  signal: 'Reports a change outside the logs. It arrives, or `refresh` follows: reload the state that signals report.',
  ephemeral: 'Soon out of date or superseded. May be dropped silently.',
  control: 'Addressed to one connection. Not dropped while the connection lasts.',
} as const
export type DeliveryClass = keyof typeof deliveryClasses

/** Events of one class: `{event, ...fields}`, never answered. */
const eventsOf =
  <const Class extends DeliveryClass>(delivery: Class) =>
  <const Name extends string, Fields extends Type.TProperties>(name: Name, description: string, fields: Fields) => {
    const schema = Type.Object({ event: Type.Literal(name), ...fields }, { additionalProperties: false, description })
    return { name, delivery, description, schema }
  }

const entryEvent = eventsOf('entry')
export const signal = eventsOf('signal')
export const ephemeral = eventsOf('ephemeral')
export const control = eventsOf('control')

/** Where an entry stands, when that was, and who did it. */
const place = { conversation: Uuid, seq: Seq, epoch: Epoch, at: At, by: Uuid }

/** Where the entry that a command made came to stand. */
export const Ack = Type.Object(
  {
    seq: Seq,
    at: At,
    epoch: Epoch,
    entry: Type.Optional(
      Type.Union([Type.Object({ event: Type.String(), ...place }, { additionalProperties: true }), Type.Null()], {
        description:
          'The entry, if it holds more than the command, or if the command made none: then it is the earlier entry with the same effect, possibly by another user. Null if there is none: then the reply holds the head of the log.',
      }),
    ),
  },
  { additionalProperties: false },
)

/**
 * A kind of entry: an event that takes a seq in the log of a conversation.
 * @param number of the kind in the store, for ever: none is changed or given twice
 */
export function entry<const Name extends string, Fields extends Type.TProperties>(
  name: Name,
  number: number,
  description: string,
  fields: Fields,
) {
  return { number, ...entryEvent(name, description, { ...place, ...fields }) }
}

/**
 * A kind of entry that a command makes, once, however often the command is repeated with its `clientId`. The reply says
 * where the entry came to stand, and the entry bears the `clientId`.
 */
export function entryByCommand<
  const Name extends string,
  Fields extends Type.TProperties,
  const Op extends string,
  CommandFields extends Type.TProperties,
>(
  name: Name,
  number: number,
  description: string,
  fields: Fields,
  by: { readonly op: Op; readonly description: string; readonly fields: CommandFields },
) {
  return {
    ...entry(name, number, description, { clientId: Uuid, ...fields }),
    command: command(by.op, by.description, { conversation: Uuid, clientId: Uuid, ...by.fields }, Ack),
  }
}

/** Another command that makes an entry of a kind, under the same promises. */
export function alsoMakes<const Name extends string, const Op extends string, CommandFields extends Type.TProperties>(
  kind: { readonly name: Name },
  by: { readonly op: Op; readonly description: string; readonly fields: CommandFields },
) {
  return {
    makes: kind.name,
    command: command(by.op, by.description, { conversation: Uuid, clientId: Uuid, ...by.fields }, Ack),
  }
}

export const Nothing = Type.Object({}, { additionalProperties: false })
