//! Reads the text on the OLED by the firmware's own font.

use az3166_event::Picture;
use az3166_font::{HEIGHT, WIDTH, recognise};

/// Rows of text.
const ROWS: usize = 4;
/// Characters in a row.
const COLUMNS: usize = 16;
/// The column at which text may begin: the vendor's starts at 1, others at 0.
const OFFSETS: [usize; 2] = [1, 0];

/// The four rows of text, right-trimmed; a cell that shows none of the font's characters reads `?`.
pub fn lines(picture: &Picture) -> Vec<String> {
    let readings = OFFSETS.map(|offset| read(picture, offset));
    let unknown = |lines: &Vec<String>| lines.concat().matches('?').count();
    readings.into_iter().min_by_key(unknown).unwrap_or_default()
}

fn read(picture: &Picture, offset: usize) -> Vec<String> {
    (0..ROWS)
        .map(|row| {
            let line: String = (0..COLUMNS)
                .map(|column| {
                    recognise(&cell(picture, column * WIDTH + offset, row * HEIGHT)).unwrap_or('?')
                })
                .collect();
            line.trim_end().to_owned()
        })
        .collect()
}

/// The cell at pixel (`x`, `y`) in the display RAM's order: upper page, then lower, bit 0 on top.
fn cell(picture: &Picture, x: usize, y: usize) -> [u8; 16] {
    core::array::from_fn(|index| {
        let (page, column) = (index / WIDTH, index % WIDTH);
        (0..8).fold(0, |byte, bit| {
            byte | u8::from(picture.is_lit(x + column, y + page * 8 + bit)) << bit
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use az3166_font::glyph;
    use rstest::rstest;

    #[rstest]
    #[case(0, "IoT DevKit")]
    #[case(1, "id:0123456789ab")]
    fn what_is_drawn_is_read(#[case] offset: usize, #[case] text: &str) {
        let picture = Picture::from_fn(|x, y| {
            let Some(x) = x
                .checked_sub(offset)
                .filter(|_| (HEIGHT..2 * HEIGHT).contains(&y))
            else {
                return false;
            };
            let Some(character) = text.chars().nth(x / WIDTH) else {
                return false;
            };
            let byte = glyph(character).unwrap()[(y - HEIGHT) / 8 * WIDTH + x % WIDTH];
            byte >> (y % 8) & 1 == 1
        });
        assert_eq!(lines(&picture), ["", text, "", ""]);
    }

    #[test]
    fn noise_is_not_text() {
        let picture = Picture::from_fn(|x, y| (x * 31 + y * 17) % 3 == 0);
        assert!(lines(&picture)[0].contains('?'));
    }
}
