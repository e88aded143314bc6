#!/bin/sh
# Unpacks Debian's tini for a platform into a folder: tini.sh ARCHITECTURE FOLDER
set -eu
architecture=$1 folder=$2
case $architecture in
  amd64 | arm64) ;;
  *) echo "unable to build for '$architecture': TARGETARCH must be amd64 or arm64" >&2; exit 1 ;;
esac
download=$(mktemp -d)
cd "$download"
[ "$architecture" = "$(dpkg --print-architecture)" ] || dpkg --add-architecture "$architecture"
apt-get update -qq
apt-get download -qq -o APT::Sandbox::User=root "tini:$architecture=0.19.0*"
dpkg -x tini_*.deb unpacked
mkdir -p "$folder/usr/bin"
cp unpacked/usr/bin/tini "$folder/usr/bin/tini"
# As old as the package says, so that two builds are equal.
touch -r unpacked/usr/bin/tini "$folder/usr/bin/tini" "$folder/usr/bin" "$folder/usr" "$folder"
rm -rf "$download"
