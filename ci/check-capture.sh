#!/usr/bin/env bash
# tshark, which nobody here wrote, reads a run's capture: the TLS keys in it open the registration
# and the hub connection, and no packet is malformed.
#   bash ci/check-capture.sh DIR    where DIR is the --out folder of a run of scenarios/basics
set -euo pipefail
capture=$(ls "$1"/the-tutorial-s-uds-*/network.pcapng)
seen=$(tshark -r "$capture" 2>/dev/null)
need() { grep -qF "$1" <<<"$seen" || { echo "error: tshark sees no $1 in $capture"; exit 1; }; }
need 'PUT /0ne00000000/registrations/'
need 'HTTP/1.1 200 OK'
need 'Connect Command'
need 'devices/AZ3166/messages/events/'
# The alias certificate's country is a UTF8String, as the DevKit's SDK makes it; tshark calls that
# malformed (RFC 5280 wants a PrintableString), so certificates are judged elsewhere.
bad=$(tshark -r "$capture" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
  -Y '(_ws.malformed && !tls.handshake.certificate) || ip.checksum.status == 0 || tcp.checksum.status == 0' 2>/dev/null | wc -l)
[ "$bad" = 0 ] || { echo "error: tshark finds $bad bad packets in $capture"; exit 1; }
echo "tshark reads $(wc -l <<<"$seen") packets, their plaintext and no fault"
