# The ways in. Each does its own set-up, asks nothing and can be repeated; the scripts in tests/bed say how.

.PHONY: demo demo-down test lint bench deny clean

demo: ## from nothing to three machines and a page from their database
	tests/bed/demo.sh

demo-down: ## takes the demo's machines away, and the engine if the demo started it
	tests/bed/demo.sh down

test: ## everything, on real engines with a cgroup v1 and a cgroup v2 view
	tests/bed/test.sh

lint: ## formatting, clippy, shellcheck
	tests/bed/lint.sh

bench: ## sdcompose, the engine's floor and Docker Compose side by side
	tests/bed/bench.sh

deny: ## licences, sources and bans of the dependency graph; installs cargo-deny first, which takes minutes
	cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	cargo deny --locked --all-features check bans licenses sources

clean: ## build results, and the bed's engines, images and caches
	tests/bed/clean.sh
	cargo clean
