//! The draft of a rack file that `hil rack scan` writes.

use core::fmt::Write as _;

use super::{Board, Buttons, Console};

/// `boards` as a rack file for people to finish. `schema` is where editors find the JSON schema.
pub fn draft(boards: &[Board], schema: &str) -> String {
    let mut text = format!(
        "# yaml-language-server: $schema={schema}\n\
         # A draft: give the boards names and tags, and check hub and port of each.\n\
         boards:\n"
    );
    for board in boards {
        member(&mut text, "  - ", "id", &quoted(board.id.as_str()));
        member(
            &mut text,
            "    ",
            "probe_serial",
            &quoted(board.probe_serial.as_str()),
        );
        member(&mut text, "    ", "chip", &quoted(&board.chip));
        member(
            &mut text,
            "    ",
            "speed_khz",
            &board.speed_khz.get().to_string(),
        );
        if let Console::Path(path) = &board.console {
            member(
                &mut text,
                "    ",
                "console",
                &quoted(&path.display().to_string()),
            );
        }
        if let Some(power) = &board.power {
            let port = u8::from(power.port);
            let power = format!("{{hub: \"{}\", port: {port}}}", power.hub.as_str());
            member(&mut text, "    ", "power", &power);
        }
        if let Buttons::Relay { command } = &board.buttons {
            let words: Vec<String> = Vec::from(command.clone());
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            let relay = format!("{{relay: {{command: [{}]}}}}", words.join(", "));
            member(&mut text, "    ", "buttons", &relay);
        }
        if let Some(uid) = &board.chip_uid {
            member(&mut text, "    ", "chip_uid", &quoted(uid.as_str()));
        }
        let tags: Vec<String> = board.tags.iter().map(|tag| quoted(tag.as_str())).collect();
        member(&mut text, "    ", "tags", &format!("[{}]", tags.join(", ")));
        if let Some(quarantine) = &board.quarantine {
            let (until, ticket) = (quarantine.until, quoted(&quarantine.ticket));
            let quarantine = format!("{{until: {until}, ticket: {ticket}}}");
            member(&mut text, "    ", "quarantine", &quarantine);
        }
    }
    text
}

fn member(text: &mut String, indent: &str, key: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{indent}{key}: {value}");
}

/// A double-quoted YAML scalar, which JSON's string is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
