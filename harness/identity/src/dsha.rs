use sha2::block_api::compress256;
use zeroize::Zeroizing;

/// SHA-256's initial state (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hash of the DevKit's DICE layer: SHA-256 that never swaps bytes on its little-endian core.
///
/// It differs from FIPS 180-4 in three places: message words are loaded little-endian, the bit
/// count that ends the padding is stored little-endian, and so are the eight words of the result.
/// The same variant is in the device and in the SDK's PC tool, so it is part of the identity.
pub fn dsha(message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut state = Zeroizing::new(INITIAL);
    let (blocks, rest) = message.as_chunks::<64>();
    for block in blocks {
        compress(&mut state, block);
    }
    let mut padded = Zeroizing::new([0u8; 128]);
    let length = if rest.len() < 56 { 64 } else { 128 };
    padded[..rest.len()].copy_from_slice(rest);
    padded[rest.len()] = 0x80;
    let bits = (message.len() as u64).wrapping_mul(8);
    padded[length - 8..length].copy_from_slice(&bits.to_le_bytes());
    for block in padded[..length].as_chunks::<64>().0 {
        compress(&mut state, block);
    }
    let mut digest = Zeroizing::new([0u8; 32]);
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state.iter()) {
        *bytes = word.to_le_bytes();
    }
    digest
}

/// One compression; the library loads big-endian, so each word is turned round first.
fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
    let mut swapped = Zeroizing::new(*block);
    for word in swapped.as_chunks_mut::<4>().0 {
        word.reverse();
    }
    compress256(state, core::slice::from_ref(&*swapped));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The value that the SDK's code gives; the vectors' CDI values check longer messages.
    #[rstest]
    #[case(
        b"abc",
        "bb392cd2622eecbce49cd242285d0009ef70eae1a3e43e5ec8eae7c779b9f600"
    )]
    fn known(#[case] message: &[u8], #[case] expected: &str) {
        assert_eq!(hex::encode(*dsha(message)), expected);
    }

    /// The definition again, word by word, without the library.
    fn reference(message: &[u8]) -> [u8; 32] {
        let mut padded = message.to_vec();
        padded.push(0x80);
        while padded.len() % 64 != 56 {
            padded.push(0);
        }
        padded.extend((message.len() as u64 * 8).to_le_bytes());
        let mut state = INITIAL;
        for block in padded.chunks(64) {
            let words: Vec<u32> = block
                .chunks(4)
                .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
                .collect();
            state = round::compress(state, &words);
        }
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }

    #[test]
    fn every_length_round_a_block_end() {
        let message: Vec<u8> = (0..=255).collect();
        for length in 0..=200 {
            assert_eq!(*dsha(&message[..length]), reference(&message[..length]));
        }
    }

    /// FIPS 180-4 section 6.2.2, with the constants made from the primes as section 4.2.2 says.
    mod round {
        fn constants() -> Vec<u32> {
            (2u64..)
                .filter(|n| (2..*n).all(|d| n % d != 0))
                .take(64)
                .map(|prime| {
                    let fraction = (prime as f64).cbrt().fract();
                    (fraction * 4_294_967_296.0) as u32
                })
                .collect()
        }

        pub fn compress(state: [u32; 8], words: &[u32]) -> [u32; 8] {
            let mut w = words.to_vec();
            for t in 16..64 {
                let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
                let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
                w.push(
                    w[t - 16]
                        .wrapping_add(s0)
                        .wrapping_add(w[t - 7])
                        .wrapping_add(s1),
                );
            }
            let mut v = state;
            for (word, constant) in w.iter().zip(constants()) {
                let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
                let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
                let t1 = v[7]
                    .wrapping_add(s1)
                    .wrapping_add(choice)
                    .wrapping_add(constant)
                    .wrapping_add(*word);
                let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
                let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
                let t2 = s0.wrapping_add(majority);
                v.rotate_right(1);
                v[4] = v[4].wrapping_add(t1);
                v[0] = t1.wrapping_add(t2);
            }
            core::array::from_fn(|i| state[i].wrapping_add(v[i]))
        }
    }
}
