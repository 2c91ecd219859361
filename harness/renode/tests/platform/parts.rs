//! The platform against ST's own description of the chip, as `stm32-metapac` carries it, and
//! against the board.

use std::fs;

use az3166_stsafe::Configuration;
use az3166_target::Button;
use regex::Regex;
use rstest::rstest;
use stm32_metapac::metadata::{METADATA, MemoryRegionKind};

use crate::folder::{Part, classes, code, number, platform, renode, text};

fn part(name: &str) -> Part {
    platform()
        .remove(name)
        .unwrap_or_else(|| panic!("az3166.repl has no {name}"))
}

#[rstest]
#[case("i2c", "I2C1")]
#[case("random", "RNG")]
#[case("flashInterface", "FLASH")]
#[case("syscfg", "SYSCFG")]
fn peripherals_are_where_st_says(#[case] name: &str, #[case] st: &str) {
    let theirs = METADATA
        .peripherals
        .iter()
        .find(|peripheral| peripheral.name == st);
    let theirs = theirs.unwrap();
    let ours = part(name);
    assert_eq!(ours.place, Some(("sysbus".into(), theirs.address as u32)));

    let line = |name: &str| METADATA.interrupts.iter().find(|line| line.name == name);
    let mut expected: Vec<u32> = theirs
        .interrupts
        .iter()
        .map(|interrupt| line(interrupt.interrupt).unwrap().number)
        .collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(ours.interrupts(), expected);
}

#[test]
fn flash_is_as_large_as_st_says() {
    let flash = part("flash");
    assert_eq!(number(flash.property("size").unwrap()), flash_end());
    let places: Vec<&str> = flash
        .lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("sysbus "))
        .collect();
    assert_eq!(places, ["0x08000000;", "0x00000000"]);
    let erased = format!("sysbus.flash SetRange 0 {:#x} 0xFF", flash_end());
    assert!(text("machine.resc").contains(&erased));
}

#[test]
fn sectors_are_st_s() {
    let sources = classes();
    let table = Regex::new(r"SectorStarts =\s*\{([^}]*)\}").unwrap();
    let table = table.captures(&sources["Stm32F412Flash"]).unwrap()[1].to_owned();
    let starts: Vec<u32> = table
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(number)
        .collect();
    let mut expected = Vec::new();
    for region in main_flash() {
        let erase = region.settings.as_ref().unwrap().erase_size;
        let start = region.address - 0x0800_0000;
        expected.extend((0..region.size / erase).map(|sector| start + sector * erase));
    }
    expected.push(flash_end());
    assert_eq!(starts, expected);
}

fn main_flash() -> impl Iterator<Item = &'static stm32_metapac::metadata::MemoryRegion> {
    let is_main = |address: u32| (0x0800_0000..0x0900_0000).contains(&address);
    METADATA.memory[0]
        .iter()
        .filter(move |region| region.kind == MemoryRegionKind::Flash && is_main(region.address))
}

fn flash_end() -> u32 {
    main_flash().map(|region| region.size).sum()
}

#[test]
fn devices_have_the_board_s_addresses() {
    let address = Configuration::default().address;
    assert_eq!(part("stsafe").place, Some(("i2c".into(), address.into())));
    assert_eq!(part("display").place, Some(("i2c".into(), 0x3C)));
    // PB14 is the secure element's supply, the bridge's input 0.
    let supply = part("gpioPortB").lines;
    assert!(
        supply
            .iter()
            .any(|line| line.trim() == "14 -> syscfg#1@14 | stsafe@0"),
        "{supply:?}"
    );
    for (name, button) in [("buttonA", Button::A), ("buttonB", Button::B)] {
        let part = part(name);
        assert_eq!(part.place, Some(("gpioPortA".into(), button.pin())));
        assert_eq!(part.lines, [format!("    -> gpioPortA@{}", button.pin())]);
    }
}

#[test]
fn clocks_are_the_firmware_s() {
    let parts = platform();
    assert_eq!(parts["cpu"].property("PerformanceInMips"), Some("96"));
    assert_eq!(parts["nvic"].property("systickFrequency"), Some("96000000"));
    assert_eq!(parts["i2c"].property("frequency"), Some("48000000"));
    for timer in 1..=14 {
        let frequency = parts[&format!("timer{timer}")].property("frequency");
        assert_eq!(frequency, Some("96000000"), "timer{timer}");
    }
}

#[test]
fn every_class_is_a_file_of_ours_or_renode_s() {
    const RENODE: &[&str] = &["DWT", "STM32_SYSCFG"];
    let sources = classes();
    for (name, part) in platform() {
        let Some(class) = part.class else { continue };
        assert!(
            sources.contains_key(&class) || RENODE.contains(&class.as_str()),
            "{name} is a {class}, which has no file"
        );
    }
}

#[test]
fn every_source_is_compiled_after_what_it_uses() {
    let script = text("peripherals-one-by-one.resc");
    let compiled: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("include $ORIGIN/")?.strip_suffix(".cs"))
        .collect();
    let all_at_once: String = compiled
        .iter()
        .map(|class| format!(" $ORIGIN/{class}.cs"))
        .collect();
    assert!(text("peripherals.resc").ends_with(&format!("\ninclude{all_at_once}\n")));

    let sources = classes();
    let mut sorted = compiled.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, sources.keys().collect::<Vec<_>>());
    for (position, class) in compiled.iter().enumerate() {
        let later = &compiled[position..];
        let uses = |other: &&&str| {
            let name = Regex::new(&format!(r"\b{other}\b")).unwrap();
            *other != class && name.is_match(&code(&sources[*class]))
        };
        assert_eq!(later.iter().find(uses), None, "{class} comes too early");
    }
}

#[test]
fn every_script_is_there() {
    let include = Regex::new(r"(?:include|LoadPlatformDescription) \$ORIGIN/(\S+)").unwrap();
    for script in [
        "az3166.resc",
        "machine.resc",
        "peripherals.resc",
        "peripherals-one-by-one.resc",
    ] {
        for found in include.captures_iter(&text(script)) {
            assert!(
                fs::exists(renode().join(&found[1])).unwrap(),
                "{script}: {}",
                &found[1]
            );
        }
    }
}
