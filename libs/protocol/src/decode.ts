/**
 * Bytes in, command out. Whatever a client sends ends here in a checked command or in a Refusal that names the field
 * and the rule. One compiled check a frame (about 20 ns); the errors are worked out only for frames that failed it.
 */
import { Compile } from 'typebox/compile'
import { Refusal } from './errors.ts'
import { limits } from './limits.ts'
import { type Command, type Op, up } from './up.ts'

const checks = new Map(Object.values(up).map(declared => [declared.op as string, Compile(declared.schema)]))

/** A frame that was refused, with what could be made out of it, so that the refusal finds its way to the caller. */
export interface Undecodable {
  readonly id?: number
  readonly op?: string
  readonly refusal: Refusal
}

/**
 * Decodes one text frame.
 * @param text the frame, already checked to be UTF-8 (uWebSockets.js and browsers do)
 * @returns the command, or why it is none. `frame_malformed` means that the connection should be closed.
 */
export function decodeCommand(text: string): Command | Undecodable {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { refusal: new Refusal('frame_malformed', 'unable to decode the frame: not JSON') }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { refusal: new Refusal('frame_malformed', 'unable to decode the frame: not a JSON object') }
  const frame = value as Record<string, unknown>
  const op = frame['op']
  const check = typeof op === 'string' ? checks.get(op) : undefined
  if (check?.Check(frame)) {
    if (op === 'message.send') {
      const refusal = refuseData((frame as unknown as { body: { data?: unknown } }).body.data)
      if (refusal !== undefined) return { id: frame['id'] as number, op, refusal }
    }
    return frame as unknown as Command
  }
  const id = frame['id']
  const known = {
    ...(Number.isInteger(id) && (id as number) >= 0 && (id as number) <= limits.commandIdMax
      ? { id: id as number }
      : {}),
    ...(typeof op === 'string' ? { op: op.slice(0, 64) } : {}),
  }
  if (typeof op !== 'string')
    return {
      ...known,
      refusal: new Refusal('field_invalid', 'op must be a string', { field: 'op', rule: 'type string' }),
    }
  if (check === undefined)
    return {
      ...known,
      refusal: new Refusal('op_unknown', `there is no operation ${JSON.stringify(op.slice(0, 64))}`, { field: 'op' }),
    }
  return { ...known, refusal: explain(check.Errors(frame)) }
}

/** Whether decodeCommand returned a refusal. */
export function isUndecodable(decoded: Command | Undecodable): decoded is Undecodable {
  return 'refusal' in decoded
}

/** One finding of a schema check, as typebox and Fastify's validator both report it. */
export interface Finding {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message?: string
}

/**
 * Turns the findings of a schema check into the refusal that a client sees: the field, dotted, and the rule. Of several
 * findings at one place the one that says most is taken.
 */
export function explain(findings: readonly Finding[]): Refusal {
  const first = findings[0]
  if (first === undefined) return new Refusal('field_invalid')
  const here = findings.filter(one => one.instancePath === first.instancePath)
  const choices = here.flatMap(one => ('allowedValue' in one.params ? [one.params.allowedValue] : []))
  if (choices.length > 1) return fieldInvalid(first.instancePath, undefined, `one of ${choices.join(', ')}`)
  const unknown = first.keyword === 'boolean' ? findings.find(one => one.keyword === 'additionalProperties') : undefined
  return explainOne(unknown ?? first)
}

function explainOne({ keyword, instancePath, params, message }: Finding): Refusal {
  const given = params as Record<string, unknown>
  const listed = given['requiredProperties'] ?? given['additionalProperties']
  if (Array.isArray(listed))
    return fieldInvalid(instancePath, String(listed[0]), keyword === 'required' ? 'required' : 'not a known field')
  const value = given['limit'] ?? given['type'] ?? given['pattern'] ?? given['format'] ?? given['allowedValue']
  const rule = value === undefined ? keyword : `${keyword} ${typeof value === 'string' ? value : JSON.stringify(value)}`
  return fieldInvalid(instancePath, undefined, rule, message)
}

function fieldInvalid(instancePath: string, child: string | undefined, rule: string, message = rule): Refusal {
  const path = instancePath.split('/').filter(part => part !== '')
  const field = [...path, ...(child === undefined ? [] : [child])].join('.').slice(0, 128)
  return new Refusal('field_invalid', `${field === '' ? 'the request' : field}: ${message}`, { field, rule })
}

/** The rules for an application's own data that a schema cannot say: how deep and how large. */
export function refuseData(data: unknown): Refusal | undefined {
  if (data === undefined) return undefined
  if (depthBeyond(data, limits.dataDepthMax))
    return new Refusal('data_too_deep', `body.data nests deeper than ${limits.dataDepthMax}`, {
      field: 'body.data',
      rule: `depth ${limits.dataDepthMax}`,
    })
  if (JSON.stringify(data).length > limits.dataBytesMax)
    return new Refusal('field_invalid', `body.data is larger than ${limits.dataBytesMax} bytes`, {
      field: 'body.data',
      rule: `maxBytes ${limits.dataBytesMax}`,
    })
  return undefined
}

/** Goes at most one level beyond the limit, so that a hostile nesting cannot exhaust the stack. */
function depthBeyond(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (left === 0) return true
  for (const child of Object.values(value)) if (depthBeyond(child, left - 1)) return true
  return false
}

/** The operation names, for tables that must name every one. */
export const ops = Object.keys(up) as Op[]
