/**
 * The command line of operators for what `npm start` keeps: `npm run operate -- suspend PERSON …`. The embedded PostgreSQL
 * is found by its folder, so Flotilla must be running; with DATABASE_URL set it is that one, with the keys of the folder.
 */
import { operatorProgram, runOperatorCommand } from '@flotilla/cli'
import { createLogger, openFolder, readCommandLine, settingsOrEnd } from '@flotilla/service'
import { readStandaloneSettings } from './config.ts'
import { loadKeys } from './keys.ts'
import { runningPostgres } from './postgres.ts'

const given = readCommandLine({ ...operatorProgram, usage: 'npm run operate -- COMMAND …' })
const settings = settingsOrEnd(readStandaloneSettings)

try {
  const folder = openFolder(settings.FLOTILLA_FOLDER)
  const keys = loadKeys(folder, false)
  const said = await runOperatorCommand(
    {
      databaseUrl: settings.DATABASE_URL ?? runningPostgres(folder, keys.databasePassword),
      masterKeys: keys.master,
      mail: settings.SMTP_URL !== undefined,
      logger: createLogger('operate', 'warn', process.stderr),
    },
    given,
  )
  process.stdout.write(`${said}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
