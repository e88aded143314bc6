/**
 * What builds and runs images here: a Docker engine when one answers, else buildah and podman with runc, as root. Both
 * run a container as an orchestrator would: read-only, without capabilities, on the host's network.
 */
import { runCommand, succeeds } from './command.ts'

/** @returns what is missing for compose, undefined when nothing is */
export async function lacksCompose(): Promise<string | undefined> {
  if (!(await succeeds('docker', ['info']))) return 'no Docker engine answers: install Docker Engine, and start it'
  if (!(await succeeds('docker', ['compose', 'version'])))
    return 'docker has no compose: install its plugin docker-compose-plugin'
  return undefined
}
void runCommand
