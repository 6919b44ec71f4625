# `make` alone lists the targets.
SHELL := /usr/bin/env bash
.DELETE_ON_ERROR:

GOLANGCI_VERSION := 2.15.0
# Named after both versions: a linter built with an older Go refuses newer code.
GOLANGCI := .cache/bin/golangci-lint-$(GOLANGCI_VERSION)-$(shell go env GOVERSION)
S5CMD := .cache/bin/s5cmd-2.3.0
RCLONE := .cache/bin/rclone-1.75.1
GORELEASER_VERSION := 2.16.0
GORELEASER := .cache/bin/goreleaser-$(GORELEASER_VERSION)
CYCLONEDX_VERSION := 1.10.0
CYCLONEDX := .cache/bin/cyclonedx-gomod
BENCHSTAT_VERSION := v0.0.0-20260908200009-22c9c6c9d4da
GO_FILES = find . -name '*.go' -not -path './.cache/*'
SCRIPTS := $(addprefix .ci/,run browser gotest vuln fuzz venv) $(addprefix deploy/,up alerts shuffle localstack/install localstack/run moto/install moto/run rehearsal/run)

.PHONY: help test check lint race worlds vuln build image snapshot release bench bench-micro bench-peers fuzz faults format clean

# Of make faults: how many schedules, the first one's seed, how many at a time, and one kind of world (server, localstack or local) instead of all.
COUNT ?= 200
SEED ?= 1
PARALLEL ?= 12
WORLD ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Tests wait for timeouts most of the time, so more packages run at a time than there are processors.
test: ## all tests; installs what they lack, starts LocalStack and moto and stops them
	.ci/browser
	deploy/moto/run deploy/localstack/run .ci/gotest -p 4

check: lint vuln race worlds fuzz ## what takes longer: linters, known vulnerabilities, all tests with the race detector, small worlds, every fuzz target

race: ## all tests with the race detector
	.ci/browser
	deploy/moto/run deploy/localstack/run .ci/gotest -race

lint: $(GOLANGCI) ## format, go vet, linters and the import wall
	@unformatted=$$($(GO_FILES) -exec gofmt -l {} +); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make format:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI) run ./...
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); else echo "shellcheck: NOT RUN, it is not installed"; fi
	@python=$$(deploy/moto/install) && "$$python" "$${python%/*}/cfn-lint" --regions us-west-2 us-east-1 -- deploy/stack.yaml

# make test and make race play a sample of these.
worlds: ## the small worlds: every order of one, one deviation anywhere in all, a million steps at random; FAULTS=1, DEPTH=2 and STEPS=N for more
	go test -count=1 -timeout 72h -v -run 'TestEvery|TestEach|TestWalks' ./internal/test/worlds \
		-worlds.most=0 -worlds.share=1 -worlds.same=50 \
		-worlds.faults=$(or $(FAULTS),0) -worlds.depth=$(or $(DEPTH),1) -worlds.steps=$(or $(STEPS),1000000) | sed '/^=== /d'; \
	exit $${PIPESTATUS[0]}

vuln: ## known vulnerabilities in what the program calls
	.ci/vuln

# With go run's flags: after shuffle demo nothing is compiled again.
build: ## bin/shuffle
	go build -o bin/shuffle ./cmd/shuffle

# What shuffle --version says in an image, and the image's labels.
image: VERSION = $(shell git describe --tags --always --dirty 2>/dev/null)
image: REVISION = $(shell git rev-parse HEAD 2>/dev/null)

image: ## google-shuffle:local, of a binary built here; needs docker, and no image of a registry
	mkdir -p bin/image/bin
	CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -ldflags='-s -w -X main.release=$(VERSION)' -o bin/image/ ./cmd/shuffle ./deploy/rehearsal
	cp "$${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" bin/image/bin/ca-certificates.crt
	docker build -q -f deploy/prebuilt.Dockerfile --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) -t google-shuffle:local bin/image
	docker build -q -f deploy/prebuilt.Dockerfile --target rehearsal -t google-shuffle-rehearsal:local bin/image

snapshot: $(GORELEASER) $(CYCLONEDX) ## what a release would be, in dist: binaries for all systems, bills of materials, images; publishes nothing
	$(GORELEASER) check
	PATH=$(CURDIR)/.cache/bin:$$PATH $(GORELEASER) release --snapshot --clean

release: $(GORELEASER) $(CYCLONEDX) ## publishes the release of the tag that is checked out, as a draft; for .github/workflows/release.yml
	PATH=$(CURDIR)/.cache/bin:$$PATH $(GORELEASER) release --clean

bench: bench-micro bench-peers ## all benchmarks, on a machine that does nothing else; about an hour

bench-micro: ## benchmarks of single packages, in bin/bench.txt; OLD=FILE compares with an earlier one
	mkdir -p bin
	set -o pipefail; go test -run '^$$' -bench . -benchmem -count $(or $(RUNS),6) ./... | tee bin/bench.txt
	$(if $(OLD),go run golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION) $(OLD) bin/bench.txt)

bench-peers: build $(S5CMD) $(RCLONE) ## the whole program beside s5cmd, rclone and the bare SDK, against a server of its own; docs/speed.md has the tables
	go build -o bin/bench ./internal/test/bench
	bin/bench peers --s5cmd $(S5CMD) --rclone $(RCLONE)
	bin/bench plan --s5cmd $(S5CMD) --episodes 12
	bin/bench pull --s5cmd $(S5CMD)
	bin/bench limit
	bin/bench scale --frames 3600
	bin/bench results --episodes 12
	bin/bench cost --episodes 12
	bin/bench backlog --episodes 36
	bin/bench change --episodes 36 --s5cmd $(S5CMD) --rclone $(RCLONE)
	bin/bench grow --rounds 1
	go test -count=1 -v -run HundredSeasons ./worker -args -seasons.depth=4 -seasons.window=60s

# Modules of their own, for what the peers need is not what the program needs.
$(S5CMD): internal/test/bench/s5cmd/go.mod
	cd internal/test/bench/s5cmd && go build -mod=mod -o $(CURDIR)/$@ github.com/peak/s5cmd/v2

$(RCLONE): internal/test/bench/rclone/go.mod internal/test/bench/rclone/main.go
	cd internal/test/bench/rclone && go build -o $(CURDIR)/$@ .

fuzz: ## every fuzz target for 30 seconds, from the inputs kept in testdata/fuzz and in Go's cache on
	.ci/fuzz 30s

faults: ## COUNT=200 schedules of faults from SEED=1 on, over the program as it is built; WORLD=local SEED=7 COUNT=1 is one of them
	SHUFFLE_FAULTS=$(COUNT) SHUFFLE_FAULTS_SEED=$(SEED) SHUFFLE_FAULTS_PARALLEL=$(PARALLEL) SHUFFLE_FAULTS_ZOMBIES=16 SHUFFLE_FAULTS_RACE=1 \
		$(if $(filter server local,$(WORLD)),,deploy/localstack/run) \
		go test -count=1 -v -timeout 120m $(if $(WORLD),-run 'TestSchedules/^$(WORLD)$$',$(if $(filter 1,$(COUNT)),-run TestSchedules)) ./internal/test/faults

format: $(GOLANGCI) ## gofmt and goimports
	$(GOLANGCI) fmt ./...

clean: ## remove what was built; the caches in .cache stay
	rm -rf bin dist shuffle-demo

$(GOLANGCI):
	@echo "building golangci-lint $(GOLANGCI_VERSION), once (a minute or two)"
	GOBIN=$(CURDIR)/.cache/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION)
	mv .cache/bin/golangci-lint $@

$(GORELEASER):
	@echo "building goreleaser $(GORELEASER_VERSION), once (some minutes)"
	GOBIN=$(CURDIR)/.cache/bin go install github.com/goreleaser/goreleaser/v2@v$(GORELEASER_VERSION)
	mv .cache/bin/goreleaser $@

$(CYCLONEDX):
	GOBIN=$(CURDIR)/.cache/bin go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v$(CYCLONEDX_VERSION)
