//! What people see: colours only on terminals, and not where `NO_COLOR` is set.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use anstyle::{AnsiColor, Style};
use az3166_scenario::mask;

use crate::exit::Exit;

/// For the word `error`.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// For the word `warning`, and for findings.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// For what is well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// For labels.
pub const LABEL: Style = Style::new().bold();

/// Prints `error: ...` to standard error. A message may repeat what was typed, and a UDS may have
/// been typed in the place of a path, so long runs of hex digits are masked.
pub fn error(message: &str) {
    note(format_args!("{ERROR}error{ERROR:#}: {}", mask(message)));
}

/// Prints `warning: ...` to standard error, masked like an error.
pub fn warning(message: impl Display) {
    let message = mask(&message.to_string());
    note(format_args!("{WARNING}warning{WARNING:#}: {message}"));
}

/// Prints a line for people to standard error. Where that cannot be written, the run goes on: its
/// reports and its exit code tell the same.
pub fn note(message: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{message}");
}

/// Prints to standard output, with colours where it is a terminal. A reader that went away, such
/// as `head`, has seen what it wanted: that ends the program, quietly.
pub fn print(text: impl Display) {
    let mut out = anstream::stdout();
    if let Err(error) = write!(out, "{text}").and_then(|()| out.flush()) {
        let exit = match error.kind() {
            ErrorKind::BrokenPipe => Exit::Passed,
            _ => Exit::Infrastructure,
        };
        std::process::exit(exit as i32);
    }
}

/// Prints a line `label  value` to standard output.
pub fn line(label: &str, value: impl Display) {
    print(format_args!("{LABEL}{label:<12}{LABEL:#} {value}\n"));
}

/// Prints clap's help, version or complaint. A complaint repeats what was typed, so long runs of
/// hex digits, a UDS above all, are masked.
pub fn clap_error(error: &clap::Error) -> Exit {
    let text = error.render().ansi().to_string();
    if error.use_stderr() {
        anstream::eprint!("{}", mask(&text));
        Exit::Usage
    } else {
        print(text);
        Exit::Passed
    }
}
