//! The cache of decoded instructions.

use super::op::Op;

/// log2 of the bytes of a page.
pub(crate) const PAGE_SHIFT: u32 = 10;
/// Halfwords in a page.
const PAGE_HALFWORDS: usize = 1 << (PAGE_SHIFT - 1);

const FLASH_PAGES: usize = crate::memory::Memory::FLASH_SIZE >> PAGE_SHIFT;
const RAM_PAGES: usize = crate::memory::Memory::RAM_SIZE >> PAGE_SHIFT;

/// The decoded instructions of one page, one place for each halfword.
pub(super) type Page = [Op; PAGE_HALFWORDS];

/// Which page of the cache: flash, then its boot alias, then RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageIndex(usize);

impl PageIndex {
    /// The page of an address in flash, given its offset.
    pub(super) const fn flash(offset: u32) -> Self {
        Self(offset as usize >> PAGE_SHIFT)
    }

    /// The page of an address in the boot alias of flash.
    pub(super) const fn alias(offset: u32) -> Self {
        Self(FLASH_PAGES + (offset as usize >> PAGE_SHIFT))
    }

    /// The page of an address in RAM.
    pub(super) const fn ram(offset: u32) -> Self {
        Self(2 * FLASH_PAGES + (offset as usize >> PAGE_SHIFT))
    }
}

/// All decoded pages. A clone is empty: what it holds follows from memory.
#[derive(Debug)]
pub(crate) struct CodeCache {
    pages: Vec<Option<Box<Page>>>,
    ram_has_code: Box<[bool; RAM_PAGES]>,
}

impl CodeCache {
    pub(crate) fn new() -> Self {
        Self {
            pages: std::iter::repeat_with(|| None)
                .take(2 * FLASH_PAGES + RAM_PAGES)
                .collect(),
            ram_has_code: Box::new([false; RAM_PAGES]),
        }
    }

    /// The decoded instruction at `pc` in a page, [`Op::UNDECODED`] where there is none.
    #[inline(always)]
    pub(super) fn get(&self, page: PageIndex, pc: u32) -> Op {
        match self.pages.get(page.0) {
            Some(Some(ops)) => ops[(pc >> 1) as usize & (PAGE_HALFWORDS - 1)],
            _ => Op::UNDECODED,
        }
    }

    /// Keeps what was decoded at `pc`.
    pub(super) fn put(&mut self, page: PageIndex, pc: u32, op: Op) {
        let ops =
            self.pages[page.0].get_or_insert_with(|| Box::new([Op::UNDECODED; PAGE_HALFWORDS]));
        ops[(pc >> 1) as usize & (PAGE_HALFWORDS - 1)] = op;
        if let Some(ram_page) = page.0.checked_sub(2 * FLASH_PAGES) {
            self.ram_has_code[ram_page] = true;
        }
    }

    /// Whether the page of RAM that holds `offset` has decoded code.
    #[inline(always)]
    pub(super) fn ram_has_code(&self, offset: usize) -> bool {
        self.ram_has_code[(offset >> PAGE_SHIFT) & (RAM_PAGES - 1)]
    }

    /// Drops what was decoded in `length` bytes of RAM from `offset` on.
    pub(crate) fn drop_ram(&mut self, offset: usize, length: usize) {
        for page in pages_of(offset, length) {
            self.pages[2 * FLASH_PAGES + page] = None;
            self.ram_has_code[page] = false;
        }
    }

    /// Drops what was decoded in `length` bytes of flash from `offset` on.
    pub(crate) fn drop_flash(&mut self, offset: usize, length: usize) {
        for page in pages_of(offset, length) {
            self.pages[page] = None;
            self.pages[FLASH_PAGES + page] = None;
        }
    }

    /// Drops all that was decoded.
    pub(super) fn drop_all(&mut self) {
        self.pages.fill_with(|| None);
        self.ram_has_code.fill(false);
    }
}

impl Clone for CodeCache {
    fn clone(&self) -> Self {
        Self::new()
    }
}

fn pages_of(offset: usize, length: usize) -> std::ops::Range<usize> {
    offset >> PAGE_SHIFT..(offset + length).div_ceil(1 << PAGE_SHIFT)
}
