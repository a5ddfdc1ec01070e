# The two commands of the README are `make demo` and `make test`.
#
# Everything is built in one profile and, by default, in one folder outside the checkout, because
# RocksDB costs ten minutes of two cores: a second checkout finds it built.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/fengni/target
BIN = $(CARGO_TARGET_DIR)/debug

.PHONY: help setup build demo test test-long bench check fmt clippy docs

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## install what a fresh Debian 12 lacks
	@.ci/setup

build: setup ## all programs
	cargo build --workspace --bins

demo: build ## four validators, an observer and the story; ONCE=1 ends with exit code 0 when every verdict was right
	@$(BIN)/fengni-demo $(if $(ONCE),--once)

# The core's tests switch a second suite of algorithms on; apart from the rest, so that programs
# are built once and without it.
CORE = -p fengni-core -p fengni-state
REST = --workspace --exclude fengni-core --exclude fengni-state

test: build ## all fast tests
	cargo test $(CORE)
	cargo test $(REST)

test-long: build ## tests that take minutes: long fault runs, full fuzz
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
