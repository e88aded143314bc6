import { Type } from 'typebox'
import { type ErrorBody, type ErrorCode, errors } from '../errors.ts'
import { At } from '../fields.ts'
import { control } from '../message.ts'

/** The schema of ErrorBody. */
export const ErrorSchema = Type.Object(
  {
    code: Type.Union((Object.keys(errors) as ErrorCode[]).map(code => Type.Literal(code))),
    message: Type.String(),
    retryMs: Type.Optional(Type.Integer({ minimum: 0 })),
    field: Type.Optional(Type.String()),
    rule: Type.Optional(Type.String()),
    until: Type.Optional(At),
  },
  { additionalProperties: false },
)

export const errorEvent = control('error', 'A frame failed that cannot be answered by id.', {
  op: Type.Optional(Type.String()),
  error: Type.Unsafe<ErrorBody>(ErrorSchema),
})
