/** Serves the example on a port of its own. In a project of yours the plug-in alone is enough. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  // In this repository the libraries are taken as sources.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  server: { port: 5180 },
})
