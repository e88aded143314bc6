/**
 * The keys of the advisory locks, in one place so that no two are the same. Processes of other versions know them by these
 * numbers, so none is ever changed or given to something else.
 */
export const advisoryLocks = {
  migration: 7_160_530,
  /** Of many processes one looks after the partitions of the offline index. */
  offlineUpkeep: 7_160_531,
  /** Each bite of the upkeep is taken under it. */
  upkeep: 7_160_532,
  /** With the hash of a name: of two who want names that look alike the second sees the first. */
  username: 7_160_533,
  /** With the hash of a person: of failures at once the first is told. */
  failures: 7_160_534,
} as const
