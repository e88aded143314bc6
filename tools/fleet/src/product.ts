/** A cluster with the product's images: the checkout's own code, built, on nodes whose pods are processes. */
import { makeFolder } from '@flotilla/testing'
import { type Cluster, type ClusterOptions, edgeImage, productImages, startCluster, storeImages } from './cluster.ts'
import { runCommand } from './cluster/folders.ts'
import { findNginx } from './nginx.ts'
import { projectRoot } from './root.ts'

const buildMsMax = 300_000

/** Builds what the images hold. Quick when nothing has changed. */
async function buildProduct(folder = projectRoot): Promise<void> {
  const parts = ['libs/routing', 'apps/gateway', 'apps/api', 'apps/cli', 'apps/worker'].flatMap(part => ['-w', part])
  await runCommand('npm', ['run', 'build', ...parts], { folder, withinMs: buildMsMax })
}

/** @param options further images are added to the product's own */
export async function startProductCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const [nginx, stores] = await Promise.all([findNginx(), storeImages(makeFolder('stores')), buildProduct()])
  const images = { ...productImages(), ...edgeImage(nginx), ...stores, ...options.images }
  return startCluster({ ...options, images })
}
