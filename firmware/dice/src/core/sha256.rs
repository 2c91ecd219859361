use zeroize::Zeroize;

/// How 32-bit words stand in bytes.
///
/// FIPS 180-4 is big-endian. The DevKit's DICE layer never swaps bytes on its little-endian core,
/// neither the message's words nor the length in the padding nor the digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// SHA-256 as FIPS 180-4 defines it.
    BigEndian,
    /// The DevKit's DICE hash.
    LittleEndian,
}

/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];

/// FIPS 180-4 section 4.2.2.
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.constants"))]
static ROUND: [u32; 64] = [
    0x428A_2F98,
    0x7137_4491,
    0xB5C0_FBCF,
    0xE9B5_DBA5,
    0x3956_C25B,
    0x59F1_11F1,
    0x923F_82A4,
    0xAB1C_5ED5,
    0xD807_AA98,
    0x1283_5B01,
    0x2431_85BE,
    0x550C_7DC3,
    0x72BE_5D74,
    0x80DE_B1FE,
    0x9BDC_06A7,
    0xC19B_F174,
    0xE49B_69C1,
    0xEFBE_4786,
    0x0FC1_9DC6,
    0x240C_A1CC,
    0x2DE9_2C6F,
    0x4A74_84AA,
    0x5CB0_A9DC,
    0x76F9_88DA,
    0x983E_5152,
    0xA831_C66D,
    0xB003_27C8,
    0xBF59_7FC7,
    0xC6E0_0BF3,
    0xD5A7_9147,
    0x06CA_6351,
    0x1429_2967,
    0x27B7_0A85,
    0x2E1B_2138,
    0x4D2C_6DFC,
    0x5338_0D13,
    0x650A_7354,
    0x766A_0ABB,
    0x81C2_C92E,
    0x9272_2C85,
    0xA2BF_E8A1,
    0xA81A_664B,
    0xC24B_8B70,
    0xC76C_51A3,
    0xD192_E819,
    0xD699_0624,
    0xF40E_3585,
    0x106A_A070,
    0x19A4_C116,
    0x1E37_6C08,
    0x2748_774C,
    0x34B0_BCB5,
    0x391C_0CB3,
    0x4ED8_AA4A,
    0x5B9C_CA4F,
    0x682E_6FF3,
    0x748F_82EE,
    0x78A5_636F,
    0x84C8_7814,
    0x8CC7_0208,
    0x90BE_FFFA,
    0xA450_6CEB,
    0xBEF9_A3F7,
    0xC671_78F2,
];

impl Words {
    #[inline(always)]
    fn load(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::BigEndian => u32::from_be_bytes(bytes),
            Self::LittleEndian => u32::from_le_bytes(bytes),
        }
    }

    #[inline(always)]
    fn store(self, word: u32) -> [u8; 4] {
        match self {
            Self::BigEndian => word.to_be_bytes(),
            Self::LittleEndian => word.to_le_bytes(),
        }
    }
}

/// FIPS 180-4 section 6.2.2.
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.text"))]
#[inline(never)]
fn compress(state: &mut [u32; 8], block: &[u8; 64], words: Words) {
    let mut w = [0_u32; 16];
    for (word, bytes) in w.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = words.load(*bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for constants in ROUND.as_chunks::<16>().0 {
        // Written out, so that no variable moves and the schedule's indices are constants: the
        // image has some 8000 blocks.
        let mut round = |t: usize, [a, b, c, e, f, g]: [u32; 6], d: &mut u32, h: &mut u32| {
            let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = g ^ (e & (f ^ g));
            let t1 = h
                .wrapping_add(sum1)
                .wrapping_add(choice)
                .wrapping_add(constants[t])
                .wrapping_add(w[t]);
            let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let majority = (a & b) | (c & (a | b));
            *d = d.wrapping_add(t1);
            *h = t1.wrapping_add(sum0).wrapping_add(majority);
            let (w1, w14) = (w[(t + 1) % 16], w[(t + 14) % 16]);
            let sigma0 = w1.rotate_right(7) ^ w1.rotate_right(18) ^ (w1 >> 3);
            let sigma1 = w14.rotate_right(17) ^ w14.rotate_right(19) ^ (w14 >> 10);
            w[t] = w[t]
                .wrapping_add(sigma0)
                .wrapping_add(w[(t + 9) % 16])
                .wrapping_add(sigma1);
        };
        round(0, [a, b, c, e, f, g], &mut d, &mut h);
        round(1, [h, a, b, d, e, f], &mut c, &mut g);
        round(2, [g, h, a, c, d, e], &mut b, &mut f);
        round(3, [f, g, h, b, c, d], &mut a, &mut e);
        round(4, [e, f, g, a, b, c], &mut h, &mut d);
        round(5, [d, e, f, h, a, b], &mut g, &mut c);
        round(6, [c, d, e, g, h, a], &mut f, &mut b);
        round(7, [b, c, d, f, g, h], &mut e, &mut a);
        round(8, [a, b, c, e, f, g], &mut d, &mut h);
        round(9, [h, a, b, d, e, f], &mut c, &mut g);
        round(10, [g, h, a, c, d, e], &mut b, &mut f);
        round(11, [f, g, h, b, c, d], &mut a, &mut e);
        round(12, [e, f, g, a, b, c], &mut h, &mut d);
        round(13, [d, e, f, h, a, b], &mut g, &mut c);
        round(14, [c, d, e, g, h, a], &mut f, &mut b);
        round(15, [b, c, d, f, g, h], &mut e, &mut a);
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(add);
    }
    w.zeroize();
}

/// Fills a block byte by byte, so that a message may come in pieces.
struct Hash {
    state: [u32; 8],
    block: [u8; 64],
    length: u64,
    words: Words,
}

impl Hash {
    #[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.text"))]
    #[inline(never)]
    fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = (self.length % 64) as usize;
            let (now, later) = rest.split_at(rest.len().min(64 - used));
            self.length += now.len() as u64;
            if let Some(block) = now.first_chunk::<64>() {
                compress(&mut self.state, block, self.words);
            } else {
                self.block[used..used + now.len()].copy_from_slice(now);
                if used + now.len() == 64 {
                    compress(&mut self.state, &self.block, self.words);
                }
            }
            rest = later;
        }
    }
}

/// The SHA-256 of the concatenated pieces.
#[cfg_attr(target_os = "none", unsafe(link_section = ".riot_core.text"))]
#[inline(never)]
pub fn sha256(words: Words, pieces: &[&[u8]]) -> [u8; 32] {
    let mut hash = Hash {
        state: INITIAL,
        block: [0; 64],
        length: 0,
        words,
    };
    for piece in pieces {
        hash.update(piece);
    }
    let bits = hash.length * 8;
    let zeros = (119 - (hash.length % 64) as usize) % 64;
    hash.update(&[0x80]);
    hash.update(&[0; 63][..zeros]);
    match words {
        Words::BigEndian => hash.update(&bits.to_be_bytes()),
        Words::LittleEndian => hash.update(&bits.to_le_bytes()),
    }
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(hash.state) {
        *bytes = words.store(word);
    }
    hash.state.zeroize();
    hash.block.zeroize();
    digest
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;
    use sha2::{Digest, Sha256};
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_published_value_of_the_dice_hash() {
        assert_eq!(
            hex::encode(sha256(Words::LittleEndian, &[b"abc"])),
            "bb392cd2622eecbce49cd242285d0009ef70eae1a3e43e5ec8eae7c779b9f600"
        );
    }

    #[test]
    fn every_length_around_a_block_edge_agrees_with_another_implementation() {
        for length in 0..=200 {
            let message: Vec<u8> = (0..length).collect();
            let expected: [u8; 32] = Sha256::digest(&message).into();
            assert_eq!(
                sha256(Words::BigEndian, &[&message]),
                expected,
                "{length} bytes"
            );
        }
    }

    proptest! {
        #[test]
        fn agrees_with_another_implementation(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..150), 0..5)
        ) {
            let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let expected: [u8; 32] = Sha256::digest(pieces.concat()).into();
            prop_assert_eq!(sha256(Words::BigEndian, &slices), expected);
        }
    }
}
