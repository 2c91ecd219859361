//! Flash, by the chip's own algorithm on the emulated core.

use az3166_board::{BoardError, BootloaderPolicy, ChipUid, Restored, TakeOver, restore};
use az3166_target::Target as _;
use rstest::rstest;

use crate::support::{APPLICATION, Bench, image, pattern, program};

const FLASH: u32 = 0x0800_0000;
const LOOP: u16 = 0xE7FE;

#[test]
fn a_wrong_image_becomes_the_right_one() {
    let bench = Bench::new();
    bench.program(APPLICATION, &pattern(1, 20_000));
    let wanted = pattern(2, 18_000);
    let mut target = bench.target();
    target.load(&[&image(APPLICATION, &wanted)]).unwrap();
    assert_eq!(bench.flash(APPLICATION, wanted.len()), wanted);
    // What the old image had behind the new one is erased with its sector.
    assert_eq!(bench.flash(APPLICATION + 19_000, 4), [0xFF; 4]);
}

#[test]
fn sectors_that_are_right_already_are_not_written() {
    let bench = Bench::new();
    let bytes = pattern(3, 40_000);
    let mut target = bench.target();
    target.load(&[&image(APPLICATION, &bytes)]).unwrap();
    // From here on a write to flash is an error.
    bench.board.with(|kit| kit.protect_sectors(0xFFF));
    target.load(&[&image(APPLICATION, &bytes)]).unwrap();
    let mut other = bytes;
    other[30_000] ^= 1;
    target.load(&[&image(APPLICATION, &other)]).unwrap_err();
}

#[test]
fn a_protected_sector_is_infrastructure_trouble() {
    let bench = Bench::new();
    bench.program(APPLICATION, b"old");
    bench.board.with(|kit| kit.protect_sectors(1 << 3));
    let mut target = bench.target();
    let error = target.load(&[&image(APPLICATION, b"new")]).unwrap_err();
    assert!(
        error.to_string().contains("flash was not written"),
        "{error}"
    );
    bench.board.with(|kit| kit.protect_sectors(0));
    target.load(&[&image(APPLICATION, b"new")]).unwrap();
    assert_eq!(bench.flash(APPLICATION, 3), b"new");
}

#[test]
fn the_bootloader_stays_and_starts_the_application() {
    let bench = Bench::new();
    // A bootloader that takes its time: counts down from 0x40000, then jumps by the vector table.
    #[rustfmt::skip]
    let vendor = program(FLASH, &[
        0x2001, 0x0480,         // movs r0, #1; lsls r0, #18
        0x3801, 0xD1FD,         // subs r0, #1; bne
        0x4801, 0x6840, 0x4700, // ldr r0, =APPLICATION; ldr r0, [r0, #4]; bx r0
        0xBF00,
        APPLICATION as u16, (APPLICATION >> 16) as u16,
    ]);
    bench.program(FLASH, &vendor);
    let stub = image(FLASH, &program(FLASH, &[0xBE00]));
    // r7 = 42, for ever.
    let application = image(APPLICATION, &program(APPLICATION, &[0x272A, LOOP]));
    let mut target = bench.target();
    target.load(&[&stub, &application]).unwrap();
    assert_eq!(bench.flash(FLASH, vendor.len()), vendor, "not erased");
    target.power(az3166_target::PowerState::On).unwrap();
    let pc = bench
        .board
        .with(|kit| kit.cpu().register(az3166_emulator::cpu::Register::Pc));
    assert_eq!(pc, APPLICATION + 8, "the application's first instruction");
    let later = target.now() + core::time::Duration::from_millis(50);
    while target.now() < later {
        target.run_until(later).unwrap();
    }
    let r7 = bench
        .board
        .with(|kit| kit.cpu().register(az3166_emulator::cpu::Register::R7));
    assert_eq!(r7, 42);
}

#[test]
fn the_bootloader_goes_when_it_was_said() {
    let mut bench = Bench::new();
    bench.config.bootloader = BootloaderPolicy::Replace;
    bench.program(FLASH, b"vendor");
    let stub = program(FLASH, &[LOOP]);
    let mut target = bench.target();
    target
        .load(&[&image(FLASH, &stub), &image(APPLICATION, b"application")])
        .unwrap();
    assert_eq!(bench.flash(FLASH, stub.len()), stub);
}

#[rstest]
#[case::first(0)]
#[case::last(2)]
fn a_patch_in_the_bootloaders_sectors_is_refused(#[case] sector: u32) {
    let bench = Bench::new();
    let address = FLASH + 0x4000 * sector;
    bench.program(address, b"vendor");
    let error = bench.target().patch_flash(address, b"x").unwrap_err();
    assert!(error.to_string().contains("bootloader"), "{error}");
    assert_eq!(bench.flash(address, 6), b"vendor");
}

#[test]
fn a_patch_changes_nothing_else() {
    let bench = Bench::new();
    let mut bytes = pattern(5, 16_384);
    bench.program(APPLICATION, &bytes);
    bench
        .target()
        .patch_flash(APPLICATION + 100, &[!bytes[100]])
        .unwrap();
    bytes[100] = !bytes[100];
    assert_eq!(bench.flash(APPLICATION, bytes.len()), bytes);
}

/// Also where flash holds the image already: the secure element is written all the same.
#[rstest]
#[case::another_image(b"ours")]
#[case::the_same_image(b"the owner's")]
fn the_first_use_needs_to_be_allowed(#[case] wanted: &[u8]) {
    let mut bench = Bench::new();
    bench.config.take_over = TakeOver::Refused;
    bench.program(APPLICATION, b"the owner's");
    let error = bench
        .target()
        .load(&[&image(APPLICATION, wanted)])
        .unwrap_err();
    assert!(!bench.board.with(|kit| kit.cpu().is_halted()));
    let text = error.to_string();
    for said in ["zones 5 (settings) and 6 (UDS)", "--take-over"] {
        assert!(text.contains(said), "{text}");
    }
    assert_eq!(bench.flash(APPLICATION, 11), b"the owner's");
}

fn restored(bench: &Bench) -> Result<Restored, BoardError> {
    let image = std::fs::read(bench.backup()).unwrap();
    restore(&bench.config.address, &bench.config.uid, &image)
}

#[test]
fn what_was_taken_over_comes_back() {
    let mut bench = Bench::new();
    let (vendor, application) = (pattern(6, 40_000), pattern(7, 30_000));
    bench.program(FLASH, &vendor);
    bench.program(APPLICATION, &application);
    bench.config.bootloader = BootloaderPolicy::Replace;
    let original = bench.flash(FLASH, 1 << 20);
    bench
        .target()
        .load(&[&image(FLASH, b"stub"), &image(APPLICATION, b"ours")])
        .unwrap();
    assert_eq!(std::fs::read(bench.backup()).unwrap(), original);
    // Only the first use saves anything, and needs to be allowed.
    bench.config.take_over = TakeOver::Refused;
    bench
        .target()
        .load(&[&image(APPLICATION, b"other")])
        .unwrap();
    assert_eq!(std::fs::read(bench.backup()).unwrap(), original);
    let restored = restored(&bench).unwrap();
    assert_eq!(restored.sectors, 2);
    assert_eq!(bench.flash(FLASH, 1 << 20), original);
}

#[test]
fn another_chip_is_not_restored() {
    let bench = Bench::new();
    bench.program(APPLICATION, b"the owner's");
    let uid = ChipUid([7; 12]);
    let image = vec![0xFF; 1 << 20];
    let error = restore(&bench.config.address, &uid, &image).unwrap_err();
    assert!(matches!(error, BoardError::WrongBoard { .. }), "{error}");
    assert_eq!(bench.flash(APPLICATION, 11), b"the owner's");
}

#[test]
fn a_damaged_file_is_not_restored() {
    let bench = Bench::new();
    std::fs::write(bench.backup(), b"short").unwrap();
    let error = restored(&bench).unwrap_err();
    assert!(matches!(error, BoardError::Flash { .. }), "{error}");
}
