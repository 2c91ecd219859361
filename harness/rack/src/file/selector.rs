//! Which boards `board:<id>` and `board:<tag>` mean.

use core::fmt;

use az3166_yaml::suggest;

use super::{Board, Rack};
use crate::QuarantinedBoards;

/// A board's id or a tag, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(String);

impl Selector {
    /// The selector `word`.
    pub fn new(word: impl Into<String>) -> Self {
        Self(word.into())
    }

    /// The boards of `rack` that it means: the one with this id, or all with this tag.
    ///
    /// # Errors
    /// There is none.
    pub fn boards<'a>(&self, rack: &'a Rack) -> Result<Vec<&'a Board>, SelectorError> {
        let by_id = rack.boards.iter().find(|board| board.id.as_str() == self.0);
        if let Some(board) = by_id {
            return Ok(vec![board]);
        }
        let has_tag = |board: &&Board| board.tags.iter().any(|tag| tag.as_str() == self.0);
        let tagged: Vec<&Board> = rack.boards.iter().filter(has_tag).collect();
        match tagged.is_empty() {
            false => Ok(tagged),
            true => Err(self.unknown(rack)),
        }
    }

    /// Whether boards in quarantine are meant too: whoever names a board by its id asks for it, and
    /// whoever names a tag does not.
    pub fn quarantined(&self, rack: &Rack) -> QuarantinedBoards {
        match self.board(rack) {
            Ok(_) => QuarantinedBoards::Use,
            Err(_) => QuarantinedBoards::Avoid,
        }
    }

    /// The one board with this id.
    ///
    /// # Errors
    /// There is none.
    pub fn board<'a>(&self, rack: &'a Rack) -> Result<&'a Board, SelectorError> {
        let by_id = rack.boards.iter().find(|board| board.id.as_str() == self.0);
        by_id.ok_or_else(|| self.unknown(rack))
    }

    fn unknown(&self, rack: &Rack) -> SelectorError {
        let ids = rack.boards.iter().map(|board| board.id.as_str());
        let tags = rack.boards.iter().flat_map(|board| &board.tags);
        let mut known: Vec<&str> = ids.chain(tags.map(|tag| tag.as_str())).collect();
        known.sort_unstable();
        known.dedup();
        SelectorError(suggest::unknown("board", &self.0, &known))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// {0}
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);
