# The words that people and CI use alike. Needs Go, make and git; generate needs npm too, and test uses a C compiler when
# there is one (for the race detector). Everything else is fetched once as Go modules and then works with the network off.

BUF    := go tool -modfile=tools/buf/go.mod buf
LINT   := go tool -modfile=tools/lint/go.mod golangci-lint
NPM    := $(shell command -v npm 2>/dev/null)

# How long make fuzz runs each target, at how many points make kill kills, and what make cover asks of each package.
FUZZTIME  ?= 10s
POINTS    ?= 200
COVERAGE  ?= 90
COVERED   ?= ./internal/product ./internal/carrier

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# -race where a C compiler really links a program, else nothing. CC can be set to one that is not there.
RACE = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && echo 'int main(void){return 0;}' | \
	$$(go env CC) -x c -o /dev/null - 2>/dev/null && echo -race)

# -race checks pointer arithmetic too, of which SQLite in Go is made: half of the time of every test with a ledger. What is
# ours keeps that check, and SQLite its race detector.
LEAN = -gcflags=modernc.org/...=-d=checkptr=0

# Where PostgreSQL's programs are, in PATH or where Debian puts them; the tests start throw-away clusters with them.
INITDB = $(shell command -v initdb || find /usr/lib/postgresql -name initdb 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Everyday

.PHONY: help
help: ## Show these words
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build, then serve with the sandbox carrier in the same process
	bin/portin serve --sandbox

.PHONY: test
test: ## Run all tests, in random order, with the race detector where a C compiler is there
	@flag='$(RACE)'; \
	if [ -z "$$flag" ]; then echo "test: no working C compiler, so without the race detector"; export CGO_ENABLED=0; fi; \
	if [ -z "$(INITDB)" ]; then echo "test: no PostgreSQL (initdb), so without the tests of the ledger that replicas share"; fi; \
	set -x; go test -shuffle=on -timeout 20m $$flag $(LEAN) ./...

.PHONY: build
build: ## Build bin/portin, static and reproducible
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/portin ./cmd/portin

.PHONY: format
format: proto-deps ## Format .proto and Go files in place
	$(BUF) format -w proto
	$(LINT) fmt

.PHONY: lint
lint: proto-deps ## Check the contract, the Go code and go.mod; change nothing
	$(BUF) lint
	$(BUF) format --diff --exit-code proto
	$(LINT) run ./...
	go mod tidy -diff

.PHONY: check
check: lint test breaking cover ## All that a change has to pass before it is submitted, but for generate and fuzz

.PHONY: ci
ci: ## Everything, as CI does it
	CI=true bash .ci/run </dev/null

##@ The contract

.PHONY: generate
generate: proto-deps ## Write gen/ from proto/: Go, gateway, OpenAPI, TypeScript
	$(BUF) generate
	$(BUF) build proto -o bin/portin.binpb
	go run ./tools/openapi
	@$(MAKE) --no-print-directory generate-ts

# TypeScript alone needs Node.js. A machine without it generates the rest and says so; CI never skips it.
.PHONY: generate-ts
ifneq ($(NPM),)
generate-ts: tools/ts/node_modules/.package-lock.json
	$(BUF) generate --template tools/ts/buf.gen.yaml
else ifneq ($(CI),)
generate-ts:
	@echo "generate: npm is missing, and CI does not skip TypeScript" >&2; exit 1
else
generate-ts:
	@echo "generate: npm is not installed, so gen/ts is left as it is"
endif

.PHONY: check-ts
check-ts: tools/ts/node_modules/.package-lock.json ## Type-check the generated TypeScript (needs npm)
	tools/ts/node_modules/.bin/tsc -p tools/ts

.PHONY: proto-deps
proto-deps: third_party/.stamp ## Print what proto/ imports from our Go dependencies into third_party/proto

# go.sum is what decides the descriptors: another version of a dependency is another line there.
third_party/.stamp: go.sum $(wildcard tools/protodeps/*.go)
	go run ./tools/protodeps
	@touch $@

tools/ts/node_modules/.package-lock.json: tools/ts/package.json tools/ts/package-lock.json
	npm --prefix tools/ts ci --loglevel=error
	@touch $@

.PHONY: breaking
breaking: proto-deps ## Refuse a change of the contract that breaks callers of proto/baseline.binpb
	$(BUF) breaking proto --against proto/baseline.binpb --exclude-imports

.PHONY: baseline
baseline: proto-deps ## Make the contract as it is the one that breaking compares with (a commit of its own)
	$(BUF) build proto -o proto/baseline.binpb

##@ Deeper checks

.PHONY: deploy-check
deploy-check: build ## Render and read what portin is deployed with: chart, compose file, image, systemd unit, rules of Prometheus (needs systemd-analyze)
	cd tools/deploy/check && go test ./...

.PHONY: cover
cover: ## Refuse less than COVERAGE (90) percent of the statements of each package in COVERED
	@sh tools/cover.sh $(COVERAGE) $(COVERED)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s)
	@sh tools/fuzz.sh $(FUZZTIME)

.PHONY: kill
kill: ## Kill the service at POINTS (200) random points under load, where make test does at a few, and start it again (minutes)
	go test -count=1 -timeout 30m -run '^TestFault11_KilledAtAnyTime$$' ./internal/e2e -points $(POINTS)

.PHONY: bench
bench: ## Measure 10,000 watchers, and the ledgers: grouped commits, lists on a thousand and a million orders (long, some GB of disk)
	go test -run '^$$' -bench Watch ./internal/rpc
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./internal/ledger/sqlite ./internal/ledger/postgres

.PHONY: release
release: ## Make dist/: binaries, their parts (SBOM), the contract and checksums; the same commit makes the same bytes
	tools/release.sh

.PHONY: clean
clean: ## Remove what the other words made and git ignores
	rm -rf bin dist third_party tools/ts/node_modules
