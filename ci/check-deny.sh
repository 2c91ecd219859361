#!/usr/bin/env bash
# Licences, banned crates and sources. The advisory database is left out: it lies in a git
# repository, and this check must run with package registries alone.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/target/tools
if ! "$root/bin/cargo-deny" --version >/dev/null 2>&1; then
  # Unoptimised: it runs once for seconds, and compiles in a third of the time.
  cargo install --quiet --locked --debug --root "$root" --target-dir target/tools/build cargo-deny
fi
"$root/bin/cargo-deny" --locked check bans licenses sources
"$root/bin/cargo-deny" --manifest-path firmware/Cargo.toml --config deny.toml --locked check bans licenses sources
