/**
 * Makes npm's SBOM the same for the same image, and names what npm does not know of: Node.
 * node pin-sbom.mjs APP ARCHITECTURE SOURCE_DATE_EPOCH FILE, to the standard output
 * The architecture is `any` for what runs in a browser: it is the same for all, and no Node is there.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [app, architecture, epoch, file] = process.argv.slice(2)
const sbom = JSON.parse(readFileSync(file, 'utf8'))
const [root] = sbom.documentDescribes ?? []
const node = {
  SPDXID: `SPDXRef-Package-node-${process.versions.node}`,
  name: 'node',
  versionInfo: process.versions.node,
  downloadLocation: 'https://nodejs.org/dist/',
  filesAnalyzed: false,
  licenseDeclared: 'MIT',
  externalRefs: [
    {
      referenceCategory: 'PACKAGE-MANAGER',
      referenceType: 'purl',
      referenceLocator: `pkg:generic/node@${process.versions.node}?arch=${architecture}`,
    },
  ],
}
if (architecture !== 'any') {
  sbom.packages.push(node)
  sbom.relationships.push({ spdxElementId: root, relatedSpdxElement: node.SPDXID, relationshipType: 'DEPENDS_ON' })
}
sbom.name = `flotilla-${app}-${architecture}`
sbom.creationInfo.created = new Date(Number(epoch) * 1000).toISOString().replace('.000Z', 'Z')
// npm makes the namespace of chance; it only has to differ where the content does.
const content = createHash('sha256')
  .update(JSON.stringify({ ...sbom, documentNamespace: '' }))
  .digest('hex')
sbom.documentNamespace = `urn:flotilla:sbom:${app}:${content}`
console.log(JSON.stringify(sbom, null, 1))
