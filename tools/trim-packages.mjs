/**
 * After npm install: removes what some packages bring for other machines or other uses, some 290 MB, and nothing that is
 * ever read here. Whoever installs without scripts keeps it all, and nothing else differs.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules')
const remove = path => rmSync(join(packages, path), { recursive: true, force: true })
const filesIn = folder => (existsSync(join(packages, folder)) ? readdirSync(join(packages, folder)) : [])

// geoip-lite brings cities; apps/api/src/regions/regions.ts reads countries.
for (const file of filesIn('geoip-lite/data')) if (/^(geoip-)?city/.test(file)) remove(`geoip-lite/data/${file}`)

// uWebSockets.js brings a binary for each platform and each Node: kept are this platform's, for Node 20 and 22.
const mine = new RegExp(`^uws_${process.platform}_${process.arch}_(115|127)\\.node$`)
const binaries = filesIn('uWebSockets.js/dist/bin')
if (binaries.some(file => mine.test(file)))
  for (const file of binaries) if (!mine.test(file)) remove(`uWebSockets.js/dist/bin/${file}`)

// sodium-native brings a binary for each platform, phones among them.
const platform = `${process.platform}-${process.arch}`
const sodium = filesIn('sodium-native/prebuilds')
if (sodium.includes(platform)) for (const one of sodium) if (one !== platform) remove(`sodium-native/prebuilds/${one}`)

// Node brings its headers, for compiling what nothing here compiles.
for (const name of filesIn('').filter(one => /^node-(bin-)?(linux|darwin)-/.test(one)))
  for (const part of ['include', 'share', 'CHANGELOG.md']) remove(`${name}/${part}`)
