//! Regions from ELF files, flash images and maps, and every complaint about them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper may panic"
)]

mod support;

use az3166_identity::{FlashImage, Flip, MeasuredRegions, RegionName, gnu_map};
use rstest::rstest;
use support::cases;
use support::elf::{Segment, write};

const SYMBOLS: [(&str, u32); 4] = [
    ("__start_riot_core", 0x0800_C008),
    ("__stop_riot_core", 0x0800_C018),
    ("__start_riot_fw", 0x0800_C018),
    ("__stop_riot_fw", 0x0800_C040),
];

fn elf_with(symbols: &[(&str, u32)]) -> Vec<u8> {
    let flash: Vec<u8> = (0..0x30).collect();
    let segments = [
        Segment(0x0800_C000, 0x0800_C000, &flash),
        Segment(0x2000_0000, 0x0800_C034, b"data's image"),
    ];
    write(&segments, symbols)
}

#[test]
fn an_elf_is_read_by_load_address() {
    let regions = MeasuredRegions::from_elf(&elf_with(&SYMBOLS)).unwrap();
    let flash: Vec<u8> = (0..0x30).collect();
    assert_eq!(regions.riot_core().bytes(), &flash[8..0x18]);
    assert_eq!(regions.riot_core().range(), 0x0800_C008..0x0800_C018);
    let erased_gap = [0xFF; 4];
    let expected = [&flash[0x18..], &erased_gap, b"data's image"].concat();
    assert_eq!(regions.riot_fw().bytes(), expected);
}

#[test]
fn elf_and_bin_with_map_give_the_same_regions() {
    for case in cases() {
        let image = case.image();
        let by_map = case.regions();
        let [core, fw] = [by_map.riot_core(), by_map.riot_fw()].map(|region| region.range());
        let symbols = [
            ("__start_riot_core", core.start as u32),
            ("__stop_riot_core", core.end as u32),
            ("__start_riot_fw", fw.start as u32),
            ("__stop_riot_fw", fw.end as u32),
        ];
        let segment = Segment(case.image_base, case.image_base, &image);
        let elf = write(&[segment], &symbols);
        assert_eq!(MeasuredRegions::from_elf(&elf).unwrap(), by_map);
        assert_eq!(FlashImage::from_elf(&elf).unwrap().bytes(), image);
    }
}

#[test]
fn a_map_made_from_an_elf_gives_the_same_regions() {
    let elf = elf_with(&SYMBOLS);
    let map = gnu_map(&elf).unwrap();
    insta::assert_snapshot!(map);
    let bin = FlashImage::from_elf(&elf).unwrap();
    assert_eq!(
        MeasuredRegions::from_bin_and_map(bin.bytes(), &map).unwrap(),
        MeasuredRegions::from_elf(&elf).unwrap()
    );
}

#[test]
fn an_lld_map_is_refused() {
    let map = "     VMA      LMA     Size Align Out     In      Symbol
       0        0        0     1 __start_riot_fw = ADDR(.text)
 800c000  800c000        8     4 .vector_table
";
    let error = MeasuredRegions::from_bin_and_map(b"image", map).unwrap_err();
    insta::assert_snapshot!(error, @"the map has no region FLASH in its memory configuration, so the image's base address is unknown; give GNU ld's map, or the ELF file");
}

#[test]
fn the_last_assignment_in_a_map_wins() {
    let case = &cases()[0];
    let map = case.map.replace(
        "Linker script and memory map\n",
        "Linker script and memory map\n   0x0 __start_riot_fw = .\n",
    );
    let regions = MeasuredRegions::from_bin_and_map(&case.image(), &map).unwrap();
    assert_eq!(regions, case.regions());
}

#[test]
fn flips_hit_the_region_that_holds_the_address() {
    let original = MeasuredRegions::from_elf(&elf_with(&SYMBOLS)).unwrap();
    for (address, expected) in [
        (0x0800_C007, Flip::Unmeasured),
        (0x0800_C008, Flip::Measured(RegionName::RiotCore)),
        (0x0800_C017, Flip::Measured(RegionName::RiotCore)),
        (0x0800_C018, Flip::Measured(RegionName::RiotFw)),
        (0x0800_C03F, Flip::Measured(RegionName::RiotFw)),
        (0x0800_C040, Flip::Unmeasured),
    ] {
        let mut regions = original.clone();
        assert_eq!(regions.flip(address, 0x01), expected, "{address:#x}");
        assert_eq!(regions == original, expected == Flip::Unmeasured);
        regions.flip(address, 0x01);
        assert_eq!(regions, original);
    }
}

/// The symbols with one moved.
fn moved(index: usize, address: u32) -> Vec<(&'static str, u32)> {
    let mut symbols = SYMBOLS.to_vec();
    symbols[index].1 = address;
    symbols
}

fn elf_without(symbol: usize) -> Vec<u8> {
    let mut symbols = SYMBOLS.to_vec();
    symbols.remove(symbol);
    elf_with(&symbols)
}

fn other_machine() -> Vec<u8> {
    let mut elf = elf_with(&SYMBOLS);
    elf[18] = 62;
    elf
}

#[rstest]
#[case::text("text", b"hello")]
#[case::class("class", b"\x7fELF\x02\x01\x01")]
#[case::machine("machine", &other_machine())]
#[case::cut("cut", &elf_with(&SYMBOLS)[..90])]
#[case::stripped("stripped", &elf_with(&[]))]
#[case::no_segment("no_segment", &write(&[], &SYMBOLS))]
#[case::spread("spread", &write(&[Segment(0, 0x0800_0000, b"a"), Segment(0, 0x2000_0000, b"b")], &SYMBOLS))]
#[case::missing_start_core("missing_start_core", &elf_without(0))]
#[case::missing_stop_core("missing_stop_core", &elf_without(1))]
#[case::missing_start_fw("missing_start_fw", &elf_without(2))]
#[case::missing_stop_fw("missing_stop_fw", &elf_without(3))]
#[case::empty_region("empty_region", &elf_with(&moved(3, 0x0800_C018)))]
#[case::reversed_region("reversed_region", &elf_with(&moved(3, 0x0800_C010)))]
#[case::short_core("short_core", &elf_with(&moved(1, 0x0800_C00F)))]
#[case::before_the_image("before_the_image", &elf_with(&moved(0, 0x0800_BFFF)))]
#[case::after_the_image("after_the_image", &elf_with(&moved(3, 0x0800_C041)))]
fn complaints_about_elf_files(#[case] name: &str, #[case] elf: &[u8]) {
    let error = MeasuredRegions::from_elf(elf).unwrap_err();
    insta::assert_snapshot!(format!("elf_{name}"), error);
}

fn map_with(from: &str, to: &str) -> String {
    let map = &cases()[0].map;
    assert!(map.contains(from));
    map.replace(from, to)
}

#[rstest]
#[case::empty("empty", String::new())]
#[case::no_flash("no_flash", map_with("FLASH ", "ROM "))]
#[case::wrong_origin("wrong_origin", map_with("0x000000000800c000", "0x1000000000000000"))]
#[case::no_symbol("no_symbol", map_with("__stop_riot_core =", "__stop_riot_coal ="))]
#[case::no_address("no_address", map_with("0x000000000800c4cd", "             here"))]
#[case::outside("outside", map_with("0x000000000800c4cd", "0x000000000801c4cd"))]
fn complaints_about_maps(#[case] name: &str, #[case] map: String) {
    let image = cases()[0].image();
    let error = MeasuredRegions::from_bin_and_map(&image, &map).unwrap_err();
    insta::assert_snapshot!(format!("map_{name}"), error);
}

#[test]
fn an_empty_image_is_refused() {
    let error = MeasuredRegions::from_bin_and_map(&[], &cases()[0].map).unwrap_err();
    insta::assert_snapshot!(error, @"the flash image is empty");
}
