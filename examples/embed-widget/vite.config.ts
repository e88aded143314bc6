/** Builds dist/widget.js, one classic script, and the shop of public/ beside it; serves both on a port of their own. */
import { fileURLToPath } from 'node:url'
import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // In this repository the SDK is taken as a source.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  build: {
    // No module: a module does not know the tag that it was loaded by, where its settings are.
    lib: { entry: 'src/widget.ts', formats: ['iife'], name: 'flotillaChat', fileName: () => 'widget.js' },
    target: 'es2022',
    reportCompressedSize: false,
  },
  preview: { port: 5181 },
})
