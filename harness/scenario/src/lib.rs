//! The scenario file format: what a file can say, parsing with positions, variables and matrices,
//! the JSON schema.
//!
//! Text in, model out: this crate opens no file. [`parse`] reads one [`Source`] into a
//! [`ScenarioFile`]; [`check_names`] looks over many. Every [`Step`] knows its place in the file,
//! so that a failing one can be shown.

#[doc(hidden)]
pub mod fuzzing;
mod interval;
mod model;
mod parse;
mod schema;
mod search;
mod vars;
mod verb;

pub use az3166_yaml::{Diagnostic, Source, Span, Style, Text, mask};
pub use interval::{Interval, IntervalError};
pub use model::*;
pub use parse::{all_variables, check_names, parse};
pub use schema::schema;
pub use search::{TraceMiss, find_in_order};
pub use verb::*;
