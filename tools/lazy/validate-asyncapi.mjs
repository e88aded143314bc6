/** Holds an AsyncAPI document against the specification: node validate-asyncapi.mjs FILE */
import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'

const file = process.argv[2] ?? ''
const { diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'))
for (const { message, path } of diagnostics) console.error(`${file}: ${path.join('.')}: ${message}`)
process.exitCode = diagnostics.length === 0 ? 0 : 1
