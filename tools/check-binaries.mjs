/**
 * Native programs that others repacked: each file that is installed must be the one whose SHA-256 stands in binaries.json.
 * `npm run check:binaries`; CI runs it by a test, the image of the gateway while it is built.
 *
 * With `--upstream FOLDER` the pins of uWebSockets.js are held against a release of its own makers, unpacked there:
 * `git clone --depth 1 --branch v20.49.0 https://github.com/uNetworking/uWebSockets.js FOLDER`.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    upstream: { type: 'string' },
  },
})
const pins = JSON.parse(readFileSync(new URL('binaries.json', import.meta.url), 'utf8'))
const digest = file => createHash('sha256').update(readFileSync(file)).digest('hex')
const isProgram = file => /\.(node|so|dylib|dll|exe|wasm)$/.test(file) || basename(file) === 'node'
const faults = []
let checked = 0

/** What is not installed here, such as another platform's, is passed over. */
function checkInstalled({ folder, package: name, version, sha256 }) {
  const home = join(values.root, 'node_modules', folder)
  if (!existsSync(home)) return
  const installed = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  if (installed.name !== name || installed.version !== version) {
    faults.push(
      `${folder} is ${installed.name} ${installed.version}, and the pins are of ${name} ${version}: see NOTICE`,
    )
    return
  }
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && isProgram(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
  if (files.length === 0) faults.push(`${folder} has no program for this machine`)
  for (const file of files) {
    const path = file.slice(home.length + 1).replaceAll('\\', '/')
    checked++
    if (!Object.hasOwn(sha256, path)) faults.push(`${folder}/${path} is not pinned`)
    else if (digest(file) !== sha256[path])
      faults.push(`${folder}/${path} is another file than the one that was pinned`)
  }
}

function checkUpstream(folder) {
  const { sha256 } = pins.find(one => one.folder === 'uWebSockets.js')
  for (const [path, pin] of Object.entries(sha256)) {
    const file = join(folder, basename(path))
    checked++
    if (!existsSync(file)) faults.push(`${file} is not there`)
    else if (digest(file) !== pin) faults.push(`${file} is another file than the one that was pinned`)
  }
}

if (values.upstream === undefined) for (const pin of pins) checkInstalled(pin)
else checkUpstream(values.upstream)

for (const fault of faults) console.error(fault)
console.log(`${checked} native programs were checked, ${faults.length} faults`)
process.exitCode = faults.length > 0 || checked === 0 ? 1 : 0
