#!/usr/bin/env bash
# install.sh PACKAGE...: install the Debian packages that are missing.
# Prints nothing and asks for nothing when all are there.
set -euo pipefail

if ! command -v dpkg-query >/dev/null; then
  echo "not a Debian-like system: make sure these are installed: $*" >&2
  exit 0
fi
missing=()
for p in "$@"; do
  status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null || true)
  [[ $status == ii* ]] || missing+=("$p")
done
((${#missing[@]})) || exit 0

echo "installing ${missing[*]}" >&2
sudo=()
((EUID == 0)) || sudo=(sudo)
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
