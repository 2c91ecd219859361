//! The display's font: printable ASCII in cells of 8 by 16 pixels, drawn for this project.
//!
//! The drawing is `glyphs.txt`: six bands of sixteen glyphs, 5 by 8 pixels each, separated by one
//! column. A glyph stands in columns 1 to 5 of its cell and each of its rows fills two rows of it,
//! so the firmware needs no scaling and a reader of pixels can compare cells byte by byte.
#![no_std]
#![forbid(unsafe_code)]

/// Width of a cell in pixels.
pub const WIDTH: usize = 8;
/// Height of a cell in pixels.
pub const HEIGHT: usize = 16;

/// One cell as the SSD1306's display RAM holds it: eight columns of the upper page, then eight of
/// the lower page; bit 0 of a byte is its topmost pixel.
pub type Glyph = [u8; WIDTH * HEIGHT / 8];

const FIRST: u8 = b' ';
const LAST: u8 = b'~';
const COUNT: usize = (LAST - FIRST + 1) as usize;

const ART: &[u8] = include_bytes!("glyphs.txt");
const PER_BAND: usize = 16;
const ART_COLUMNS: usize = 5;
const ART_ROWS: usize = 8;
const ART_LINE: usize = PER_BAND * (ART_COLUMNS + 1);

/// The cells of all printable ASCII characters, from space to tilde.
pub static GLYPHS: [Glyph; COUNT] = draw_all();

const fn draw_all() -> [Glyph; COUNT] {
    let mut glyphs = [[0; 16]; COUNT];
    let mut index = 0;
    while index < COUNT {
        glyphs[index] = draw(index);
        index += 1;
    }
    glyphs
}

const fn draw(index: usize) -> Glyph {
    let origin = index / PER_BAND * ART_ROWS * ART_LINE + index % PER_BAND * (ART_COLUMNS + 1);
    let mut glyph = [0; 16];
    let mut row = 0;
    while row < ART_ROWS {
        let mut column = 0;
        while column < ART_COLUMNS {
            if ART[origin + row * ART_LINE + column] == b'#' {
                let page = row / 4;
                glyph[page * WIDTH + column + 1] |= 0b11 << (row % 4 * 2);
            }
            column += 1;
        }
        row += 1;
    }
    glyph
}

/// The cell of a character; `None` for anything but printable ASCII.
pub fn glyph(character: char) -> Option<&'static Glyph> {
    let index = u32::from(character).checked_sub(u32::from(FIRST))?;
    GLYPHS.get(usize::try_from(index).ok()?)
}

/// The character that a cell shows; `None` when it is none of this font's.
pub fn recognise(cell: &Glyph) -> Option<char> {
    let index = GLYPHS.iter().position(|glyph| glyph == cell)?;
    Some(char::from(FIRST + u8::try_from(index).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cell as 16 lines of 8 characters, top to bottom.
    fn picture(character: char) -> [[u8; 8]; 16] {
        let cell = glyph(character).unwrap();
        core::array::from_fn(|y| {
            core::array::from_fn(|x| {
                let lit = cell[y / 8 * 8 + x] >> (y % 8) & 1;
                if lit == 1 { b'#' } else { b'.' }
            })
        })
    }

    #[test]
    fn every_printable_character_is_recognised_as_itself() {
        for code in FIRST..=LAST {
            let character = char::from(code);
            assert_eq!(recognise(glyph(character).unwrap()), Some(character));
        }
    }

    #[test]
    fn other_characters_have_no_cell() {
        for character in ['\u{1f}', '\u{7f}', 'é'] {
            assert_eq!(glyph(character), None);
        }
        assert_eq!(recognise(&[0xFF; 16]), None);
    }

    #[test]
    fn a_cell_is_upright_and_doubled_in_height() {
        let picture = picture('F');
        let rows: [&[u8; 8]; 8] = [
            b".#####..",
            b".#......",
            b".#......",
            b".####...",
            b".#......",
            b".#......",
            b".#......",
            b"........",
        ];
        for (y, line) in picture.iter().enumerate() {
            assert_eq!(line, rows[y / 2], "row {y}");
        }
    }
}
