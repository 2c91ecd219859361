//! YAML with positions: a tree whose nodes know where they stand, and a serde deserializer over it.
//!
//! No YAML crate with serde support gives positions of values that parsed well, and those are
//! what a failing step and an unknown variable point at. So the tree comes from a parser's
//! events, variables are put into the tree, and serde reads the tree.

mod de;
mod fault;
mod load;
mod node;

pub(crate) use de::ONE_OR_MANY;
pub use fault::Fault;
pub use load::load;
pub use node::{Key, Node, Value, Writing};
