#!/usr/bin/env bash
# The files of ci/rack are what the programs that read them expect. What is not installed is a
# counted skip.
set -euo pipefail
cd "$(dirname "$0")/rack"
checked=0 skipped=0
skip() { echo "skipped: $1 is not here"; skipped=$((skipped + 1)); }

if command -v systemd-analyze >/dev/null; then
  # The units' program and user are of the machine with the rack: here they may be missing.
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  sed -e 's|^\(ExecStart\(Pre\)\?\)=.*|\1=/bin/true|' -e 's|^User=.*|User=root|' hil-rack.service >"$folder/hil-rack.service"
  cp hil-rack.timer "$folder/"
  if ! complaints=$(systemd-analyze verify --man=no "$folder/hil-rack.service" "$folder/hil-rack.timer" 2>&1) ||
    grep -q "hil-rack" <<<"$complaints"; then
    echo "$complaints"
    exit 1
  fi
  checked=$((checked + 1))
  systemd-analyze calendar '*-*-* 02:17:00' >/dev/null
else
  skip systemd-analyze
fi

if command -v systemd-tmpfiles >/dev/null; then
  # A root of its own: nothing of this machine is touched. The group is one that is always there.
  root=$(mktemp -d)
  sed 's/ plugdev / root /' hil.tmpfiles.conf >"$root/hil.conf"
  systemd-tmpfiles --root="$root" --create "$root/hil.conf"
  mode=$(stat -c %a "$root/run/lock/hil")
  rm -rf "$root"
  [ "$mode" = 3775 ] || { echo "/run/lock/hil would have mode $mode"; exit 1; }
  checked=$((checked + 1))
else
  skip systemd-tmpfiles
fi

if udevadm verify --help >/dev/null 2>&1; then
  udevadm verify --no-summary --no-style 69-hil.rules
  checked=$((checked + 1))
else
  skip "udevadm verify"
fi

if command -v actionlint >/dev/null; then
  actionlint -no-color github-nightly.yml
  checked=$((checked + 1))
else
  skip actionlint
fi

if python3 -c 'import yaml' 2>/dev/null; then
  python3 - github-nightly.yml gitlab-nightly.yml rack.yaml <<'EOF'
import sys, yaml
for path in sys.argv[1:]:
    with open(path) as file:
        document = yaml.safe_load(file)
    assert isinstance(document, dict) and document, path
EOF
  checked=$((checked + 1))
else
  skip "Python's yaml"
fi
echo "$checked kinds of files checked, $skipped skipped"
