//! The SSD1306 display, 128 x 64 pixels: four rows of sixteen characters.

use az3166_font::{Glyph, WIDTH, glyph};
use stsafe_driver::{Bus, BusError};

use super::i2c::I2c;

const ADDRESS: u8 = 0x3C;
/// Characters in a row.
pub const COLUMNS: usize = 16;
/// Rows of text.
pub const ROWS: usize = 4;

const PIXELS: usize = 128;
const CONTROL_COMMAND: u8 = 0x00;
const CONTROL_DATA: u8 = 0x40;
const SET_PAGE: u8 = 0xB0;
/// The text starts at column 1; the last column, always dark, is not sent.
const FIRST_COLUMN: usize = 1;

/// SSD1306 data sheet section 9: off, column 0, start line 0, contrast, segments and COM outputs
/// remapped, 1/64 duty, no offset, clock, precharge, COM pins, VCOMH, page addressing, charge
/// pump, RAM content, not inverted.
const INITIALISE: [u8; 27] = [
    0xAE, 0x00, 0x10, 0x40, 0x81, 0xCF, 0xA1, 0xC8, 0xA6, 0xA8, 0x3F, 0xD3, 0x00, 0xD5, 0x80, 0xD9,
    0xF1, 0xDA, 0x12, 0xDB, 0x40, 0x20, 0x02, 0x8D, 0x14, 0xA4, 0xA6,
];
const ON: u8 = 0xAF;

/// The display's text.
#[derive(Clone, PartialEq, Eq)]
pub struct Screen([[u8; COLUMNS]; ROWS]);

impl Screen {
    /// Rows of text, cut to what fits.
    pub fn new(rows: [&str; ROWS]) -> Self {
        Self(rows.map(|row| {
            let mut cells = [b' '; COLUMNS];
            for (cell, character) in cells.iter_mut().zip(row.bytes()) {
                *cell = character;
            }
            cells
        }))
    }
}

/// Starts the display, dark.
///
/// # Errors
/// [`BusError`] when there is none.
pub fn start(bus: &mut I2c) -> Result<(), BusError> {
    for byte in INITIALISE {
        command(bus, byte)?;
    }
    for page in 0..2 * ROWS {
        write_page(bus, page, 0, &[0; PIXELS])?;
    }
    command(bus, ON)
}

/// Shows text.
///
/// # Errors
/// [`BusError`] when the display does not answer.
pub fn show(bus: &mut I2c, screen: &Screen) -> Result<(), BusError> {
    for (row, cells) in screen.0.iter().enumerate() {
        for half in 0..2 {
            let mut pixels = [0; PIXELS];
            for (column, &character) in cells.iter().enumerate() {
                let glyph: &Glyph = glyph(char::from(character)).unwrap_or(&[0; 16]);
                pixels[column * WIDTH..][..WIDTH].copy_from_slice(&glyph[half * WIDTH..][..WIDTH]);
            }
            write_page(
                bus,
                2 * row + half,
                FIRST_COLUMN,
                &pixels[..PIXELS - FIRST_COLUMN],
            )?;
        }
    }
    Ok(())
}

fn command(bus: &mut I2c, byte: u8) -> Result<(), BusError> {
    bus.write(ADDRESS, &[CONTROL_COMMAND, byte])
}

fn write_page(bus: &mut I2c, page: usize, column: usize, pixels: &[u8]) -> Result<(), BusError> {
    command(bus, SET_PAGE | page as u8)?;
    command(bus, 0x10 | (column >> 4) as u8)?;
    command(bus, (column & 0x0F) as u8)?;
    let mut data = [CONTROL_DATA; PIXELS + 1];
    data[1..=pixels.len()].copy_from_slice(pixels);
    bus.write(ADDRESS, &data[..=pixels.len()])
}
