/** The settings that every process has that needs the schema. */
import { flag, integer } from './config.ts'

export const schemaSettings = {
  MIGRATE: flag(
    true,
    'Whether to bring the database up to date at the start; otherwise the process waits until another has.',
  ),
  MIGRATE_WAIT_MS: integer(
    300_000,
    { min: 0, max: 3_600_000 },
    'How long the start waits for PostgreSQL, and for whoever migrates, before the process gives up.',
  ),
}
