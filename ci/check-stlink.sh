#!/usr/bin/env bash
# The board's tests once more, by the real ST-Link driver of probe-rs over a software USB.
# A workspace of its own, because it swaps the crate that talks to the kernel's USB.
set -euo pipefail
cd "$(dirname "$0")/virtual-stlink"
export CARGO_TARGET_DIR=../../target
cargo fmt --package nusb --package virtual-stlink --check
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo test --locked --workspace
