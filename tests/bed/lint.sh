#!/bin/sh
# The checks that need no engine and run no code: formatting, clippy, shellcheck.
set -eu
cd "$(dirname "$0")/../.."
cargo fmt --check
cargo clippy --quiet --locked --all-targets -- -D warnings
if command -v shellcheck >/dev/null; then
    shellcheck -x -P SCRIPTDIR .ci/run tests/bed/*.sh tests/bed/machine/usr/local/bin/*
else
    echo 'lint.sh: shellcheck is not installed, so the scripts are not checked (tests/bed/install.sh installs it)' >&2
fi
