//! YAML files that people write: a tree whose nodes know where they stand, a serde deserializer
//! over it, and errors that show line, caret and what was perhaps meant.
//!
//! No YAML crate with serde support gives positions of values that parsed well, and those are
//! what a failing step and an unknown variable point at. So the tree comes from a parser's
//! events, what a file format substitutes is put into the tree, and serde reads the tree.
//!
//! Text in, tree out: this crate opens no file.

mod de;
mod diagnostic;
mod fault;
mod load;
mod node;
mod source;
pub mod suggest;
mod text;

pub use de::ONE_OR_MANY;
pub use diagnostic::{Diagnostic, Style};
pub use fault::Fault;
pub use load::{Format, load};
pub use node::{Key, Node, Value, Writing};
pub use source::{Source, Span};
pub use text::{Text, mask};
