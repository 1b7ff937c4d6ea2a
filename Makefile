# The tools are pinned in tools.mod, apart from what the server is built of.
TOOL := go tool -modfile=tools.mod
BUF  := $(TOOL) buf

# What the tests need besides Go.
DEBIAN_PACKAGES := chromium curl gcc git libc6-dev mypy openssl postgresql protobuf-compiler protobuf-compiler-grpc \
	python3-grpcio python3-httpx python3-pytest python3-setuptools python3-wheel systemd
NPM_PACKAGES    := sdk/typescript test/browser test/openapi test/receiving

# The TypeScript stubs are made by a plugin that npm installs.
STUBS_NEED     := sdk/typescript/node_modules/.bin
STUBS_LEFT_OUT := 'the TypeScript stubs were left out: make setup installs what makes them'

# Node 20 or later with npm: Debian's own are for machines that have neither, since they do not go with others.
NODE_PACKAGES := nodejs npm
HAS_NODE      := command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null

# How long the tests of one package may take; one that hangs then shows its stacks.
TIMEOUT ?= 10m

# How long `make fuzz` gives each target.
FUZZTIME ?= 10s

# The race detector needs cgo and a C compiler.
RACE := $(shell test "$$(go env CGO_ENABLED)" = 1 && command -v "$$(go env CC)" >/dev/null && echo -race)

.DEFAULT_GOAL := all
.PHONY: all run build dist test lint generate check-generate baseline setup bench torture fuzz help

all: lint test ## lint and test: what must pass before a change goes in

run: build ## start a sandbox server on :8080, its data in ./coinslot-data
	./coinslot serve

build: ## build ./coinslot
	go build -o coinslot ./cmd/coinslot

dist: ## build dist/coinslot: small, static, the same bytes wherever it is built
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o dist/coinslot ./cmd/coinslot

test: ## run every test; COINSLOT_TEST_REQUIRE=1 turns skips into failures
	@$(if $(RACE),,echo 'race detector skipped: it needs cgo and a C compiler; install gcc and libc6-dev')
	@skips=$$(mktemp) && trap 'rm -f "$$skips"' EXIT && \
	echo go test $(RACE) -timeout $(TIMEOUT) ./... && \
	COINSLOT_TEST_SKIPS=$$skips go test $(RACE) -timeout $(TIMEOUT) ./...; status=$$?; \
	cat "$$skips"; exit $$status

lint: ## gofmt, vet, staticcheck; proto style, comments and compatibility with the baseline
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt these:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...
	$(BUF) format --diff --exit-code
	$(BUF) lint
	$(BUF) breaking --against proto/baseline.binpb

generate: ## rewrite gen/ and the TypeScript stubs from proto/ and, for the OpenAPI document's examples, test/transcripts
	$(BUF) generate
	@if test -d $(STUBS_NEED); then cd sdk/typescript && npm run --silent generate; else echo $(STUBS_LEFT_OUT); fi

check-generate: ## fail if gen/ or the TypeScript stubs are not what `make generate` would make of them; changes nothing
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(BUF) generate --output "$$dir" && \
	{ diff -r gen "$$dir/gen" || { echo 'gen/ is not what proto/ and test/transcripts generate: run make generate'; exit 1; }; } && \
	if test -d $(STUBS_NEED); then \
		$(BUF) generate --template sdk/typescript/buf.gen.yaml --output "$$dir" && \
		{ diff -r sdk/typescript/src/gen "$$dir/src/gen" || { echo 'sdk/typescript/src/gen is not what proto/ generates: run make generate'; exit 1; }; }; \
	else echo $(STUBS_LEFT_OUT); fi

baseline: ## accept proto/ as published: what `make lint` holds later changes against; once per release, and freely before the first
	$(BUF) build --exclude-source-info -o proto/baseline.binpb

setup: ## install what the tests need (Debian packages, npm packages) and download the Go modules
	@if ! command -v apt-get >/dev/null; then \
		echo 'not Debian: install the likes of these yourself: $(DEBIAN_PACKAGES) $(NODE_PACKAGES)'; \
	else \
		missing=$$(for p in $(DEBIAN_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done; $(HAS_NODE) || echo $(NODE_PACKAGES)); \
		if test -n "$$missing"; then \
			sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
			$$sudo apt-get update -q && \
			$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
		fi; \
	fi
	go mod download
	go mod download -modfile=tools.mod
	$(TOOL) -n buf >/dev/null && $(TOOL) -n connectconformance >/dev/null # so that no test has to wait for them
	@if $(HAS_NODE); then \
		for p in $(NPM_PACKAGES); do (cd $$p && npm ci) || exit 1; done; \
	else \
		echo 'this system offers no Node 20 with npm: install them yourself, or the tests of $(NPM_PACKAGES) are left out'; \
	fi

# What `make torture` does to several servers on one PostgreSQL.
FAULTS  ?= 500
SERVERS ?= 3

torture: ## kill the server a thousand times under load; then FAULTS (500) faults of SERVERS (3) on one PostgreSQL
	go test $(RACE) -timeout 2h -count 1 -v ./test/torture -run TestKill -rounds 1000 -patient
	go test $(RACE) -timeout 4h -count 1 -v ./test/torture -run 'TestSiege|Upgrade|Behind' -faults $(FAULTS) -servers $(SERVERS) -naps -patient

bench: ## run every benchmark, then measure the whole server
	@packages=$$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -r -n1 dirname | sort -u); \
	test -z "$$packages" || go test -run '^$$' -bench . -benchmem $$packages
	go run ./cmd/coinslot bench

fuzz: ## run every fuzz target for FUZZTIME (10s) each
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file func; do \
		go test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
	done

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
