//! A device gets its secret, proves its identity and registers: the harness as a library.

use std::collections::BTreeSet;

use az3166_runner::device::{Device, DeviceError, SECOND};
use az3166_runner::firmware::FirmwareSet;
use az3166_runner::project;
use az3166_scenario::FirmwareVariant;
use rstest::{fixture, rstest};

#[fixture]
#[once]
fn firmware() -> FirmwareSet {
    project::of_checkout(&BTreeSet::from([FirmwareVariant::Strict]))
        .unwrap_or_else(|error| panic!("there is no firmware: {error}"))
}

#[rstest]
#[case::tutorial("19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae")]
#[case::lowest("0000000000000000000000000000000000000000000000000000000000000001")]
#[case::upper_case("FEDCBA9876543210FEDCBA9876543210FEDCBA9876543210FEDCBA9876543210")]
fn a_new_uds_registers_and_reaches_the_hub(
    firmware: &FirmwareSet,
    #[case] uds: &str,
) -> Result<(), DeviceError> {
    let mut device = Device::emulated(firmware)?;
    device.enrol(uds, "AZ3166")?;

    device.configure()?;
    device.display("Configuration", SECOND)?;
    device.send(&format!("set_dps_uds {uds}"))?;
    device.expect("INFO: Set DPS UDS successfully.", 2 * SECOND)?;

    device.boot()?;
    assert_eq!(device.certificate(30 * SECOND)?, device.oracle(uds)?);
    let registration = device.registration(30 * SECOND)?;
    assert_eq!(registration.state, "assigned");
    assert_eq!(registration.device_id.as_deref(), Some("AZ3166"));
    device.hub_connected(30 * SECOND)?;
    device.no_findings()
}

#[rstest]
fn a_device_that_nobody_enrolled_is_refused(firmware: &FirmwareSet) -> Result<(), DeviceError> {
    let mut device = Device::emulated(firmware)?;
    device.configure()?;
    device.send(&format!("set_dps_uds {}", "5a".repeat(32)))?;
    device.expect("INFO: Set DPS UDS successfully.", 2 * SECOND)?;
    device.boot()?;
    let registration = device.registration(30 * SECOND)?;
    assert_eq!(registration.state, "refused");
    assert_eq!(registration.error_code, Some(404201));
    device.expect("registration failed!", 30 * SECOND)
}

#[rstest]
fn what_does_not_come_is_said_in_words(firmware: &FirmwareSet) -> Result<(), DeviceError> {
    let mut device = Device::emulated(firmware)?;
    device.configure()?;
    device.send("version")?;
    let line = device.expect("Firmware version: 9.9.9", SECOND);
    let line = format!("{:?}", line.unwrap_err());
    let begin = "expected a console line with `Firmware version: 9.9.9`\nseen: ";
    assert!(line.starts_with(begin), "{line}");
    assert!(
        line.contains("nearest: `Firmware version: 1.0.0`"),
        "{line}"
    );
    let ended = device.registration(SECOND).unwrap_err().to_string();
    assert!(ended.contains("last lines: "), "{ended}");
    Ok(())
}

#[rstest]
fn a_wrong_uds_is_not_shown(firmware: &FirmwareSet) -> Result<(), DeviceError> {
    let mut device = Device::emulated(firmware)?;
    let error = device.enrol(&"ab".repeat(31), "AZ3166").unwrap_err();
    let text = "this is no UDS; the UDS has 62 hex digits; give 64";
    assert_eq!(error.to_string(), text);
    Ok(())
}
