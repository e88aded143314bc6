#!/bin/sh
# Puts together what one image holds: assemble.sh APP ARCHITECTURE SOURCE_DATE_EPOCH FOLDER
#   FOLDER/packages  what npm brings: the packages that the app needs at run time, with this platform's binaries only
#   FOLDER/code      what is ours: compiled workspaces, migrations, the SBOM. A layer of its own: it changes more often
#   FOLDER/data      an empty folder, whose owner becomes that of a volume
# Runs in the compiled project, whose manifests it takes for the packages.
set -eu
app=$1 architecture=$2 epoch=$3 out=$4
source=$PWD
# The operators' commands are where the settings of the API are.
case $app in
  api) workspaces="--workspace apps/api --workspace apps/cli" ;;
  *) workspaces="--workspace apps/$app" ;;
esac
case $architecture in
  amd64) cpu=x64 ;;
  arm64) cpu=arm64 ;;
  *) echo "unable to assemble for '$architecture': TARGETARCH must be amd64 or arm64" >&2; exit 1 ;;
esac
if [ -s /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi
umask 022
mkdir -p "$out/packages" "$out/code/apps" "$out/data"

# The workspaces that npm linked: the app, and the libraries that it needs.
linked() {
  for link in node_modules/@flotilla/*; do readlink "$link" | sed 's#^\.\./\.\./##'; done
}

# The packages. Install scripts are left out: whatever is needed comes built, and nothing foreign runs here.
(cd "$source" && find . -name node_modules -prune -o \( -name package.json -o -name package-lock.json \) -print) |
  tar -C "$source" -cf - -T - | tar -C "$out/packages" -xf -
cd "$out/packages"
# shellcheck disable=SC2086 # A list of words.
npm ci --omit=dev --ignore-scripts $workspaces --os=linux --cpu="$cpu" --libc=glibc
if [ -d node_modules/uWebSockets.js ]; then node "$source/tools/check-binaries.mjs" --root "$PWD"; fi
# npm has installed more than that: what only the development of a linked library needs, when some other workspace needs it
# at run time. So the project shrinks to the workspaces that are here, and what nobody asks for goes.
npm pkg set --json "workspaces=[$(linked | sed 's/.*/"&"/' | paste -sd,)]"
npm pkg delete devDependencies optionalDependencies
npm pkg delete devDependencies --workspaces
# A gateway sees tickets, never a password.
if [ "$app" = gateway ]; then npm pkg delete dependencies.@node-rs/argon2 --workspace libs/chat; fi
npm prune --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc
# shellcheck disable=SC2086
npm sbom --omit=dev $workspaces --sbom-format=spdx --sbom-type=application >"$out/sbom.draft"
node "$source/docker/build/pin-sbom.mjs" "$app" "$architecture" "$epoch" "$out/sbom.draft" >"$out/code/sbom.json"
rm "$out/sbom.draft"

# Our own.
for workspace in $(linked); do
  mkdir -p "$out/code/$workspace"
  cp -r "$source/$workspace/dist" "$source/$workspace/package.json" "$out/code/$workspace/"
done
[ -d "$out/code/apps/$app/dist" ] || { echo "unable to assemble $app: it was not compiled" >&2; exit 1; }
cp -r "$source/migrations" "$source/LICENSE" "$source/NOTICE" "$out/code/"
install -m 755 "$source/docker/build/healthy.sh" "$out/code/healthy"
# Of the workspaces only what npm could not hoist stays beside the packages.
find . -path ./node_modules -prune -o -type f \( -name package.json -o -name package-lock.json \) \
  ! -path '*/node_modules/*' -exec rm {} +

# What no process reads: binaries of other platforms and other Nodes, types and maps, packages' own tests, geoip-lite's
# cities. Node takes no TypeScript from node_modules.
abi=$(node -p process.versions.modules)
if [ -d node_modules/uWebSockets.js ]; then
  find node_modules/uWebSockets.js/dist/bin -type f ! -name "uws_linux_${cpu}_${abi}.node" -delete
  [ -f "node_modules/uWebSockets.js/dist/bin/uws_linux_${cpu}_${abi}.node" ] ||
    { echo "unable to assemble $app: uWebSockets.js has no binary for linux $cpu and Node ABI $abi" >&2; exit 1; }
fi
if [ -d node_modules/sodium-native ]; then
  find node_modules/sodium-native/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$cpu" -exec rm -r {} +
  [ -d "node_modules/sodium-native/prebuilds/linux-$cpu" ] ||
    { echo "unable to assemble $app: sodium-native has no binary for linux $cpu" >&2; exit 1; }
fi
if [ -d node_modules/geoip-lite/data ]; then
  find node_modules/geoip-lite/data -type f ! -name 'geoip-country*.dat' -delete
fi
rm -f node_modules/.package-lock.json
find . "$out/code" -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \
  -o -name '*.test.js' -o -name '*.test.mjs' -o -name '*.test.cjs' \) -delete
find . -depth -type d -empty -delete

# Two builds of the same sources are equal.
chmod -R u=rwX,go=rX "$out"
find "$out" -exec touch --no-dereference --date="@$epoch" {} +
