//! Variables: definitions, `${name}` in texts, rows of a matrix.

mod derive;
mod expand;
mod matrix;
mod resolve;

pub use derive::{Derivation, Variable};
pub use expand::{Budget, substitute};
pub use matrix::{Matrix, Row, rows};
pub use resolve::{Definition, Variables, is_name, resolve, unknown};
