//! When a picture on the OLED counts as shown.

use core::time::Duration;

use az3166_event::{DisplayEvent, Picture, VirtualTime};
use sha2::{Digest, Sha256};

use crate::screen;

/// How long a picture must stay before it counts as shown: a refresh of the OLED at about 60 Hz.
const REFRESH: Duration = Duration::from_millis(16);

/// Tells each picture once, when it has stayed for a refresh of the OLED.
#[derive(Clone, Debug, Default)]
pub struct DisplayWatch {
    /// When the last picture that was looked at had come, and its hash.
    shown: Option<(VirtualTime, String)>,
}

impl DisplayWatch {
    /// Whether the picture that came at `changed` is to be looked at by now.
    pub fn is_due(&self, now: VirtualTime, changed: VirtualTime) -> bool {
        now - changed >= REFRESH && self.shown.as_ref().is_none_or(|(at, _)| *at != changed)
    }

    /// Looks at the picture that came at `changed`; an event if it is another than before.
    pub fn look(&mut self, changed: VirtualTime, picture: &Picture) -> Option<DisplayEvent> {
        let sha256 = hash(picture);
        let before = self.shown.replace((changed, sha256.clone()));
        if before.is_some_and(|(_, before)| before == sha256) {
            return None;
        }
        Some(DisplayEvent::Frame {
            lines: screen::lines(picture),
            sha256,
        })
    }

    /// The display lost its power.
    pub fn forget(&mut self) {
        self.shown = None;
    }
}

fn hash(picture: &Picture) -> String {
    let mut hash = Sha256::new();
    for y in 0..Picture::HEIGHT {
        let row: u128 = (0..Picture::WIDTH)
            .map(|x| u128::from(picture.is_lit(x, y)) << x)
            .sum();
        hash.update(row.to_le_bytes());
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_told_once_when_it_has_stayed() {
        let at = VirtualTime::from_millis;
        let dark = Picture::from_fn(|_, _| false);
        let dotted = Picture::from_fn(|x, y| x == y);
        let mut watch = DisplayWatch::default();
        assert!(!watch.is_due(at(25), at(10)) && watch.is_due(at(26), at(10)));
        assert!(watch.look(at(10), &dark).is_some());
        assert!(!watch.is_due(at(99), at(10)));
        assert!(watch.is_due(at(99), at(50)));
        assert_eq!(watch.look(at(50), &dark), None);
        assert!(watch.look(at(60), &dotted).is_some());
        watch.forget();
        assert!(watch.is_due(at(99), at(60)) && watch.look(at(60), &dotted).is_some());
    }
}
