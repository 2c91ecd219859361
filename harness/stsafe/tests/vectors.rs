//! Whole frames, byte for byte: from real chips' public logs where they exist, from what
//! the vendor's driver sends and accepts, and computed for the rest.

mod bus;

use az3166_stsafe::{
    Configuration, Content, EnvelopeKey, HostKey, NvmImage, ProductData, ReservedZones, Status,
    Zone,
};
use bus::{Host, framed, hex};
use rstest::rstest;

fn check(host: &mut Host, command: &str, response: &str) {
    let (command, response) = (hex(command), hex(response));
    assert_eq!(framed(&command[..command.len() - 2]), command);
    host.send(&command);
    assert_eq!(host.receive(response.len()), Some(response));
}

#[rstest]
#[case::echo("00 48656C6C6F 6CD4", "00 0007 48656C6C6F 6CD4")]
#[case::reset("01 E1F1", "00 0002 F078")]
#[case::envelope_keys("14 07 8909", "00 0007 02 0000 0100 F8DF")]
#[case::life_cycle("14 08 71FE", "00 0003 03 3DDC")]
#[case::host_key("14 17 9988", "00 0003 00 0F47")]
#[case::update_uds_zone("06 00 06 0000 DEADBEEF 5420", "00 0002 F078 FFFFFFFF")]
#[case::unsupported_generate_key("11 07 00 00 AFC1", "04 0002 B65C")]
#[case::unsupported_command_authorisation("14 24 9A90", "03 0002 C2E3")]
#[case::decrement_absent_zone("04 00 01 0000 00000001 005E", "10 0002 E0F9")]
#[case::protected_without_host_key(
    "AE 857EC385A8F7A3B9819EF19374662A4ABC71434B93695DEC9260874A27CC867C 7FA70413 9838",
    "16 0002 85CF"
)]
fn a_new_chip_answers(#[case] command: &str, #[case] response: &str) {
    check(&mut Host::new(), command, response);
}

#[test]
fn a_wrong_crc_is_a_communication_error() {
    let mut host = Host::new();
    host.send(&hex("14 07 8908"));
    assert_eq!(host.receive(5), Some(hex("01 0002 E1F1")));
    host.send(&hex("14 11"));
    assert_eq!(host.receive(5), Some(hex("01 0002 E1F1")));
}

#[rstest]
#[case([EnvelopeKey::Aes128, EnvelopeKey::Absent], "00 0008 02 000100 0100 8145")]
#[case([EnvelopeKey::Aes128; 2], "00 0009 02 000100 010100 FC88")]
fn query_07_tells_envelope_keys(#[case] keys: [EnvelopeKey; 2], #[case] response: &str) {
    let mut nvm = NvmImage::default();
    nvm.envelope_keys = keys;
    check(
        &mut Host::with(Configuration::default(), nvm),
        "14 07 8909",
        response,
    );
}

#[rstest]
#[case(0, "00 0006 01 000000 D3CC")]
#[case(58, "00 0006 01 00003A 4D15")]
fn query_17_tells_the_c_mac_counter(#[case] counter: u32, #[case] response: &str) {
    let mut nvm = NvmImage::default();
    nvm.host_key = HostKey::Present { counter };
    check(
        &mut Host::with(Configuration::default(), nvm),
        "14 17 9988",
        response,
    );
}

/// The values that a public log of a real STSAFE-A110 shows.
#[test]
fn query_11_tells_product_data() {
    let configuration = Configuration {
        product: ProductData {
            mask: [0xAA, 0x46, 0x02],
            st_number: [0xA0, 0x21, 0xE0, 0x21, 0xC4, 0xE1, 0xD0, 0x01, 0x39],
            nvm_size: 6376,
            test_date: 37649,
            version: 69,
            module_date: 37713,
            ..ProductData::default()
        },
        ..Configuration::default()
    };
    let mut host = Host::with(configuration, NvmImage::default());
    host.send(&hex("14 11 FCBE"));
    let response = host.receive(44).unwrap();
    let payload =
        "0103AA4602 0209A021E021C4E1D00139 030201FB 04020040 050218E8 06029311 070145 08029351";
    assert_eq!(response[..3], hex("00 0029"));
    assert_eq!(response[3..42], hex(payload));
    assert_eq!(response[3 + 18..3 + 20], hex("01FB"));
}

#[test]
fn query_0a_tells_the_address() {
    assert_eq!(Host::new().run(&[0x14, 0x0A]), (0, vec![0x40, 0x01]));
}

#[test]
fn query_12_tells_the_partition() {
    let mut nvm = NvmImage::empty();
    nvm.insert(0, Zone::new(Content::Data, 1000));
    nvm.insert(5, Zone::new(Content::Counter(500_000), 64));
    let mut host = Host::with(Configuration::default(), nvm);
    let partition = hex("02  00 00 88 03E8  05 01 88 0040 0007A120");
    assert_eq!(host.run(&[0x14, 0x12]), (0, partition));
}

#[test]
fn the_devkit_has_its_zones() {
    let sizes = |reserved| -> Vec<(u8, u16)> {
        NvmImage::devkit(reserved)
            .zones()
            .map(|(index, zone)| (index, zone.size()))
            .collect()
    };
    let known = [
        (0, 1000),
        (2, 200),
        (3, 128),
        (5, 600),
        (6, 700),
        (7, 800),
        (8, 900),
        (10, 100),
    ];
    assert_eq!(sizes(ReservedZones::Absent), known);
    assert_eq!(sizes(ReservedZones::Counters).len(), 11);
}

/// What the vendor's driver does for `set_dps_uds`: 65 bytes written, read back in two steps.
#[test]
fn the_vendor_driver_s_uds_session() {
    let mut host = Host::new();
    let uds = "19e25a259d0c2be03a02d416c05c48ccd0cc7d1743458aae1cb488b074993eae";
    let command = [&[0x06, 0x00, 0x06, 0x00, 0x00], uds.as_bytes(), &[0]].concat();
    host.send(&framed(&command));
    assert_eq!(host.receive(9), Some(hex("00 0002 F078 FFFFFFFF")));
    host.send(&hex("05 00 06 0000 0041 14C6"));
    assert_eq!(host.receive(9).unwrap()[..3], hex("00 0043"));
    let whole = host.receive(70).unwrap();
    assert_eq!(&whole[3..67], uds.as_bytes());
    host.send(&hex("05 00 06 0000 0040 054F"));
    assert_eq!(&host.receive(69).unwrap()[3..67], uds.as_bytes());
}

#[rstest]
#[case("03 00 00 00 20", 32)]
#[case("06 00 64 00 50", 80)]
fn reads_return_what_they_ask_for(#[case] place: &str, #[case] length: usize) {
    let command = [hex("05 00"), hex(place)].concat();
    assert_eq!(Host::new().run(&command), (0, vec![0; length]));
}

/// Frames of all commands, plain or not, as drivers send them.
#[rstest]
#[case("02 00 10 63F5")]
#[case("02 00 20 5276")]
#[case("0D 01 AEB6")]
#[case("14 0A 52EC")]
#[case("14 12 CE25")]
#[case("05 00 03 0000 0020 401D")]
#[case("05 00 06 0064 0050 73E2")]
#[case("11 07 01 00 B619")]
#[case("10 17 00112233445566778899AABBCCDDEEFF 11112222333344445555666677778888 4D4C")]
#[case("E5 18 02 00 00 00 01 C7 0F 15 19 D217")]
#[case("AF 00 9DC2FE3CCFBBCBD7637CA0E152B622E5F3D3F7A542C595A3 5EF8F3B0 9038")]
fn command_frames_end_in_their_crc(#[case] frame: &str) {
    let frame = hex(frame);
    assert_eq!(framed(&frame[..frame.len() - 2]), frame);
    let mut host = Host::new();
    host.send(&frame);
    let answer = host.receive(1);
    assert_ne!(answer, Some(vec![Status::CommunicationError.code()]));
}
