//! The two measured regions of a firmware image, read from an ELF file or from a flash image and
//! its linker map.

mod elf;
mod error;
mod flash;
mod map;
mod region;
mod symbols;

pub use error::ImageError;
pub use flash::FlashImage;
pub use map::gnu_map;
pub use region::{Flip, MeasuredRegions, Region, RegionName};
pub use symbols::{MeasuredSymbol, RegionSymbols};
