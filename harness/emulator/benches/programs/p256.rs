//! Multiply and accumulate as a P-256 Montgomery multiplication does it, in a chain; ends at BKPT
//! with the lowest word of the result in R0.

#![no_std]
#![no_main]

use core::arch::asm;

const MULTIPLICATIONS: u32 = 40_000;

/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1, lowest word first.
static P: [u32; 8] = [
    0xFFFF_FFFF,
    0xFFFF_FFFF,
    0xFFFF_FFFF,
    0,
    0,
    0,
    1,
    0xFFFF_FFFF,
];

#[unsafe(no_mangle)]
pub extern "C" fn reset() -> ! {
    let mut x = [0x1234_5678, 0x9ABC_DEF0, 3, 5, 7, 11, 13, 0x0FED_CBA9];
    let y = [0x0F1E_2D3C, 0x4B5A_6978, 2, 4, 6, 8, 10, 0x0BAD_CAFE];
    for _ in 0..MULTIPLICATIONS {
        x = multiply(&x, &y);
    }
    // SAFETY: BKPT ends the program; it touches no memory.
    unsafe { asm!("bkpt", in("r0") x[0], options(noreturn)) }
}

/// a * b / 2^256 mod p; -1/p mod 2^32 is 1.
#[inline(never)]
fn multiply(a: &[u32; 8], b: &[u32; 8]) -> [u32; 8] {
    let mut t = [0u32; 10];
    for &word in b {
        let carry = accumulate(&mut t, a, word);
        let sum = u64::from(t[8]) + u64::from(carry);
        (t[8], t[9]) = (sum as u32, (sum >> 32) as u32);
        let factor = t[0];
        let carry = accumulate(&mut t, &P, factor);
        let sum = u64::from(t[8]) + u64::from(carry);
        t[8] = sum as u32;
        t[9] += (sum >> 32) as u32;
        t.copy_within(1.., 0);
    }
    let mut reduced = [0; 8];
    let mut borrow = 0;
    for (index, &p) in P.iter().enumerate() {
        let difference = i64::from(t[index]) - i64::from(p) + borrow;
        reduced[index] = difference as u32;
        borrow = difference >> 32;
    }
    if i64::from(t[8]) + borrow < 0 {
        reduced.copy_from_slice(&t[..8]);
    }
    reduced
}

/// t += a * word; the carry out of the lower eight words.
#[inline(always)]
fn accumulate(t: &mut [u32; 10], a: &[u32; 8], word: u32) -> u32 {
    let mut carry = 0;
    for (sum, &a) in t.iter_mut().zip(a) {
        let product = u64::from(a) * u64::from(word) + u64::from(*sum) + u64::from(carry);
        *sum = product as u32;
        carry = (product >> 32) as u32;
    }
    carry
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
