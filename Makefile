# SPDX-License-Identifier: MIT
.DEFAULT_GOAL := help
.PHONY: help prepared build run test check format tidy size release bench fuzz asan e2e \
  rehearsal screenshots board flash qemu-board qemu-memory qemu-idle flash-device power-cut \
  flash-bench clean

PORT ?= 3000
SECONDS ?= 60
DATA ?= data

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

# What compiling for the host needs: packages, certificate authorities, packed documents.
prepared:
	@scripts/install-packages.sh run
	@scripts/roots.sh
	@scripts/documents.sh

build: prepared ## the host binary (ordinary Swift, for development)
	swift build

run: build ## builds and starts the gateway on PORT (3000) with its data in DATA (data)
	@exec .build/debug/TinyGateway serve --port $(PORT) --data-dir $(DATA)

test: ## everything: style, unit tests, Embedded builds, end-to-end tests
	@scripts/test.sh

check: prepared tidy ## style and unit tests only
	swift test

format: ## formats all Swift sources in place
	swift format --in-place --recursive --configuration .swift-format Package.swift Sources Tests

tidy: ## style as a failing check: format, layers, file and function length
	@scripts/tidy.sh

release: ## stripped static binaries for every target in dist/
	@scripts/install-packages.sh release
	@scripts/roots.sh
	@scripts/release.sh $(TARGETS)

size: ## bytes of each release binary, by module
	@scripts/size.sh

e2e: ## end-to-end tests against dist/x86_64
	@scripts/e2e.sh x86_64

rehearsal: ## walks the product as its users do; WALK=clone|owner|developer|operator|bad-day
	@scripts/install-packages.sh test
	@for target in x86_64 armv7; do \
	  [ -x dist/$$target/tinygateway ] || \
	  $(MAKE) --no-print-directory release TARGETS=$$target || exit; done
	@scripts/rehearsal.sh $(WALK)

screenshots: ## a picture of every page in docs/images
	@scripts/install-packages.sh test screenshots
	@[ -x dist/x86_64/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=x86_64
	@scripts/screenshots.sh

board: ## packages and images of BOARD (a name in board-configs) in dist/BOARD
	@scripts/install-packages.sh board
	@target="$$(sed -n 's/^target: *//p' board-configs/$(BOARD).yaml)"; \
	  [ -z "$$target" ] || [ -x "dist/$$target/tinygateway" ] || \
	  $(MAKE) --no-print-directory release TARGETS="$$target"
	@scripts/board.py $(BOARD)

flash: ## brings dist/BOARD to TARGET, VIA ssh, adb or dev; ROLLBACK=1 goes back
	@scripts/flash.py $(BOARD) --via $(VIA) --target '$(TARGET)' \
	  $(if $(YES),--yes) $(if $(ROLLBACK),--rollback)

qemu-board: ## cuts an emulated board's power CUTS (2) times; MACHINE=sd|nor|nor-512k|nor-2m
	@scripts/install-packages.sh qemu
	@target=$(if $(filter nor-2m,$(MACHINE)),armv5te,armv7); [ -x dist/$$target/tinygateway ] || \
	  $(MAKE) --no-print-directory release TARGETS=$$target
	@scripts/qemu-board.py --machine $(or $(MACHINE),sd) --cuts $(or $(CUTS),2)

flash-device: ## bytes that reach emulated flash for 1,000 requests; writes docs/flash-device.md
	@scripts/install-packages.sh qemu
	@[ -x dist/armv7/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=armv7
	@scripts/flash-device.py --write docs/flash-device.md

qemu-memory: ## start time, and TLS streams in 32 MB, on an emulated Orange Pi PC
	@scripts/install-packages.sh qemu
	@[ -x dist/armv7/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=armv7
	@scripts/qemu-memory.py

qemu-idle: ## what emulated boards write in a day without a request
	@scripts/install-packages.sh qemu
	@[ -x dist/armv7/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=armv7
	@scripts/qemu-idle.py

bench: ## the gateway beside nginx; writes docs/performance.md
	@scripts/install-packages.sh bench
	@[ -x dist/x86_64/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=x86_64
	@scripts/bench.sh --write docs/performance.md

power-cut: ## 200 kills under load and every simulated power cut; ROUNDS=n LONGER=seconds
	@[ -x dist/x86_64/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=x86_64
	@scripts/power-cut.sh $(or $(ROUNDS),200) $(LONGER)

flash-bench: ## bytes, calls and syncs of a simulated day for each board; writes docs/flash.md
	@scripts/install-packages.sh bench
	@[ -x dist/x86_64/tinygateway ] || $(MAKE) --no-print-directory release TARGETS=x86_64
	@scripts/flash-bench.sh --write docs/flash.md

fuzz: prepared ## every fuzz target for SECONDS (60)
	@scripts/fuzz.sh $(SECONDS)

asan: prepared ## unit tests under AddressSanitizer
	ASAN_OPTIONS=symbolize=0:detect_leaks=0 swift test --sanitize=address --scratch-path .build/asan

clean: ## forgets all that was built here (the cache of C libraries stays)
	rm -rf .build dist
