export { joinNode, type JoinedNode, type JoinOptions } from './join.ts'
export { messageSettings, toMessageSettings } from './message-settings.ts'
export { type NodeProcess, type NodeProcessOptions, startNode } from './process.ts'
export { nodeSettings, type NodeValues, storeSettings } from './settings.ts'
