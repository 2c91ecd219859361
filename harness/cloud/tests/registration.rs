//! The device API over real TLS, with a client of another TLS provider.

mod support;

use std::time::Duration;

use az3166_cloud::{CloudConfig, ServerChain};
use rstest::rstest;
use support::{DPS, Device, ID, World};

#[rstest]
fn a_device_registers(
    #[values(
        ServerChain::EcdsaP256,
        ServerChain::Rsa4096Sha384,
        ServerChain::RsaPss
    )]
    chain: ServerChain,
) {
    let mut world = World::with(CloudConfig::virtual_time([3; 32], chain));
    let device = Device::new(ID);
    world
        .cloud
        .enrol(device.enrolment(ID).with_device_id("AZ3166"))
        .unwrap();
    let mut client = world.connect(DPS, 443, Some(&device));
    assert_eq!(client.error, None);
    let accepted = world.register(&mut client, ID);
    assert_eq!(accepted.status, 202);
    let operation = accepted.operation_id();
    world.wait(Duration::from_secs(3));
    assert_eq!(world.poll(&mut client, ID, &operation).status, 202);
    world.wait(Duration::from_secs(3));
    let assigned = world.poll(&mut client, ID, &operation);
    assert_eq!(assigned.status, 200);
    let state = &assigned.json()["registrationState"];
    assert_eq!(state["assignedHub"], support::HUB);
    assert_eq!(state["deviceId"], "AZ3166");
}
