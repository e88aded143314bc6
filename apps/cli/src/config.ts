/** The settings of operate.ts. docs/configuration.md is generated from them. */
import { storeSettings } from '@flotilla/node'
import { flag, readSettings } from '@flotilla/service'

/** What the API has, as far as one act needs it. */
export const operateSettings = {
  ...storeSettings,
  MAIL: flag(true, 'Whether a worker sends mail, as for the API: the person is told by mail.'),
  LOG_LEVEL: {
    ...storeSettings.LOG_LEVEL,
    default: 'warn' as const,
    description: 'The lowest level that is logged, to standard error.',
  },
}

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readOperateSettings = () => readSettings(operateSettings, process.env)
