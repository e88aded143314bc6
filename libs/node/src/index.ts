export { joinNode, type JoinedNode, type JoinOptions } from './join.ts'
export { type NodeProcess, type NodeProcessOptions, startNode } from './process.ts'
export { nodeSettings, type NodeValues, reactionSettings, storeSettings, toReactions } from './settings.ts'
