# Every target is one line of shell at most; what is longer lives in build/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The window's build tags, as the Wails command line would set them.
TAGS := desktop,production,webkit2_41
LDFLAGS := -s -w
LINT := bin/golangci-lint
UI := frontend/dist/index.html
MODULES := frontend/node_modules/.package-lock.json
GO_FILES := go.mod go.sum $(shell find . -name '*.go' -not -path './frontend/*' -not -name '*_test.go')
UI_FILES := $(shell find frontend -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/e2e*')
GOLDEN := $(shell grep -rl --include='*_test.go' '"update", false' app backend | xargs -r -n1 dirname | sort -u | sed 's,^,./,')
BENCH ?= .

.PHONY: help run test unit desktop demo bench soak lint fmt gen clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: bin/telltale var/starter/telltale.yaml ## Start Telltale on the starter catalog; data in ./var
	bin/telltale serve --config var/starter/telltale.yaml --data var/data

test: ## Everything that must hold; what continuous integration runs
	build/test.sh $(TAGS)

unit: $(MODULES) ## The inner loop: quick tests, no browser, no linter
	go test -short ./... && npm --prefix frontend test

desktop: $(UI) ## Build the window: bin/telltale-desktop
	build/install.sh git gcc libc6-dev pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev
	go build -trimpath -ldflags '$(LDFLAGS)' -tags $(TAGS) -o bin/telltale-desktop .

demo: bin/telltale ## Run every action of a fresh starter and check its record
	build/demo.sh bin/telltale

bench: ## Measure trigger, store, engine, feed and runner against their floors
	go test -run '^$$' -bench '$(BENCH)' -benchtime 2s -timeout 30m ./app ./backend/store ./backend/engine ./backend/feed ./backend/runner/...

soak: ## Repeat the tests for long, with races looked for and faults made
	go test -race -shuffle=on -count=5 -timeout 3h ./...

lint: $(LINT) $(MODULES) ## Look for what the laws and linters forbid
	$(LINT) run && $(LINT) run --build-tags $(TAGS) ./app/... . && npm --prefix frontend run lint

fmt: $(LINT) $(MODULES) ## Format everything
	$(LINT) fmt && npm --prefix frontend run fmt

gen: $(MODULES) ## Write what is generated: schemas, references, fixtures, types
	go test $(GOLDEN) -count=1 -update && npm --prefix frontend run types && npm --prefix frontend run tokens

clean: ## Remove what was built; data in ./var stays
	rm -rf bin frontend/node_modules frontend/e2e-out && find frontend/dist -mindepth 1 -not -name .gitkeep -delete

bin/telltale: $(GO_FILES) $(UI)
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $@ .

$(LINT): tools/go.mod tools/go.sum
	go build -modfile=tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(UI): $(UI_FILES) $(MODULES)
	npm --prefix frontend run build && touch $@

$(MODULES): frontend/package.json frontend/package-lock.json
	npm --prefix frontend ci && touch $@

var/starter/telltale.yaml: | bin/telltale
	build/install.sh git
	bin/telltale init var/starter
