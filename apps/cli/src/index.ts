export { operateSettings } from './config.ts'
export { type OperatorStore, operatorProgram, runOperatorCommand } from './operator-command.ts'
