#!/bin/sh
# Makes the published test keys (once; existing keys are kept) and every certificate under
# `keys/` and `certificates/`. Needs openssl 3. Serial numbers and dates are fixed; ECDSA and
# PSS signatures are not, so a new run changes the bytes but not the meaning.
set -eu
cd "$(dirname "$0")"
mkdir -p keys certificates
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { # name, genpkey options...
    name=$1; shift
    [ -f "keys/$name.pem" ] || openssl genpkey -quiet "$@" -out "keys/$name.pem"
}
for name in ec-root ec-intermediate ec-leaf ec-impostor ec-stranger; do
    key $name -algorithm EC -pkeyopt ec_paramgen_curve:P-256
done
for name in rsa-root rsa-intermediate rsa-impostor rsa-stranger; do
    key $name -algorithm RSA -pkeyopt rsa_keygen_bits:4096
done
key rsa-leaf -algorithm RSA -pkeyopt rsa_keygen_bits:2048

cat >"$work/ca.cnf" <<EOF
[ca]
database = $work/index.txt
new_certs_dir = $work
serial = $work/serial
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, permitted;DNS:azure-devices.net, permitted;DNS:azure-devices-provisioning.net
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:global.azure-devices-provisioning.net, DNS:*.azure-devices-provisioning.net, DNS:*.azure-devices.net
[wrong_name]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:wrong-name.test.azure-devices.net
EOF

issue() { # file, subject key, subject name, signer ('self' or certificate:key), extensions, serial, from, to, options...
    file=certificates/$1.der; subject_key=keys/$2.pem; name=$3; signer=$4; extensions=$5
    serial=$6; from=$7; to=$8; shift 8
    : >"$work/index.txt"
    echo "$serial" >"$work/serial"
    openssl req -new -key "$subject_key" -subj "/CN=$name" -out "$work/request.pem"
    if [ "$signer" = self ]; then
        set -- -selfsign -keyfile "$subject_key" "$@"
    else
        openssl x509 -inform DER -in "certificates/${signer%%:*}.der" -out "$work/signer.pem"
        set -- -cert "$work/signer.pem" -keyfile "keys/${signer##*:}.pem" "$@"
    fi
    openssl ca -name ca -config "$work/ca.cnf" -batch -notext -in "$work/request.pem" -out "$work/out.pem" \
        -extensions "$extensions" -startdate "${from}000000Z" -enddate "${to}000000Z" "$@" 2>"$work/log" ||
        { cat "$work/log"; exit 1; }
    openssl x509 -in "$work/out.pem" -outform DER -out "$file"
}

for kind in ec rsa; do
    case $kind in ec) hash=sha256 ;; rsa) hash=sha384 ;; esac
    warning="published key"
    root="AZ3166 HIL test root $kind ($warning)"
    intermediate="AZ3166 HIL test intermediate $kind ($warning)"
    host="global.azure-devices-provisioning.net"
    by_root=$kind-root:$kind-root
    by_intermediate=$kind-intermediate:$kind-intermediate
    issue $kind-root $kind-root "$root" self root 0101 20200101 20500101 -md $hash
    issue $kind-intermediate $kind-intermediate "$intermediate" $by_root intermediate 0102 20240101 20400101 -md $hash
    issue $kind-leaf $kind-leaf $host $by_intermediate leaf 0103 20250101 20350101 -md $hash
    issue $kind-expired $kind-leaf $host $by_intermediate leaf 0104 20240101 20250101 -md $hash
    issue $kind-not-yet-valid $kind-leaf $host $by_intermediate leaf 0105 20340101 20350101 -md $hash
    issue $kind-wrong-name $kind-leaf wrong-name.test.azure-devices.net $by_intermediate wrong_name 0106 20250101 20350101 -md $hash
    # A root that the device does not know at all.
    issue $kind-stranger-root $kind-stranger "AZ3166 HIL test stranger $kind ($warning)" self root 0201 20200101 20500101 -md $hash
    issue $kind-stranger-leaf $kind-leaf $host $kind-stranger-root:$kind-stranger leaf 0202 20250101 20350101 -md $hash
    # A root that has the trusted root's name but not its key.
    issue $kind-impostor-root $kind-impostor "$root" self root 0301 20200101 20500101 -md $hash
    issue $kind-impostor-leaf $kind-leaf $host $kind-impostor-root:$kind-impostor leaf 0302 20250101 20350101 -md $hash
done
issue rsa-leaf-pss rsa-leaf "global.azure-devices-provisioning.net" rsa-intermediate:rsa-intermediate leaf 0107 20250101 20350101 \
    -md sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48
for kind in ec rsa; do openssl pkcs8 -topk8 -nocrypt -in keys/$kind-leaf.pem -outform DER -out keys/$kind-leaf.der; done
