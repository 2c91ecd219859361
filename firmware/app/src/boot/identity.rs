//! User mode: from the UDS to the registered device.

use dice::{
    Identity, Uds,
    core::{Words, sha256},
};
use settings::Settings;

use super::{SecureElement, screen::Panel};
use crate::{
    device,
    messages::{Fault, Fingerprint, Hex, Line, print},
    trust_anchor,
};

/// Derives the identity and registers. Whatever fails has had its line when this returns.
pub fn bring_up(stsafe: &mut SecureElement, settings: &Settings, panel: &mut Panel) {
    let mac = device::mac(settings);
    let status = match register(stsafe, settings, panel) {
        Ok(()) => "Connected",
        Err(fault) => {
            print(&Line::Fault(fault));
            "ERROR"
        }
    };
    panel.show_status(stsafe.bus(), &mac, status);
}

fn register(
    stsafe: &mut SecureElement,
    settings: &Settings,
    panel: &mut Panel,
) -> Result<(), Fault> {
    let identity = derive(stsafe)?;
    let id = device::registration_id(settings);
    let certificate = identity
        .alias_certificate(&id, device::PROFILE)
        .map_err(|_| Fault::Identity)?;
    print(&Line::RegistrationId(&id));
    let digest = sha256(Words::BigEndian, &[certificate.as_bytes()]);
    print(&Line::CertificateDigest(&Hex(&digest)));

    let anchor = trust_anchor::from_ram().unwrap_or_else(|_| {
        print(&Line::Fault(Fault::TrustAnchorBad));
        None
    });
    if let Some(certificate) = anchor {
        let digest = sha256(Words::BigEndian, &[certificate]);
        print(&Line::TestTrustAnchor(&Fingerprint(&digest)));
        panel.use_test_anchor(&digest);
    }
    panel.show_status(stsafe.bus(), &device::mac(settings), "Registering");
    Ok(())
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
