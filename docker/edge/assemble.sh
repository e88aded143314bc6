#!/bin/sh
# Puts together what the edge's image has of ours beside nginx: assemble.sh SOURCE_DATE_EPOCH FOLDER
#   FOLDER/web        the page, which is there already: each file gets its packed ones
#   FOLDER/sbom.json  the npm packages that the page is made of
# Runs in the project, whose packages are those that built the page.
set -eu
epoch=$1 out=$2
umask 022
node docker/edge/pack.mjs "$out/web"
# The tools of the whole project are not here, and npm would miss them; what a library has for its tests alone, npm leaves
# out, also where the page needs it: React.
npm pkg delete devDependencies optionalDependencies
npm pkg delete devDependencies --workspaces
draft=$(mktemp)
npm sbom --omit=dev --workspace apps/web --sbom-format=spdx --sbom-type=application >"$draft"
node docker/build/pin-sbom.mjs edge any "$epoch" "$draft" >"$out/sbom.json"
rm "$draft"
cp LICENSE NOTICE "$out/"
# Two builds of the same sources are equal.
chmod -R u=rwX,go=rX "$out"
find "$out" -exec touch --no-dereference --date="@$epoch" {} +
