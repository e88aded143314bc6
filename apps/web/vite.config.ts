/** Builds the web client into dist/site. Our libraries are taken as sources, as everywhere in this house. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { build, defineConfig, type Plugin, type Rolldown } from 'vite'

/** Where `vite` on its own port finds the API, while somebody works on the client. */
const api = 'http://localhost:8080'

/** Ours alone: React Aria has a condition `source` too, and its sources are not ours to build. */
const libraries = new URL('../../libs/', import.meta.url)
const sources = ['protocol', 'sdk', 'react'].flatMap(name => {
  const folder = new URL(`${name}/`, libraries)
  if (!existsSync(folder)) return []
  const { exports } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
    exports: Record<string, { source: string }>
  }
  return Object.entries(exports).map(([door, { source }]) => ({
    find: new RegExp(`^@flotilla/${name}${door.slice(1)}$`),
    replacement: fileURLToPath(new URL(source, folder)),
  }))
})

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/**
 * What each way in needs, as one file: many small ones are compressed one by one, and the page for the conversations would
 * load 30 kB more. A group takes what its modules import, unless one above has it; what is in none is a chunk by itself.
 * The first loads are held by src/bundle.test.ts.
 */
const groups = Object.entries({
  // On every page. Without main.tsx: that waits for the others, and they would wait for it.
  shell:
    /\/web\/src\/(session\.ts|app\/(app|appearance|navigation|words)\.tsx?|ui\/(icon|icon-button|button)\.tsx)$|\/react-dom\/client\.js$|\/libs\/(protocol\/src\/limits|sdk\/src\/rest\/identities)\.ts$/,
  // What runs for somebody who is signed in.
  client: /\/web\/src\/client\.ts$/,
  // In the conversations and in the settings.
  avatar: /\/web\/src\/ui\/avatar\.tsx$/,
  chat: /\/web\/src\/chat\/chat-page\.tsx$/,
  // Wherever the server is asked for something (app/asking.tsx).
  answers: /\/web\/src\/app\/answers\.tsx$|\/react-query\/.*\/use(Mutation|Query)\.js$/,
  // For signing in and in the settings.
  forms: /\/web\/src\/ui\/(field|form|notice|skeleton)\.tsx$/,
  // For signing in and where something is chosen.
  choice: /\/web\/src\/ui\/choice\.tsx$/,
}).map(([name, test], nth, all) => ({ name, test, priority: all.length - nth }))

const target = 'es2022'

/**
 * The service worker is one script without imports: built apart, so that what it has in common with the page is written into
 * both. It keeps its name: browsers look there for a newer one.
 */
const worker: Plugin = {
  name: 'service-worker',
  apply: 'build',
  async generateBundle() {
    const built = await build({
      configFile: false,
      root: here('.'),
      publicDir: false,
      logLevel: 'warn',
      resolve: { alias: sources },
      build: {
        write: false,
        target,
        modulePreload: false,
        rolldownOptions: { input: here('src/worker/worker.ts'), output: { format: 'iife' } },
      },
    })
    const [script] = (built as Rolldown.RolldownOutput).output
    this.emitFile({ type: 'asset', fileName: 'worker.js', source: script.code })
  },
}

export default defineConfig({
  root: here('.'),
  plugins: [react(), tailwind(), worker],
  resolve: { alias: sources },
  server: { proxy: { '/v1': { target: api, ws: true } } },
  build: {
    outDir: 'dist/site',
    target,
    // Every browser that runs the client preloads modules; the polyfill is a script more.
    modulePreload: { polyfill: false },
    // What is inlined as data: would need a hole in the policy of the page.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // What is bundled is passed on, and most licences ask that their text goes along.
    license: { fileName: 'licenses.txt' },
    rolldownOptions: {
      input: { index: here('index.html') },
      output: { entryFileNames: 'assets/[name]-[hash].js', codeSplitting: { groups } },
    },
  },
})
