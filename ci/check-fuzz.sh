#!/usr/bin/env bash
# Compiles the fuzz targets. With SECONDS_EACH, runs each for that long too, which takes a nightly
# toolchain and cargo-fuzz:   SECONDS_EACH=30 bash ci/check-fuzz.sh
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
cargo check --locked

seconds=${SECONDS_EACH:-0}
[ "$seconds" -gt 0 ] || exit 0
failed=()
for target in $(cargo +nightly fuzz list); do
  printf '\n== %s ==\n' "$target"
  cargo +nightly fuzz run "$target" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 ||
    failed+=("$target")
done
if [ "${#failed[@]}" -gt 0 ]; then
  echo "failed: ${failed[*]}; the inputs are in fuzz/artifacts/" >&2
  exit 1
fi
