# The two commands of the README are `make demo` and `make test`.
#
# Everything is built in one profile and, by default, in one folder outside the checkout, because
# RocksDB costs ten minutes of two cores: a second checkout finds it built.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/fengni/target
BIN = $(CARGO_TARGET_DIR)/debug

.PHONY: help setup build readers web test-web demo test test-long kills bench bench-upkeep bench-web check fmt clippy docs

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install what a fresh Debian 12 lacks
	@.ci/setup

build: setup ## all programs
	cargo build --workspace --bins

WEB = $(CARGO_TARGET_DIR)/web
NPM = sdk/web/node_modules

web: ## the verifier in WebAssembly and the pages, as a folder of static files
	@.ci/setup-web
	@rm -rf $(WEB)
	@mkdir -p $(WEB)/fengni $(WEB)/vendor/zxing/reader
	cp -R sdk/web/site/. $(WEB)/
	cp sdk/wasm/package/* sdk/wasm/README.md $(WEB)/fengni/
	sdk/wasm/build verifier core $(WEB)/fengni
	sdk/wasm/build register register_core $(WEB)/fengni
	sdk/wasm/build wallet wallet_core $(WEB)/fengni
	cp $(NPM)/zxing-wasm/dist/es/share.js $(NPM)/zxing-wasm/LICENSE $(NPM)/zxing-wasm/dist/reader/zxing_reader.wasm $(WEB)/vendor/zxing/
	cp $(NPM)/zxing-wasm/dist/es/reader/index.js $(WEB)/vendor/zxing/reader/
	@for file in $(WEB)/fengni/*.wasm; do echo "$$file: $$(gzip -9 -c $$file | wc -c) bytes gzipped"; done

test-web: web ## the same vectors, mutations and a measurement in Node
	FENGNI_PACKAGE=$(WEB)/fengni node --test sdk/wasm/test/

demo: build ## four validators, an observer and the story; ONCE=1 ends with exit code 0 when every verdict was right
	@$(BIN)/fengni-demo $(if $(ONCE),--once)

# The core's tests switch a second suite of algorithms on; apart from the rest, so that programs
# are built once and without it.
CORE = -p fengni-core -p fengni-state
REST = --workspace --exclude fengni-core --exclude fengni-state

PYTHON = $(CARGO_TARGET_DIR)/python

readers: ## other people's readers of our formats, for the tests
	@.ci/setup-python $(PYTHON)

test: build web readers ## all fast tests
	cargo test $(CORE)
	cargo test $(REST)
	FENGNI_PACKAGE=$(WEB)/fengni node --test sdk/wasm/test/

test-long: build web readers ## tests that take minutes: long fault runs, full fuzz
	cargo test $(CORE) -- --include-ignored
	cargo test $(REST) -- --include-ignored

kills: build ## kill -9 at 200 random moments over four validators under load; FENGNI_KILLS, FENGNI_SEED
	cargo test -p fengni-tests --test faults -- --ignored --nocapture ops02_two_hundred

bench: build ## a table for this machine
	@$(BIN)/fengni-bench

bench-upkeep: build ## of that table, joining, restoring, falling behind and pruning a large register
	@$(BIN)/fengni-bench upkeep

bench-web: build web ## from the pack of a province to a verdict, in Chromium and in Node
	@$(BIN)/fengni-bench packs --write $(CARGO_TARGET_DIR)/province
	@node sdk/web/test/pack-time.mjs --site $(WEB) --province $(CARGO_TARGET_DIR)/province
	@FENGNI_PROVINCE=$(CARGO_TARGET_DIR)/province FENGNI_PACKAGE=$(WEB)/fengni node --test sdk/wasm/test/speed.test.mjs

check: fmt clippy docs ## form, lints, documentation

fmt:
	cargo fmt --all --check

clippy: setup
	cargo clippy --workspace --all-targets -- -D warnings

docs: setup
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
