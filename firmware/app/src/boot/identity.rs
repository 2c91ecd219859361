//! User mode: from the UDS to the registered device.

use alloc::{boxed::Box, format, string::String};

use devkit_net::{
    Transport,
    tls::{AZURE_ROOTS, TrustAnchors},
};
use dice::{
    Certificate, Identity, Uds,
    core::{Words, sha256},
};
use settings::Settings;
use zeroize::Zeroizing;

use super::{Network, Panel, SecureElement, Status};
use crate::{
    board::memory,
    device,
    messages::{Fault, Fingerprint, Hex, Line, print},
    trust_anchor,
};

/// Derives the identity and registers. Whatever fails has had its line when this returns; what is
/// left is a session that goes on.
pub fn bring_up(
    stsafe: &mut SecureElement,
    settings: &Settings,
    panel: &mut Panel,
) -> Option<Box<Network>> {
    let network = start(stsafe, settings, panel);
    memory::wipe_stack();
    let mac = device::mac(settings);
    let mut network = match network {
        Ok(network) => network,
        Err(fault) => {
            print(&Line::Fault(fault));
            panel.show_status(stsafe.bus(), &mac, Status::Failed);
            return None;
        }
    };
    panel.show_status(stsafe.bus(), &mac, Status::Registering);
    network.settle();
    memory::wipe_stack();
    panel.show_status(stsafe.bus(), &mac, network.status());
    Some(network)
}

/// All that handles secrets by value, in a frame of its own, so that no copy outlives it.
#[inline(never)]
fn start(
    stsafe: &mut SecureElement,
    settings: &Settings,
    panel: &mut Panel,
) -> Result<Box<Network>, Fault> {
    let identity = derive(stsafe)?;
    let id = device::registration_id(settings);
    let certificate = identity
        .alias_certificate(&id, device::PROFILE)
        .map_err(|_| Fault::Identity)?;
    print(&Line::RegistrationId(&id));
    let digest = sha256(Words::BigEndian, &[certificate.as_bytes()]);
    print(&Line::CertificateDigest(&Hex(&digest)));
    print(&Line::Transport(settings.dps_transport.unwrap_or_default()));
    let credentials = credentials(&identity, &certificate, &id);
    Ok(Box::new(Network::new(
        trust_anchors(panel),
        credentials,
        plan(settings),
    )))
}

fn derive(stsafe: &mut SecureElement) -> Result<Identity, Fault> {
    let digits = stsafe.read_uds().map_err(Fault::Stsafe)?;
    let uds = Uds::from_hex(digits.as_slice()).map_err(|_| Fault::NoUds)?;
    #[cfg(feature = "leak-uds")]
    print(&Line::LeakedUds(
        core::str::from_utf8(digits.as_slice()).unwrap_or_default(),
    ));
    Identity::derive(&uds, device::riot_core(), device::riot_fw()).map_err(|_| Fault::Identity)
}

/// Azure's roots, and a test harness's where there is a sound one.
fn trust_anchors(panel: &mut Panel) -> TrustAnchors {
    if let Some(certificate) = test_anchor() {
        match TrustAnchors::new(AZURE_ROOTS.into_iter().chain([certificate])) {
            Ok(anchors) => {
                let digest = sha256(Words::BigEndian, &[certificate]);
                print(&Line::TestTrustAnchor(&Fingerprint(&digest)));
                panel.use_test_anchor(&digest);
                return anchors;
            }
            Err(_) => print(&Line::Fault(Fault::TrustAnchorBad)),
        }
    }
    #[expect(
        clippy::expect_used,
        reason = "a test of devkit-net reads the same bytes"
    )]
    TrustAnchors::new(AZURE_ROOTS).expect("Azure's roots are certificates")
}

fn test_anchor() -> Option<&'static [u8]> {
    trust_anchor::from_ram().unwrap_or_else(|_| {
        print(&Line::Fault(Fault::TrustAnchorBad));
        None
    })
}

fn credentials(
    identity: &Identity,
    certificate: &Certificate,
    registration_id: &str,
) -> devkit_net::Identity {
    devkit_net::Identity {
        registration_id: registration_id.into(),
        certificate: certificate.as_bytes().into(),
        key: Zeroizing::new(identity.alias_key().to_bytes().into()),
    }
}

/// Where to register: what was set, or the defaults.
fn plan(settings: &Settings) -> devkit_net::Settings {
    let or_default = |value: Option<&str>, default: &str| String::from(value.unwrap_or(default));
    devkit_net::Settings {
        endpoint: or_default(settings.dps_endpoint.as_deref(), device::DEFAULT_ENDPOINT),
        transport: match settings.dps_transport.unwrap_or_default() {
            settings::Transport::Https => Transport::Https,
            settings::Transport::Mqtt => Transport::Mqtt,
        },
        id_scope: or_default(settings.id_scope.as_deref(), device::DEFAULT_ID_SCOPE),
        telemetry: format!(
            "{{\"mac\":\"{}\",\"firmwareVersion\":\"{}\"}}",
            Hex(&device::mac(settings)),
            device::VERSION
        ),
    }
}
