//! The OLED's picture in characters.

use az3166_event::Picture;
use az3166_runner::screen;

/// Columns and rows of [`braille`].
pub const BRAILLE: (usize, usize) = (Picture::WIDTH / 2, Picture::HEIGHT / 4);
/// Columns and rows of [`text`].
pub const TEXT: (usize, usize) = (16, 4);

/// Every pixel: a braille character (Unicode block U+2800) shows two columns of four.
pub fn braille(picture: &Picture) -> Vec<String> {
    /// The bit of the dot in each column and row of a character.
    const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let cell = |column: usize, row: usize| {
        let mut code = 0x2800;
        for (x, dots) in DOTS.iter().enumerate() {
            for (y, dot) in dots.iter().enumerate() {
                if picture.is_lit(column * 2 + x, row * 4 + y) {
                    code |= dot;
                }
            }
        }
        char::from_u32(code).unwrap_or(' ')
    };
    let row = |row| (0..BRAILLE.0).map(|column| cell(column, row)).collect();
    (0..BRAILLE.1).map(row).collect()
}

/// The text that the picture shows, for terminals that have no room for its pixels.
pub fn text(picture: &Picture) -> Vec<String> {
    screen::lines(picture)
}

/// `rows` in a frame, each filled up to `width`.
pub fn framed(rows: &[String], (width, height): (usize, usize)) -> Vec<String> {
    let mut framed = vec![format!("┌{}┐", "─".repeat(width))];
    for row in 0..height {
        let row = rows.get(row).map(String::as_str).unwrap_or_default();
        framed.push(format!("│{row:<width$}│"));
    }
    framed.push(format!("└{}┘", "─".repeat(width)));
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_has_its_dot() {
        // Unicode 16, chart U+2800: dots 1 2 3 7 in the left column, 4 5 6 8 in the right one.
        for (pixel, character) in [
            ((0, 0), '⠁'),
            ((0, 1), '⠂'),
            ((0, 2), '⠄'),
            ((0, 3), '⡀'),
            ((1, 0), '⠈'),
            ((1, 1), '⠐'),
            ((1, 2), '⠠'),
            ((1, 3), '⢀'),
        ] {
            let rows = braille(&Picture::from_fn(|x, y| (x, y) == pixel));
            assert_eq!(rows[0].chars().next(), Some(character));
            assert!(rows[0].chars().skip(1).all(|c| c == '⠀'));
        }
        let rows = braille(&Picture::from_fn(|x, y| (x, y) == (127, 63)));
        assert_eq!(rows.len(), BRAILLE.1);
        assert_eq!(rows[15].chars().last(), Some('⢀'));
        assert_eq!(rows[15].chars().count(), BRAILLE.0);
    }

    #[test]
    fn a_frame_has_straight_sides() {
        let rows = framed(&["ab".into()], (3, 2));
        assert_eq!(rows, ["┌───┐", "│ab │", "│   │", "└───┘"]);
    }
}
