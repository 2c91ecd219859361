#!/usr/bin/env bash
# `cargo check` for the other hosts, where their standard library can be added. `hil serve` is left
# out: its TLS provider, ring, has C code, and a C compiler for those hosts is not to be had here.
set -euo pipefail
cd "$(dirname "$0")/.."
checked=0 skipped=0
for host in x86_64-pc-windows-gnu aarch64-apple-darwin; do
  if timeout 300 rustup target add "$host" >/dev/null 2>&1; then
    cargo check --locked --package az3166-hil --no-default-features --target "$host" --target-dir target/hosts
    checked=$((checked + 1))
  else
    echo "skipped: rustup cannot add $host here"
    skipped=$((skipped + 1))
  fi
done
echo "$checked hosts checked, $skipped skipped"
