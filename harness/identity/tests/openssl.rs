//! OpenSSL's command line as the third opinion; skipped, with a printed reason, where it is absent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use az3166_identity::{Profile, PublicKey};
use support::{Case, cases};

/// The subjects of the checks; `None` and a printed line where there is no OpenSSL.
fn with_openssl(check: impl Fn(&Case, &Path)) {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: the program `openssl` is not installed");
        return;
    }
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        check(&case, folder.path());
    }
}

fn openssl(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A SubjectPublicKeyInfo by its fixed prefix (RFC 5480), written here without the crate.
fn spki(key: &PublicKey) -> Vec<u8> {
    let prefix = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    [prefix.as_slice(), key.as_bytes()].concat()
}

#[test]
fn both_profiles_verify_with_the_device_id_key() {
    with_openssl(|case, folder| {
        let identity = case.identity();
        fs::write(folder.join("key.der"), spki(identity.device_id().public())).unwrap();
        for profile in [Profile::Strict, Profile::Devkit] {
            let certificate = identity.alias_certificate(&case.id(), profile);
            // The signed part follows the outer header; the signature is the last BIT STRING.
            let der = certificate.der();
            let tbs_length = usize::from(der[6]) << 8 | usize::from(der[7]);
            let (tbs, rest) = der[4..].split_at(4 + tbs_length);
            fs::write(folder.join("tbs"), tbs).unwrap();
            fs::write(folder.join("signature"), &rest[12 + 3..]).unwrap();
            let verdict = "dgst -sha256 -verify key.der -keyform DER -signature signature tbs";
            assert_eq!(text(openssl(folder, verdict)), "Verified OK\n", "{profile}");
        }
    });
}

#[test]
fn a_strict_certificate_is_taken_and_shows_what_we_say() {
    with_openssl(|case, folder| {
        let identity = case.identity();
        let strict = identity.alias_certificate(&case.id(), Profile::Strict);
        fs::write(folder.join("alias.pem"), strict.to_pem()).unwrap();
        let shown = text(openssl(
            folder,
            "x509 -in alias.pem -noout -subject -serial -dates -fingerprint -sha256 -ext extendedKeyUsage,subjectAltName",
        ));
        for expected in [
            &format!("CN = {}, C = US, O = DEVKIT_TEST", case.registration_id),
            "serial=0A0B0C0D0E",
            "notBefore=Jan  1 00:00:00 2017 GMT",
            "notAfter=Jan  1 00:00:00 2037 GMT",
            "TLS Web Client Authentication",
            "othername: 1.3.6.1.4.1.311.89.3.1",
        ] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        assert!(
            shown
                .replace(':', "")
                .contains(&strict.thumbprints().sha256)
        );
        let device_id = identity.device_id_certificate(Profile::Strict);
        fs::write(folder.join("ca.pem"), device_id.to_pem()).unwrap();
        let verified =
            "verify -partial_chain -no_check_time -CAfile ca.pem -purpose sslclient alias.pem";
        assert_eq!(text(openssl(folder, verified)), "alias.pem: OK\n");
    });
}

#[test]
fn the_device_id_certificate_is_self_signed_in_both_profiles() {
    with_openssl(|case, folder| {
        for profile in [Profile::Strict, Profile::Devkit] {
            let certificate = case.identity().device_id_certificate(profile);
            fs::write(folder.join("ca.pem"), certificate.to_pem()).unwrap();
            let verified = "verify -no_check_time -check_ss_sig -CAfile ca.pem ca.pem";
            assert_eq!(text(openssl(folder, verified)), "ca.pem: OK\n");
            let shown = text(openssl(
                folder,
                "x509 -in ca.pem -noout -serial -ext basicConstraints",
            ));
            assert!(shown.contains("serial=0E0D0C0B0A"));
            assert!(shown.contains("X509v3 Basic Constraints: \n    CA:TRUE, pathlen:2"));
        }
    });
}

#[test]
fn a_devkit_certificate_is_marked_invalid() {
    with_openssl(|case, folder| {
        let devkit = case
            .identity()
            .alias_certificate(&case.id(), Profile::Devkit);
        fs::write(folder.join("alias.pem"), devkit.to_pem()).unwrap();
        let device_id = case.identity().device_id_certificate(Profile::Devkit);
        fs::write(folder.join("ca.pem"), device_id.to_pem()).unwrap();
        let verified = "verify -no_check_time -CAfile ca.pem -purpose sslclient alias.pem";
        assert!(!openssl(folder, verified).status.success());
    });
}

#[test]
fn the_alias_key_file_belongs_to_the_certificate() {
    with_openssl(|case, folder| {
        let identity = case.identity();
        let pem = identity.alias().to_sec1_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
        fs::write(folder.join("alias.key"), pem.as_bytes()).unwrap();
        let public = openssl(folder, "ec -in alias.key -check -pubout -outform DER");
        assert!(public.status.success());
        assert_eq!(public.stdout, spki(identity.alias().public()));
    });
}
