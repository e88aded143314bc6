/** Where the project's own files are, for tests of what is deployed: images, charts, dashboards. */
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const projectRoot = fileURLToPath(new URL('../../..', import.meta.url))

/** An absolute path below the root of the repository. */
export const inProject = (path: string): string => `${projectRoot}${path}`
