//! A vector table and code around it, for programs about exceptions.

use super::assembler::{Assembler, Label};

/// Where the main stack starts.
pub const STACK: u32 = 0x2000_8000;
/// Exceptions of the STM32F412: 16 and 97 interrupts.
const VECTORS: usize = 113;
/// BKPT number of an exception that nobody expects.
pub const UNEXPECTED: u32 = 0xEE;

/// A program under construction: `main` runs from reset on; other code belongs behind it.
pub struct Program {
    pub assembler: Assembler,
    handlers: Vec<Label>,
    used: Vec<bool>,
}

impl Program {
    /// What follows is main.
    pub fn new() -> Self {
        let mut assembler = Assembler::new(0x0800_0000);
        let start = assembler.label();
        let handlers: Vec<Label> = (0..VECTORS).map(|_| assembler.label()).collect();
        assembler.word(STACK).vector(start);
        for &handler in &handlers[2..] {
            assembler.vector(handler);
        }
        assembler.place(start);
        Self {
            assembler,
            handlers,
            used: vec![false; VECTORS],
        }
    }

    /// What follows is the handler of an exception.
    pub fn handler(&mut self, exception: usize) -> &mut Assembler {
        self.used[exception] = true;
        self.assembler.place(self.handlers[exception]);
        &mut self.assembler
    }

    /// The image; exceptions without a handler end at BKPT [`UNEXPECTED`].
    pub fn finish(mut self) -> Vec<u8> {
        for (handler, used) in self.handlers.into_iter().zip(self.used) {
            if !used {
                self.assembler.place(handler);
            }
        }
        self.assembler.breakpoint(UNEXPECTED);
        self.assembler.finish()
    }
}
