/** How a command and an event are declared: one value carries the schema, the name and the sentence for the docs. */
import { Type } from 'typebox'
import { limits } from './limits.ts'

export const CommandId = Type.Integer({
  minimum: 0,
  maximum: limits.commandIdMax,
  description: 'Chosen by the client; the reply repeats it.',
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

/** An event: `{event, ...fields}`, never answered. */
export function event<const Name extends string, Fields extends Type.TProperties>(
  name: Name,
  description: string,
  fields: Fields,
) {
  const schema = Type.Object({ event: Type.Literal(name), ...fields }, { additionalProperties: false, description })
  return { name, description, schema }
}

export const Nothing = Type.Object({}, { additionalProperties: false })
