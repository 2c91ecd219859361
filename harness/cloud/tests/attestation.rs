//! The ways in which devices prove who they are, over real TLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test says where"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use az3166_cloud::{
    Attestation, CertificateDates, CloudConfig, DeviceCertificate, Enrolment, EnrolmentGroup,
    GroupAttestation, ProvisioningStatus, ServerChain, SymmetricKey, SymmetricKeys, VIRTUAL_EPOCH,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rstest::rstest;
use sha2::Sha256;
use support::{Answer, Client, DPS, Device, ID, World};

fn config() -> CloudConfig {
    CloudConfig::virtual_time([3; 32], ServerChain::EcdsaP256)
}

fn key(byte: u8) -> SymmetricKey {
    SymmetricKey::new(vec![byte; 32]).unwrap()
}

fn keys() -> SymmetricKeys {
    SymmetricKeys {
        primary: key(1),
        secondary: key(2),
    }
}

/// A registration's answer in the end: its first one, if that is no 202.
fn outcome(world: &mut World, client: &mut Client, id: &str, fields: &str) -> Answer {
    let path = format!("/0ne00000000/registrations/{id}/register?api-version=2021-06-01");
    let answer = world.http_with(client, ("PUT", &path), fields, "{}");
    if answer.status != 202 {
        return answer;
    }
    world.wait(Duration::from_secs(4));
    let operation = answer.operation_id();
    let path =
        format!("/0ne00000000/registrations/{id}/operations/{operation}?api-version=2021-06-01");
    world.http_with(client, ("GET", &path), fields, "")
}

mod by_key {
    use super::*;

    /// A client's token, with parts that a test may spoil.
    struct Signed {
        resource: String,
        key: Vec<u8>,
        expiry: u64,
        after: &'static str,
    }

    impl Signed {
        fn good() -> Self {
            Self {
                resource: format!("0ne00000000%2Fregistrations%2F{ID}"),
                key: vec![1; 32],
                expiry: VIRTUAL_EPOCH.as_secs() + 3600,
                after: "&skn=registration",
            }
        }

        fn field(&self) -> String {
            let mut code = Hmac::<Sha256>::new_from_slice(&self.key).unwrap();
            code.update(format!("{}\n{}", self.resource, self.expiry).as_bytes());
            let signature = STANDARD.encode(code.finalize().into_bytes());
            let signature = signature
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D");
            format!(
                "Authorization: SharedAccessSignature sr={}&sig={signature}&se={}{}\r\n",
                self.resource, self.expiry, self.after
            )
        }
    }

    #[rstest]
    #[case::primary(Signed::good(), 200)]
    #[case::secondary(Signed { key: vec![2; 32], ..Signed::good() }, 200)]
    #[case::lower_case_escapes(Signed { resource: format!("0ne00000000%2fregistrations%2f{ID}"), ..Signed::good() }, 200)]
    #[case::no_escapes(Signed { resource: format!("0ne00000000/registrations/{ID}"), ..Signed::good() }, 200)]
    #[case::no_key_name(Signed { after: "", ..Signed::good() }, 200)]
    #[case::other_key(Signed { key: vec![3; 32], ..Signed::good() }, 401)]
    #[case::other_device(Signed { resource: "0ne00000000%2Fregistrations%2Fother".into(), ..Signed::good() }, 401)]
    #[case::other_scope(Signed { resource: format!("0ne11111111%2Fregistrations%2F{ID}"), ..Signed::good() }, 401)]
    #[case::expired(Signed { expiry: VIRTUAL_EPOCH.as_secs(), ..Signed::good() }, 401)]
    #[case::other_key_name(Signed { after: "&skn=provisioningserviceowner", ..Signed::good() }, 401)]
    fn tokens(#[case] token: Signed, #[case] status: u16) {
        let mut world = World::new();
        let enrolment = Enrolment::new(ID, Attestation::SymmetricKey(keys()));
        world.cloud.enrol(enrolment).unwrap();
        let mut client = world.connect(DPS, 443, None);
        let answer = outcome(&mut world, &mut client, ID, &token.field());
        assert_eq!(answer.status, status, "{}", answer.body);
        if status == 401 {
            assert_eq!(answer.error_code(), 401_000);
        } else {
            let state = &answer.json()["registrationState"];
            assert_eq!(state["status"], "assigned");
            assert!(state["x509"].is_null() && state["symmetricKey"].is_null());
        }
    }

    #[test]
    fn no_token_and_no_sense_are_refused() {
        let mut world = World::new();
        let enrolment = Enrolment::new(ID, Attestation::SymmetricKey(keys()));
        world.cloud.enrol(enrolment).unwrap();
        let mut client = world.connect(DPS, 443, None);
        for fields in ["", "Authorization: Basic eDp5\r\n", "Authorization:\r\n"] {
            let answer = outcome(&mut world, &mut client, ID, fields);
            assert_eq!((answer.status, answer.error_code()), (401, 401_000));
        }
    }

    #[rstest]
    #[case::primary(1, ProvisioningStatus::Enabled, "assigned")]
    #[case::secondary(2, ProvisioningStatus::Enabled, "assigned")]
    #[case::disabled(1, ProvisioningStatus::Disabled, "disabled")]
    fn groups(#[case] byte: u8, #[case] status: ProvisioningStatus, #[case] expected: &str) {
        let mut world = World::new();
        let mut group = EnrolmentGroup::new("fleet", GroupAttestation::SymmetricKey(keys()));
        group.policy.provisioning_status = status;
        world.cloud.enrol_group(group).unwrap();
        let mut code = Hmac::<Sha256>::new_from_slice(&[byte; 32]).unwrap();
        code.update(ID.as_bytes());
        let token = Signed {
            key: code.finalize().into_bytes().to_vec(),
            ..Signed::good()
        };
        let mut client = world.connect(DPS, 443, None);
        let answer = outcome(&mut world, &mut client, ID, &token.field());
        assert_eq!(answer.status, 200, "{}", answer.body);
        let state = &answer.json()["registrationState"];
        assert_eq!(state["status"], expected);
        if expected == "assigned" {
            assert_eq!(state["symmetricKey"]["enrollmentGroupId"], "fleet");
            assert_eq!(state["deviceId"], ID);
        }
        // The group's own key is nobody's.
        let token = Signed {
            key: vec![byte; 32],
            ..Signed::good()
        };
        let answer = outcome(&mut world, &mut client, ID, &token.field());
        assert_eq!((answer.status, answer.error_code()), (401, 401_000));
    }

    #[test]
    fn an_own_enrolment_precedes_the_group() {
        let mut world = World::new();
        let group = GroupAttestation::SymmetricKey(keys());
        world
            .cloud
            .enrol_group(EnrolmentGroup::new("fleet", group))
            .unwrap();
        let own = Enrolment::new(ID, Attestation::SymmetricKey(keys())).disabled();
        world.cloud.enrol(own).unwrap();
        let mut client = world.connect(DPS, 443, None);
        let answer = outcome(&mut world, &mut client, ID, &Signed::good().field());
        assert_eq!(answer.json()["status"], "disabled");
    }

    /// OpenSSL signs what it is told to; nothing of ours is involved.
    #[test]
    fn a_token_by_openssl() {
        let resource = format!("0ne00000000/registrations/{ID}");
        let expiry = VIRTUAL_EPOCH.as_secs() + 60;
        let message = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sas-message");
        std::fs::write(&message, format!("{resource}\n{expiry}")).unwrap();
        let key = format!("hexkey:{}", "01".repeat(32));
        let output = Command::new("openssl")
            .args([
                "dgst", "-sha256", "-mac", "HMAC", "-binary", "-macopt", &key,
            ])
            .arg(&message)
            .output();
        let Ok(output) = output else {
            eprintln!("skipped: OpenSSL is not installed");
            return;
        };
        let fields = format!(
            "authorization: SharedAccessSignature sig={}&se={expiry}&sr={resource}\r\n",
            STANDARD.encode(&output.stdout).replace('+', "%2b")
        );
        let mut world = World::new();
        let enrolment = Enrolment::new(ID, Attestation::SymmetricKey(keys()));
        world.cloud.enrol(enrolment).unwrap();
        let mut client = world.connect(DPS, 443, None);
        let answer = outcome(&mut world, &mut client, ID, &fields);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

mod by_chain {
    use super::*;

    /// A certificate with what signs under it.
    struct Authority {
        der: Vec<u8>,
        issuer: Issuer<'static, KeyPair>,
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn ca(name: &str) -> CertificateParams {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    fn root(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let der = ca(name).self_signed(&key).unwrap().der().to_vec();
        Authority {
            der,
            issuer: Issuer::new(ca(name), key),
        }
    }

    impl Authority {
        fn authority(&self, params: CertificateParams) -> Self {
            let key = KeyPair::generate().unwrap();
            let der = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
            Self {
                der,
                issuer: Issuer::new(params, key),
            }
        }

        fn device(&self, params: &CertificateParams, issuers: &[&Self]) -> Device {
            let key = KeyPair::generate().unwrap();
            let der = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
            let issuers = issuers.iter().map(|issuer| issuer.der.clone()).collect();
            Device::from_parts(der, issuers, key.serialize_der())
        }
    }

    fn group(name: &str, der: &[u8]) -> EnrolmentGroup {
        EnrolmentGroup::new(
            name,
            GroupAttestation::X509 {
                primary: DeviceCertificate::from_der(der).unwrap(),
                secondary: None,
            },
        )
    }

    fn disabled(mut group: EnrolmentGroup) -> EnrolmentGroup {
        group.policy.provisioning_status = ProvisioningStatus::Disabled;
        group
    }

    /// What a device is told: the group that it got in by, `disabled`, or the error code.
    fn told(groups: Vec<EnrolmentGroup>, device: &Device) -> String {
        told_by(config(), groups, device)
    }

    fn told_by(config: CloudConfig, groups: Vec<EnrolmentGroup>, device: &Device) -> String {
        let mut world = World::with(config);
        for group in groups {
            world.cloud.enrol_group(group).unwrap();
        }
        let mut client = world.connect(DPS, 443, Some(device));
        let answer = outcome(&mut world, &mut client, ID, "");
        let body = answer.json();
        match body["status"].as_str() {
            Some("assigned") => {
                assert_eq!(body["registrationState"]["deviceId"], ID);
                let x509 = &body["registrationState"]["x509"];
                x509["enrollmentGroupId"].as_str().unwrap().to_owned()
            }
            Some(status) => status.to_owned(),
            None => format!("{} {}", answer.error_code(), body["message"]),
        }
    }

    const NO_CA: &str = "401002 \"CA certificate not found.\"";
    const INVALID: &str = "401002 \"Invalid certificate.\"";

    #[test]
    fn the_nearest_authority_decides() {
        let root = root("root");
        let middle = root.authority(ca("middle"));
        let device = middle.device(&params(ID), &[&middle]);
        let (by_root, by_middle) = (|| group("root", &root.der), || group("middle", &middle.der));
        assert_eq!(told(vec![by_root()], &device), "root");
        assert_eq!(told(vec![by_middle()], &device), "middle");
        assert_eq!(told(vec![by_root(), by_middle()], &device), "middle");
        let groups = vec![by_root(), disabled(by_middle())];
        assert_eq!(told(groups, &device), "disabled");
        let groups = vec![disabled(by_root()), by_middle()];
        assert_eq!(told(groups, &device), "middle");
    }

    #[test]
    fn the_chain_must_be_sent_as_far_as_it_is_not_known() {
        let root = root("root");
        let middle = root.authority(ca("middle"));
        let low = middle.authority(ca("low"));
        let by_root = || vec![group("root", &root.der)];
        let told_with = |issuers: &[&Authority]| told(by_root(), &low.device(&params(ID), issuers));
        assert_eq!(told_with(&[&low, &middle]), "root");
        assert_eq!(told_with(&[&middle, &low, &root]), "root");
        assert_eq!(told_with(&[&low]), NO_CA);
        assert_eq!(told_with(&[&middle]), NO_CA);
        assert_eq!(told_with(&[]), NO_CA);
        let device = low.device(&params(ID), &[]);
        assert_eq!(told(vec![group("low", &low.der)], &device), "low");
    }

    #[test]
    fn names_without_signatures_are_no_chain() {
        let (real, impostor) = (root("root"), root("root"));
        let device = impostor.device(&params(ID), &[&impostor]);
        assert_eq!(told(vec![group("root", &real.der)], &device), NO_CA);
        let middle = impostor.authority(ca("middle"));
        let device = middle.device(&params(ID), &[&middle, &impostor]);
        assert_eq!(told(vec![group("root", &real.der)], &device), NO_CA);
    }

    #[test]
    fn only_authorities_issue() {
        let root = root("root");
        let by_root = || vec![group("root", &root.der)];
        let leaf = root.authority(params("another device"));
        assert_eq!(told(by_root(), &leaf.device(&params(ID), &[&leaf])), NO_CA);
        let mut short = ca("short");
        short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let short = root.authority(short);
        assert_eq!(
            told(by_root(), &short.device(&params(ID), &[&short])),
            "root"
        );
        let below = short.authority(ca("below"));
        let device = below.device(&params(ID), &[&below, &short]);
        assert_eq!(told(by_root(), &device), NO_CA);
        let mut other_usage = ca("no signer");
        other_usage.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        let signer = root.authority(other_usage);
        assert_eq!(
            told(by_root(), &signer.device(&params(ID), &[&signer])),
            NO_CA
        );
    }

    #[test]
    fn the_name_must_be_the_registration_id() {
        let root = root("root");
        let by_root = || vec![group("root", &root.der)];
        let device = root.device(&params("another"), &[]);
        assert_eq!(told(by_root(), &device), INVALID);
        let device = root.device(&params(&ID.to_uppercase()), &[]);
        assert_eq!(told(by_root(), &device), "root");
    }

    #[test]
    fn dates_count_by_default() {
        let root = root("root");
        let by_root = || vec![group("root", &root.der)];
        let mut old = params(ID);
        old.not_after = rcgen::date_time_ymd(2025, 12, 31);
        let device = root.device(&old, &[]);
        assert_eq!(told(by_root(), &device), INVALID);
        let mut lenient = config();
        lenient.behaviour.certificate_dates = CertificateDates::Ignored;
        assert_eq!(told_by(lenient, by_root(), &device), "root");
    }

    #[test]
    fn a_self_signed_certificate_belongs_to_no_group() {
        let root = root("root");
        let answer = told(vec![group("root", &root.der)], &Device::new(ID));
        assert_eq!(answer, "404201 \"Enrollment not found.\"");
    }

    /// The same chain made by OpenSSL, with P-256 or RSA keys.
    #[rstest]
    fn a_chain_by_openssl(
        #[values(
            "EC -pkeyopt ec_paramgen_curve:P-256",
            "RSA -pkeyopt rsa_keygen_bits:2048"
        )]
        algorithm: &str,
    ) {
        let name = &algorithm[..3].trim();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chain-{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        let script = format!(
            "set -e\n\
            new() {{ openssl genpkey -algorithm {algorithm} -out $1.key 2>/dev/null; \
                openssl pkcs8 -topk8 -nocrypt -in $1.key -outform DER -out $1.key.der; \
                openssl req -new -key $1.key -subj \"/O=hil/CN=$2\" -out $1.csr; }}\n\
            printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign\\n' > ca.ext\n\
            printf 'extendedKeyUsage=clientAuth\\n' > leaf.ext\n\
            new root root; new middle middle; new leaf {ID}\n\
            sign() {{ openssl x509 -req -in $1.csr -extfile $2 -days 36500 -outform DER -out $1.der \
                -set_serial 7 $3 2>/dev/null; openssl x509 -inform DER -in $1.der -out $1.pem; }}\n\
            sign root ca.ext '-signkey root.key'\n\
            sign middle ca.ext '-CA root.pem -CAkey root.key'\n\
            sign leaf leaf.ext '-CA middle.pem -CAkey middle.key'\n"
        );
        let made = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&directory)
            .output()
            .unwrap();
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: OpenSSL is not installed");
            return;
        }
        assert!(made.status.success(), "{made:?}");
        let file = |name: &str| std::fs::read(directory.join(name)).unwrap();
        let device = Device::from_parts(
            file("leaf.der"),
            vec![file("middle.der")],
            file("leaf.key.der"),
        );
        // They were made today, which is not the virtual today.
        let mut config = config();
        config.behaviour.certificate_dates = CertificateDates::Ignored;
        let by_root = vec![group("root", &file("root.der"))];
        assert_eq!(told_by(config, by_root, &device), "root");
    }
}
