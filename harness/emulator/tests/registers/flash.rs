//! The flash interface.

use rstest::rstest;

use crate::script::*;

const KEYR: u32 = 0x4002_3C04;
const SR: u32 = 0x4002_3C0C;
const CR: u32 = 0x4002_3C10;
const ACR: u32 = 0x4002_3C00;
const OPTCR: u32 = 0x4002_3C14;

const UNLOCK: [Step; 2] = [Write(KEYR, 0x4567_0123), Write(KEYR, 0xCDEF_89AB)];
const BSY: u32 = 1 << 16;
const LOCK: u32 = 1 << 31;
const PROGRAM_WORDS: u32 = 0x201;
const TARGET: u32 = 0x0804_0000;
const PGSERR: u32 = 1 << 7;
const PGPERR: u32 = 1 << 6;

#[rstest]
#[case::wait_states_read_back(&[Write(ACR, 0x703), Read(ACR, u32::MAX, 0x703)])]
#[case::programs_words(&[
    Write(CR, PROGRAM_WORDS),
    Write(TARGET, 0x1234_5678),
    Read(SR, BSY, BSY),
    Wait(20 * MICROSECOND),
    Read(SR, u32::MAX, 0),
    Read(TARGET, u32::MAX, 0x1234_5678),
])]
#[case::clears_bits_only(&[
    Write(CR, PROGRAM_WORDS),
    Write(TARGET, 0xFFFF_0F0F),
    Wait(MILLISECOND),
    Write(TARGET, 0x00FF_FFFF),
    Wait(MILLISECOND),
    Read(TARGET, u32::MAX, 0x00FF_0F0F),
])]
#[case::refuses_without_pg(&[
    Write(TARGET, 0),
    Read(SR, u32::MAX, PGSERR),
    Read(TARGET, u32::MAX, u32::MAX),
    Write(SR, PGSERR),
    Read(SR, u32::MAX, 0),
])]
#[case::refuses_another_width(&[
    Write(CR, 0x101),
    Write(TARGET, 0),
    Read(SR, u32::MAX, PGPERR),
    Read(TARGET, u32::MAX, u32::MAX),
])]
#[case::erases_a_sector(&[
    Write(CR, PROGRAM_WORDS),
    Write(TARGET, 0),
    Write(TARGET + 0x1_FFFC, 0),
    Write(TARGET + 0x2_0000, 0),
    Write(0x0803_FFFC, 0),
    Wait(MILLISECOND),
    // Sector 6.
    Write(CR, 0x202 | 6 << 3),
    Write(CR, 0x202 | 6 << 3 | 1 << 16),
    Read(SR, BSY, BSY),
    Wait(999 * MILLISECOND),
    Read(SR, BSY, BSY),
    Wait(2 * MILLISECOND),
    Read(SR, BSY, 0),
    Read(TARGET, u32::MAX, u32::MAX),
    Read(TARGET + 0x1_FFFC, u32::MAX, u32::MAX),
    Read(TARGET + 0x2_0000, u32::MAX, 0),
    Read(0x0803_FFFC, u32::MAX, 0),
])]
#[case::a_small_sector_is_faster(&[
    Write(CR, 0x202 | 1 << 3 | 1 << 16),
    Wait(249 * MILLISECOND),
    Read(SR, BSY, BSY),
    Wait(2 * MILLISECOND),
    Read(SR, BSY, 0),
])]
#[case::control_cannot_be_written_while_busy(&[
    Write(CR, 0x202 | 1 << 3 | 1 << 16),
    Write(CR, PROGRAM_WORDS),
    Read(CR, 0b11, 0b10),
])]
#[case::lock_bit_locks(&[
    Write(CR, LOCK),
    Read(CR, LOCK, LOCK),
    Write(CR, PROGRAM_WORDS),
    Read(CR, 1, 0),
])]
#[case::interrupt_at_the_end(&[
    Write(CR, PROGRAM_WORDS | 1 << 24),
    Write(TARGET, 0),
    Interrupt(4, false),
    Wait(20 * MICROSECOND),
    Interrupt(4, true),
    Read(SR, u32::MAX, 1),
])]
#[case::error_interrupt(&[Write(CR, 1 << 25), Write(TARGET, 0), Interrupt(4, true)])]
#[case::option_bytes_read(&[Read(OPTCR, u32::MAX, 0x0FFF_AAED)])]
fn script(#[case] steps: &[Step]) {
    let mut bench = Bench::new();
    bench.run(&UNLOCK).run(steps);
}

#[rstest]
#[case::locked_at_reset(&[Read(CR, LOCK, LOCK), Write(CR, 1), Read(CR, 1, 0)])]
#[case::a_wrong_key_locks_until_reset(&[
    Write(KEYR, 0x4567_0123),
    Write(KEYR, 1),
    Write(KEYR, 0x4567_0123),
    Write(KEYR, 0xCDEF_89AB),
    Read(CR, LOCK, LOCK),
])]
fn locked(#[case] steps: &[Step]) {
    check(steps);
}

#[test]
fn bits_are_where_st_has_them() {
    use crate::against_st::check_bits;
    let cr = [("PG", 1), ("SER", 2), ("MER", 4), ("PSIZE", 0x300)];
    check_bits("FLASH", "CR", &cr);
    check_bits(
        "FLASH",
        "CR",
        &[("STRT", 1 << 16), ("EOPIE", 1 << 24), ("LOCK", LOCK)],
    );
    check_bits(
        "FLASH",
        "SR",
        &[
            ("EOP", 1),
            ("PGPERR", PGPERR),
            ("PGSERR", PGSERR),
            ("BSY", BSY),
        ],
    );
}
