/** The command line of operators, where the settings of the API are: `node apps/cli/dist/operate.js suspend PERSON …`. */
import { createLogger, readCommandLine, settingsOrEnd } from '@flotilla/service'
import { readOperateSettings } from './config.ts'
import { operatorProgram, runOperatorCommand } from './operator-command.ts'

const given = readCommandLine({ ...operatorProgram, usage: 'node apps/cli/dist/operate.js COMMAND …' })
const settings = settingsOrEnd(readOperateSettings)

try {
  const said = await runOperatorCommand(
    {
      databaseUrl: settings.DATABASE_URL,
      masterKeys: settings.MASTER_KEYS,
      mail: settings.MAIL,
      logger: createLogger('operate', settings.LOG_LEVEL, process.stderr),
    },
    given,
  )
  process.stdout.write(`${said}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
