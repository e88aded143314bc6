export { standaloneSettings } from './config.ts'
export { type Standalone, type StandaloneOptions, startStandalone } from './standalone.ts'
