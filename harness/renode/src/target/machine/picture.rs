//! The OLED's picture, asked of Renode as rarely as possible.

use az3166_event::{Payload, Picture, VirtualTime};
use az3166_target::PowerState;

use super::Machine;
use crate::RenodeError;

/// Rows of hexadecimal digits, a bit for each pixel.
const DIGITS: usize = Picture::WIDTH / 4 * Picture::HEIGHT;

impl Machine {
    pub fn picture(&mut self) -> Option<Picture> {
        if self.power == PowerState::Off || self.display == PowerState::Off {
            return None;
        }
        let changed = self.display_changed();
        match self.picture_since(changed) {
            Ok(picture) => picture,
            Err(trouble) => {
                self.trouble = Some(trouble);
                None
            }
        }
    }

    pub fn set_display(&mut self, presence: PowerState) -> Result<(), az3166_target::TargetError> {
        self.display = presence;
        if let Some(running) = &mut self.running {
            running.picture = None;
        }
        Ok(self.apply_display()?)
    }

    pub(super) fn apply_display(&mut self) -> Result<(), RenodeError> {
        let present = self.display == PowerState::On;
        if present {
            self.command("sysbus.i2c.display PowerCycle")?;
        }
        self.command(&format!("sysbus.i2c.display Present {present}"))?;
        Ok(())
    }

    /// Notes a picture that changed and has stayed for a refresh.
    pub(super) fn watch_display(&mut self) -> Result<(), RenodeError> {
        let changed = self.display_changed();
        if self.display == PowerState::Off || !self.shown.is_due(self.now, changed) {
            return Ok(());
        }
        if let Some(picture) = self.picture_since(changed)?
            && let Some(frame) = self.shown.look(changed, &picture)
        {
            self.events.push((self.now, Payload::Display(frame)));
        }
        Ok(())
    }

    /// When the display was last spoken to. Before the bridge is connected nobody knows.
    fn display_changed(&self) -> VirtualTime {
        match &self.running {
            Some(running) if running.session.bridge.is_connected() => running
                .session
                .bridge
                .other_addressed()
                .unwrap_or(running.base),
            _ => self.now,
        }
    }

    /// The picture as it has been since `changed`.
    fn picture_since(&mut self, changed: VirtualTime) -> Result<Option<Picture>, RenodeError> {
        let Some(running) = &mut self.running else {
            return Ok(None);
        };
        if let Some((at, picture)) = &running.picture
            && *at > changed
        {
            return Ok(Some(picture.clone()));
        }
        let text = running
            .session
            .command(&mut self.model, "sysbus.i2c.display Picture")?;
        let picture = parse(&text)
            .ok_or_else(|| RenodeError::protocol("the display", "its picture has another form"))?;
        running.picture = Some((self.now, picture.clone()));
        Ok(Some(picture))
    }
}

/// Reads 64 rows of 32 hexadecimal digits, the highest bit of each digit on the left.
fn parse(text: &str) -> Option<Picture> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|it| !it.is_whitespace())
        .map(|it| it.to_digit(16))
        .collect::<Option<_>>()?;
    if digits.len() != DIGITS {
        return None;
    }
    Some(Picture::from_fn(|x, y| {
        let digit = digits[y * Picture::WIDTH / 4 + x / 4];
        digit >> (3 - x % 4) & 1 == 1
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_where_the_digits_say() {
        let mut text = "0".repeat(DIGITS);
        text.replace_range(0..1, "8");
        text.replace_range(DIGITS - 1.., "1");
        let picture = parse(&format!("{text}\n")).unwrap();
        let lit: Vec<(usize, usize)> = (0..Picture::HEIGHT)
            .flat_map(|y| (0..Picture::WIDTH).map(move |x| (x, y)))
            .filter(|(x, y)| picture.is_lit(*x, *y))
            .collect();
        assert_eq!(lit, [(0, 0), (127, 63)]);
        assert!(parse("").is_none() && parse(&"g".repeat(DIGITS)).is_none());
    }
}
