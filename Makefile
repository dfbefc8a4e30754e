# The commands of daily work. Each is short enough to type by hand; what they
# have in common is that CI runs the same ones.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps test generate fmt lint bench build demo screenshots fuzz ci

PACKAGES ?= ./...
FUZZTIME ?= 30s

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

deps: ## install what the tests need: PostgreSQL, Chromium, a font (Debian)
	@scripts/deps

test: deps ## run all tests on real databases and in a real browser; none may be skipped
	@{ failed=0; \
		go test -json -count=1 -timeout 25m $(PACKAGES) || failed=1; \
		$(if $(filter ./...,$(PACKAGES)),go -C test/standardprovider test -json -count=1 -timeout 10m ./... || failed=1;) \
		exit $$failed; } | go run ./scripts/testreport

generate: ## write the generated files and the golden ones anew
	go tool templ generate
	go test ./internal/api ./internal/signin -run 'OpenAPI|Decision' -update

fmt: ## format the sources
	go tool templ fmt internal
	go tool gofumpt -w $$(git ls-files --cached --others --exclude-standard '*.go' | grep -v '_templ\.go$$')

lint: ## what CI says about the sources without running them
	@.ci/run lint

bench: ## measure the server against bare handlers, on both databases
	go run ./bench

build: ## make the program ./matricula
	go build -trimpath -o matricula ./cmd/matricula

demo: ## a small school on a throw-away database
	go run ./cmd/matricula demo

screenshots: ## pictures of every page, on desktop and phone, light and dark, in ./screenshots
	@rm -rf screenshots
	go test ./internal/apptest/story -count=1 -run PagesOnEveryScreen -screenshots "$(CURDIR)/screenshots"
	@echo "the pictures are in $(CURDIR)/screenshots"

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@scripts/fuzz $(FUZZTIME)

ci: ## everything that CI runs
	@.ci/run
