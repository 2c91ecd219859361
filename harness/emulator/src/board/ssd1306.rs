//! The OLED: an SSD1306-class controller with a 128x64 panel at I2C address 0x3C.
//!
//! Sources: Solomon Systech SSD1306 data sheet rev 1.1, sections 8.1.5 (I2C), 9 (command table)
//! and 10 (commands).

use az3166_event::VirtualTime;
use az3166_stsafe::{Acknowledge, Direction};

use super::I2cDevice;

const ADDRESS: u8 = 0x3C;

/// The picture's width in pixels.
pub const WIDTH: usize = 128;
/// The picture's height in pixels.
pub const HEIGHT: usize = 64;
const PAGES: usize = HEIGHT / 8;

/// How GDDRAM's address moves after a byte of data (command 20h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addressing {
    Horizontal,
    Vertical,
    Page,
}

/// What the next byte of a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Control,
    /// One byte of this kind, then a control byte.
    One(Stream),
    /// Bytes of this kind up to the STOP.
    Rest(Stream),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Command,
    Data,
}

/// A scan order, as the panel of the board is mounted: remapped is upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    Normal,
    Remapped,
}

/// The display.
#[derive(Clone, Debug)]
pub struct Ssd1306 {
    gddram: [[u8; WIDTH]; PAGES],
    addressing: Addressing,
    page: u8,
    column: u8,
    pages: (u8, u8),
    columns: (u8, u8),
    segments: Scan,
    commons: Scan,
    start_line: u8,
    offset: u8,
    multiplex: u8,
    inverted: bool,
    all_on: bool,
    on: bool,
    charge_pump: bool,
    expect: Expect,
    /// A command that waits for parameters, over transfers too.
    command: Vec<u8>,
    changed_at: VirtualTime,
}

impl Ssd1306 {
    /// A display after its power came on. Its memory is not cleared: `noise` fills it.
    pub fn new(noise: u8) -> Self {
        Self {
            gddram: [[noise; WIDTH]; PAGES],
            addressing: Addressing::Page,
            page: 0,
            column: 0,
            pages: (0, 7),
            columns: (0, 127),
            segments: Scan::Normal,
            commons: Scan::Normal,
            start_line: 0,
            offset: 0,
            multiplex: 63,
            inverted: false,
            all_on: false,
            on: false,
            charge_pump: false,
            expect: Expect::Control,
            command: Vec::new(),
            changed_at: VirtualTime::ZERO,
        }
    }

    /// Whether it shines: on, and its charge pump feeds the panel.
    pub fn is_on(&self) -> bool {
        self.on && self.charge_pump
    }

    /// When the last byte came that can have changed the picture.
    pub fn changed_at(&self) -> VirtualTime {
        self.changed_at
    }

    /// The picture as one sees it: rows from the top, pixels from the left, `true` shines.
    pub fn pixels(&self) -> [[bool; WIDTH]; HEIGHT] {
        let mut picture = [[false; WIDTH]; HEIGHT];
        if !self.is_on() {
            return picture;
        }
        for (y, row) in picture.iter_mut().enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = self.pixel(x, y);
            }
        }
        picture
    }

    fn pixel(&self, x: usize, y: usize) -> bool {
        let column = match self.segments {
            Scan::Remapped => x,
            Scan::Normal => WIDTH - 1 - x,
        };
        let line = match self.commons {
            Scan::Remapped => y,
            Scan::Normal => HEIGHT - 1 - y,
        };
        // The rows beyond the multiplex ratio are not driven (10.1.11).
        if line > usize::from(self.multiplex) {
            return false;
        }
        let row = (line + usize::from(self.start_line) + usize::from(self.offset)) % HEIGHT;
        let lit = self.all_on || self.gddram[row / 8][column] >> (row % 8) & 1 != 0;
        lit != self.inverted
    }

    /// GDDRAM: 8 pages of 128 columns, bit 0 on top.
    pub fn gddram(&self) -> &[[u8; WIDTH]; PAGES] {
        &self.gddram
    }

    fn data(&mut self, byte: u8) {
        self.gddram[usize::from(self.page & 7)][usize::from(self.column & 0x7F)] = byte;
        let next = |value: u8, (first, last): (u8, u8)| {
            if value == last {
                first
            } else {
                value.wrapping_add(1) & 0x7F
            }
        };
        match self.addressing {
            Addressing::Page => self.column = next(self.column, (0, 127)),
            Addressing::Horizontal => {
                let wraps = self.column == self.columns.1;
                self.column = next(self.column, self.columns);
                if wraps {
                    self.page = next(self.page, self.pages) & 7;
                }
            }
            Addressing::Vertical => {
                let wraps = self.page == self.pages.1;
                self.page = next(self.page, self.pages) & 7;
                if wraps {
                    self.column = next(self.column, self.columns);
                }
            }
        }
    }

    fn command_byte(&mut self, byte: u8) {
        self.command.push(byte);
        if self.command.len() > parameters(self.command[0]) {
            let command = core::mem::take(&mut self.command);
            self.execute(&command);
        }
    }

    fn execute(&mut self, command: &[u8]) {
        let low = command[0] & 0xF;
        match *command {
            [0x00..=0x0F] => self.column = self.column & 0xF0 | low,
            [0x10..=0x17] => self.column = self.column & 0x0F | low << 4,
            [0x20, mode] => {
                self.addressing = match mode & 0b11 {
                    0 => Addressing::Horizontal,
                    1 => Addressing::Vertical,
                    _ => Addressing::Page,
                };
            }
            [0x21, first, last] => {
                self.columns = (first & 0x7F, last & 0x7F);
                self.column = self.columns.0;
            }
            [0x22, first, last] => {
                self.pages = (first & 7, last & 7);
                self.page = self.pages.0;
            }
            [line @ 0x40..=0x7F] => self.start_line = line & 0x3F,
            [0x8D, setting] => self.charge_pump = setting & 0x04 != 0,
            [0xA0] => self.segments = Scan::Normal,
            [0xA1] => self.segments = Scan::Remapped,
            [state @ 0xA4..=0xA5] => self.all_on = state & 1 != 0,
            [state @ 0xA6..=0xA7] => self.inverted = state & 1 != 0,
            [0xA8, ratio] => self.multiplex = ratio & 0x3F,
            [state @ 0xAE..=0xAF] => self.on = state & 1 != 0,
            [0xB0..=0xB7] => self.page = low,
            [0xC0..=0xC7] => self.commons = Scan::Normal,
            [0xC8..=0xCF] => self.commons = Scan::Remapped,
            [0xD3, offset] => self.offset = offset & 0x3F,
            // Contrast, timing, pins, scrolling, NOP: the picture stays.
            _ => {}
        }
    }
}

/// How many parameter bytes follow a command (table 9-1).
const fn parameters(command: u8) -> usize {
    match command {
        0x26 | 0x27 => 6,
        0x29 | 0x2A => 5,
        0x21 | 0x22 | 0xA3 => 2,
        0x20 | 0x81 | 0x8D | 0xA8 | 0xD3 | 0xD5 | 0xD9 | 0xDA | 0xDB => 1,
        _ => 0,
    }
}

impl I2cDevice for Ssd1306 {
    fn address(&mut self, _: VirtualTime, address: u8, _: Direction) -> Acknowledge {
        self.expect = Expect::Control;
        if address == ADDRESS {
            Acknowledge::Ack
        } else {
            Acknowledge::Nack
        }
    }

    fn write(&mut self, now: VirtualTime, byte: u8) -> Acknowledge {
        const CONTINUATION: u8 = 0x80;
        const DATA: u8 = 0x40;
        let stream = match self.expect {
            Expect::Control => {
                let stream = if byte & DATA == 0 {
                    Stream::Command
                } else {
                    Stream::Data
                };
                self.expect = if byte & CONTINUATION == 0 {
                    Expect::Rest(stream)
                } else {
                    Expect::One(stream)
                };
                return Acknowledge::Ack;
            }
            Expect::One(stream) => {
                self.expect = Expect::Control;
                stream
            }
            Expect::Rest(stream) => stream,
        };
        match stream {
            Stream::Command => self.command_byte(byte),
            Stream::Data => self.data(byte),
        }
        self.changed_at = now;
        Acknowledge::Ack
    }

    fn read(&mut self, _: VirtualTime) -> u8 {
        // Status register: bit 6 says that the display is off (9.2).
        if self.on { 0x00 } else { 0x40 }
    }

    fn stop(&mut self, _: VirtualTime) {
        self.expect = Expect::Control;
    }
}
