//! `rack.yaml`: the boards of a rack.

mod draft;
mod model;
mod parse;
mod schema;
mod selector;
mod words;

pub use draft::draft;
pub use model::{Board, Buttons, Console, HubPlace, PortNumber, PowerPort, Quarantine, Rack};
pub use parse::parse;
pub use schema::schema;
pub use selector::{Selector, SelectorError};
pub use words::{BoardId, ChipUid, Kilohertz, ProbeSerial, RelayCommand, Tag};

#[cfg(test)]
pub(crate) mod tests {
    use az3166_yaml::Source;

    use super::*;

    /// A board with these further members.
    pub fn board(members: &str) -> Board {
        let text = format!("boards:\n  - id: lab-1\n    probe_serial: 066EFF\n    {members}\n");
        let mut rack = parse(&Source::new("rack.yaml", &text)).unwrap();
        rack.boards.remove(0)
    }
}
