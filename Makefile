# What one does with this repository. `make run` and `make test` set everything up themselves.

BUILD = swift build -c release --static-swift-stdlib --explicit-target-dependency-import-check error
PROGRAM = .build/release/sidecar
# Seconds for each fuzz target and for the soak.
SECONDS_EACH ?= 30
SOAK_SECONDS ?= 60

.PHONY: help setup build run test check bench bench-peers fuzz sanitize soak

help:
	@echo 'make run          the example application behind the sidecar, with lines to paste'
	@echo 'make test         every test'
	@echo 'make check        format, structure, imports, what the program links'
	@echo 'make build        the program: $(PROGRAM)'
	@echo 'make bench        cost per request, beside the peers that make bench-peers installs'
	@echo 'make sanitize     the Swift tests under the address and the thread sanitizer'
	@echo 'make fuzz         every parser against random input, SECONDS_EACH=$(SECONDS_EACH)'
	@echo 'make soak         a thousand connections with rude clients and dying upstreams, SOAK_SECONDS=$(SOAK_SECONDS)'
	@echo 'make setup        what all of these need'

setup:
	@.ci/setup

build: setup
	$(BUILD)

run: build
	@examples/hello/run

test: setup
	@.ci/test

check: setup
	swift format lint --strict --parallel --recursive Package.swift Sources Tests
	python3 -B Tests/Tidy/tidy.py
	python3 -B Tests/Tidy/test_tidy.py --quiet
	$(BUILD)
	.ci/check-binary $(PROGRAM)

bench: build
	Tests/Benchmarks/bench.py

bench-peers:
	Tests/Benchmarks/install-peers

fuzz: setup
	Tests/Fuzz/run $(SECONDS_EACH)

sanitize: setup
	swift test --disable-xctest --quiet --sanitize=address --scratch-path .build-asan
	swift test --disable-xctest --quiet --sanitize=thread --scratch-path .build-tsan

soak: build
	.venv/bin/python Tests/EndToEnd/soak/soak.py --seconds $(SOAK_SECONDS)
