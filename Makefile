# The two commands of the README are `make demo` and `make test`.
#
# Everything is built in one profile and, by default, in one folder outside the checkout, because
# RocksDB costs ten minutes of two cores: a second checkout finds it built.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/fengni/target
BIN = $(CARGO_TARGET_DIR)/debug

.PHONY: help setup build web test-web demo test test-long bench check fmt clippy docs

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## install what a fresh Debian 12 lacks
	@.ci/setup

build: setup ## all programs
	cargo build --workspace --bins

WEB = $(CARGO_TARGET_DIR)/web
WASM = $(CARGO_TARGET_DIR)/wasm32-unknown-unknown/wasm/fengni_wasm.wasm
NPM = sdk/web/node_modules
# What rustc uses anyway, and every browser of the last years has.
WASM_FEATURES = $(addprefix --enable-,bulk-memory nontrapping-float-to-int sign-ext mutable-globals reference-types multivalue)

web: ## the verifier in WebAssembly and the pages, as a folder of static files
	@.ci/setup-web
	cargo build --profile wasm --target wasm32-unknown-unknown -p fengni-wasm
	cargo run --quiet --manifest-path sdk/wasm/glue/Cargo.toml --target-dir $(CARGO_TARGET_DIR)/glue -- $(WASM) $(CARGO_TARGET_DIR)/glue/out
	@rm -rf $(WEB)
	@mkdir -p $(WEB)/fengni $(WEB)/vendor/zxing/reader
	cp -R sdk/web/site/. $(WEB)/
	cp sdk/wasm/package/* sdk/wasm/README.md $(WEB)/fengni/
	cp $(CARGO_TARGET_DIR)/glue/out/core.js $(CARGO_TARGET_DIR)/glue/out/core.d.ts $(WEB)/fengni/
	$(NPM)/.bin/wasm-opt -Oz $(WASM_FEATURES) --strip-debug --strip-producers $(CARGO_TARGET_DIR)/glue/out/core_bg.wasm -o $(WEB)/fengni/core_bg.wasm
	cp $(NPM)/zxing-wasm/dist/es/share.js $(NPM)/zxing-wasm/LICENSE $(NPM)/zxing-wasm/dist/reader/zxing_reader.wasm $(WEB)/vendor/zxing/
	cp $(NPM)/zxing-wasm/dist/es/reader/index.js $(WEB)/vendor/zxing/reader/
	@echo "$(WEB): core_bg.wasm has $$(gzip -9 -c $(WEB)/fengni/core_bg.wasm | wc -c) bytes gzipped"

test-web: web ## the same vectors, mutations and a measurement in Node
	FENGNI_PACKAGE=$(WEB)/fengni node --test sdk/wasm/test/

demo: build ## four validators, an observer and the story; ONCE=1 ends with exit code 0 when every verdict was right
	@$(BIN)/fengni-demo $(if $(ONCE),--once)

# The core's tests switch a second suite of algorithms on; apart from the rest, so that programs
# are built once and without it.
CORE = -p fengni-core -p fengni-state
REST = --workspace --exclude fengni-core --exclude fengni-state

test: build web ## all fast tests
	cargo test $(CORE)
	cargo test $(REST)
	FENGNI_PACKAGE=$(WEB)/fengni node --test sdk/wasm/test/

test-long: build web ## tests that take minutes: long fault runs, full fuzz
	cargo test $(CORE) -- --include-ignored
	cargo test $(REST) -- --include-ignored

bench: build ## a table for this machine
	@$(BIN)/fengni-bench

check: fmt clippy docs ## form, lints, documentation

fmt:
	cargo fmt --all --check

clippy: setup
	cargo clippy --workspace --all-targets -- -D warnings

docs: setup
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
