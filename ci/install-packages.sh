#!/usr/bin/env bash
# Installs the Debian packages that CI's checks use; says what it cannot install.
#   qemu-system-arm          differential test of the processor engine
#   binutils-arm-none-eabi   disassembly of the firmware
#   openssl                  third opinion on certificates and TLS
#   tshark                   third opinion on network.pcapng
#   nodejs, npm, python3     Azure's own clients
#   swtpm                    a TPM for one of them
#   iproute2, util-linux     their network namespace
set -euo pipefail
declare -A tools=(
  [qemu-system-arm]=qemu-system-arm
  [binutils-arm-none-eabi]=arm-none-eabi-objdump
  [openssl]=openssl
  [tshark]=tshark
  [nodejs]=node
  [npm]=npm
  [python3]=python3
  [swtpm]=swtpm
  [iproute2]=ip
  [util-linux]=unshare
)
missing=()
for package in "${!tools[@]}"; do
  command -v "${tools[$package]}" >/dev/null || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
for package in "${!tools[@]}"; do
  command -v "${tools[$package]}" >/dev/null || { echo "error: $package did not install ${tools[$package]}"; exit 1; }
done
