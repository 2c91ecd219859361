#!/usr/bin/env bash
# The firmware's identity depends on its bytes: two checkouts and two cargo homes give the same ELF
# files.
set -euo pipefail
cd "$(dirname "$0")/.."
first=$(cargo hil build --json)
elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/another checkout.XXXXXX")
trap 'rm -rf "$elsewhere"' EXIT
# Only what git tracks, with its uncommitted changes; the copy is built by the same hil.
git ls-files -z --cached --others --exclude-standard -- firmware harness/cli/Cargo.toml \
  | xargs -0 cp --parents --target-directory "$elsewhere"
mkdir "$elsewhere/cargo-home"
home=${CARGO_HOME:-$HOME/.cargo}
for part in config.toml credentials.toml registry/cache registry/index; do
  if [ -e "$home/$part" ]; then
    mkdir -p "$(dirname "$elsewhere/cargo-home/$part")"
    cp -R "$home/$part" "$elsewhere/cargo-home/$part"
  fi
done
hil=$PWD/target/release/hil
second=$(cd "$elsewhere/firmware" && CARGO_HOME=$elsewhere/cargo-home "$hil" build --json)
python3 - "$first" "$second" <<'PYTHON'
import json, pathlib, sys
first, second = (json.loads(text) for text in sys.argv[1:])
for name, one, other in [("firmware", first, second), ("boot stub", first["boot_stub"], second["boot_stub"])]:
    paths = one["elf"], other["elf"]
    if paths[0] == paths[1]:
        sys.exit(f"error: both builds of the {name} are the same file {paths[0]}")
    files = [pathlib.Path(path).read_bytes() for path in paths]
    if files[0] != files[1]:
        sys.exit(f"error: the {name} differs between {paths[0]} and {paths[1]}")
    print(f"the {name} is the same {len(files[0])} bytes from two checkouts and two cargo homes")
PYTHON
