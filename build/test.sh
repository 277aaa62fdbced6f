#!/usr/bin/env bash
# test.sh TAGS: everything that must hold, in the order that fails soonest.
# TAGS are the build tags of the window. `make test` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."
tags=$1
step() { printf '\n== %4ds  %s\n' "$SECONDS" "$*"; }

step "what the tests need"
build/install.sh git curl gcc libc6-dev procps chromium fonts-inter pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev

step "frontend: build"
make --no-print-directory frontend/dist/index.html

step "both builds"
make --no-print-directory bin/telltale desktop

step "what each build links"
if ldd bin/telltale >/dev/null 2>&1; then echo "the headless binary is dynamic"; exit 1; fi
if go list -deps . | grep -q wailsapp; then echo "the headless build imports wails"; exit 1; fi
ldd bin/telltale-desktop | grep -q libwebkit2gtk-4.1 || { echo "the desktop binary does not link WebKitGTK 4.1"; exit 1; }
[[ $(go list -m -f '{{.Version}}' github.com/wailsapp/wails/v2) == v2.16.0 ]] || { echo "wails is not v2.16.0"; exit 1; }

step "vet and lint"
go vet ./... && go vet -tags "$tags" . ./app/...
make --no-print-directory lint

step "frontend: tests"
npm --prefix frontend test

step "go: tests with the race detector"
go test -race -shuffle=on -timeout 20m ./...

step "the page in a real browser"
npm --prefix frontend run e2e

step "the smoke test"
make --no-print-directory demo

step "all of it holds"
