#!/usr/bin/env bash
# The firmware's image holds no floating-point instruction and does not depend on where it is built.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(cargo hil build --json | python3 -c '
import json, shlex, sys
print("elf=" + shlex.quote(json.load(sys.stdin)["elf"]))')"
arm-none-eabi-objdump --disassemble --no-show-raw-insn "$elf" > target/firmware.disassembly
# Every VFP mnemonic begins with v; no integer instruction of Armv7E-M does.
if grep -nP '^\s*[0-9a-f]+:\s+v[a-z]' target/firmware.disassembly | head; then
  echo "error: the firmware holds floating-point instructions"; exit 1
fi
echo "no floating-point instruction in $(wc -l < target/firmware.disassembly) lines of disassembly"
bash ci/reproducible-firmware.sh
