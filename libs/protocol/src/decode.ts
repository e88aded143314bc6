/**
 * Bytes in, command out. Whatever a client sends ends here in a checked command or in a Refusal that names the field
 * and the rule. One compiled check a frame (about 20 ns); the errors are worked out only for frames that failed it.
 */
import type { TLiteral, TObject, TSchema, TUnion } from 'typebox'
import { Compile } from 'typebox/compile'
import { Errors } from 'typebox/value'
import { Refusal } from './errors.ts'
import { mayBeIllFormed, refuseSource } from './json.ts'
import { limits } from './limits.ts'
import { cutText, fieldOf } from './text.ts'
import { type Command, type Op, up } from './up.ts'

const checks = new Map(Object.values(up).map(declared => [declared.op as string, refusalBy(declared.schema)]))

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
  const refusal = refuseFrame(text, frame)
  if (refusal === undefined) return frame as unknown as Command
  const { id, op } = frame
  return {
    ...(Number.isInteger(id) && (id as number) >= 0 && (id as number) <= limits.commandIdMax
      ? { id: id as number }
      : {}),
    ...(typeof op === 'string' ? { op: shown(op) } : {}),
    refusal,
  }
}

const opLengthMax = 64
const shown = (op: string) => cutText(op, { graphemesMax: opLengthMax })

function refuseFrame(text: string, frame: Record<string, unknown>): Refusal | undefined {
  const { op, body } = frame
  if (typeof op !== 'string')
    return new Refusal('field_invalid', 'op must be a string', { field: 'op', rule: 'type string' })
  const check = checks.get(op)
  if (check === undefined)
    return new Refusal('op_unknown', `unknown operation ${JSON.stringify(shown(op))}`, { field: 'op' })
  const refusal = check(frame)
  if (refusal !== undefined) return refusal
  // The look costs as much as the parsing. It is needed where a schema lets anything through: an application's own data.
  const hasData = typeof body === 'object' && body !== null && 'data' in body
  return hasData || mayBeIllFormed(text) ? refuseSource(text) : undefined
}

/** Whether decodeCommand returned a refusal. */
export function isUndecodable(decoded: Command | Undecodable): decoded is Undecodable {
  return 'refusal' in decoded
}

/** One finding of a schema check. */
interface Finding {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message?: string
}

/**
 * A check by a schema, compiled.
 * @returns of a value: why it does not fit, if it does not
 */
export function refusalBy(schema: TSchema): (value: unknown) => Refusal | undefined {
  const compiled = Compile(schema)
  return value => (compiled.Check(value) ? undefined : (refuseByType(schema, value) ?? explain(compiled.Errors(value))))
}

/** A schema of several types of content, which `type` tells apart. One may be what goes without. */
type Kinds = TUnion<TObject[]>
const typesOf = ({ anyOf }: Kinds) => new Map(anyOf.map(one => [(one.properties['type'] as TLiteral).const, one]))
const isKinds = (schema: TSchema): schema is Kinds =>
  'anyOf' in schema && (schema as Kinds).anyOf.every(one => 'const' in (one.properties?.['type'] ?? {}))

/**
 * A body that comes in several types is held against the one that it says it is: what is wrong with it as another says
 * nothing. This is for values that do not fit, and so takes its time.
 */
function refuseByType(schema: TSchema, value: unknown): Refusal | undefined {
  for (const [field, inner] of Object.entries((schema as TObject).properties ?? {})) {
    const given = (value as Record<string, unknown> | null)?.[field]
    if (!isKinds(inner) || typeof given !== 'object' || given === null || Array.isArray(given)) continue
    const types = typesOf(inner)
    const { type } = given as { type?: unknown }
    const meant =
      type === undefined ? inner.anyOf.find(one => !one.required.includes('type')) : types.get(type as string)
    if (meant === undefined) return fieldInvalid(`/${field}`, 'type', `one of ${[...types.keys()].join(', ')}`)
    const findings = Errors(meant, given)
    if (findings.length > 0)
      return explain(findings.map(one => ({ ...one, instancePath: `/${field}${one.instancePath}` })))
  }
  return undefined
}

/**
 * Turns the findings of a schema check into the refusal that a client sees: the field, dotted, and the rule. Of several
 * findings at one place the one that says most is taken.
 */
function explain(findings: readonly Finding[]): Refusal {
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
  const field = fieldOf([...path, ...(child === undefined ? [] : [child])])
  return new Refusal('field_invalid', `${field === '' ? 'the request' : field}: ${message}`, { field, rule })
}

/** The operation names, for tables that must name every one. */
export const ops = Object.keys(up) as Op[]
