/**
 * Brings the database up to date and ends: with 0 when the schema is that of this version, with 1 when not. What a
 * roll-out runs once before its new processes, which then have MIGRATE=false.
 */
import { prepareSchema } from '@flotilla/chat'
import { createLogger, readCommandLine } from '@flotilla/service'
import { readMigrateSettings } from './config.ts'

readCommandLine({
  usage: 'node apps/api/dist/migrate.js',
  about: 'Migrates the database and exits: 0 when it is up to date, 1 when it failed.',
  settings: 'Migrations',
})
const settings = readMigrateSettings()
const logger = createLogger('migrate', settings.LOG_LEVEL)

// Ended before its time it has failed, and what was under way is rolled back. The first process of a container hears no
// signal that it does not listen to.
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    logger.error({ signal }, 'migration interrupted')
    process.exit(1)
  })

try {
  const applied = await prepareSchema({
    url: settings.DATABASE_URL,
    migrates: true,
    waitMsMax: settings.MIGRATE_WAIT_MS,
    logger,
  })
  logger.info({ applied }, applied.length === 0 ? 'schema already up to date' : 'schema migrated')
  process.exit(0)
} catch (error) {
  logger.fatal({ err: error }, 'migration failed')
  process.exit(1)
}
