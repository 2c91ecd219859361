//! Every line that the platform prints; those of the network are in `devkit-net`.

use core::{
    fmt::{self, Display, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use console::{COMMANDS, CommandError, Usage};
use stsafe_driver::Zone;

use crate::board::serial;

/// What the prompt looks like.
const PROMPT: &str = "\r\n# ";
const NEW_LINE: &str = "\r\n";

/// Whether the cursor stands behind the prompt, where the user types.
static PROMPTING: AtomicBool = AtomicBool::new(false);

/// One line, or a few that belong together.
pub enum Line<'a> {
    Banner,
    Mac(&'a Hex<'a>),
    Version(&'a str),
    Transport(settings::Transport),
    NoAccessPoint,
    TestTrustAnchor(&'a Fingerprint<'a>),
    RegistrationId(&'a str),
    CertificateDigest(&'a Hex<'a>),
    #[cfg(feature = "leak-uds")]
    LeakedUds(&'a str),
    Help,
    HoldButton(&'a str),
    Reboot,
    UdsSet,
    SettingSet(&'a str),
    Refused(CommandError<'a>),
    WriteFailed(Zone),
    VerifyFailed,
    Fault(Fault),
}

/// A failure, by the name that it has in its line.
pub enum Fault {
    ClockCrystal,
    DisplayAbsent,
    Stsafe(stsafe_driver::Error),
    SettingsDamaged(settings::Damage),
    NoUds,
    TrustAnchorBad,
    Identity,
    Panicked,
}

/// Bytes as lowercase hex digits.
pub struct Hex<'a>(pub &'a [u8]);

/// The first eight bytes of a digest, as sixteen uppercase hex digits.
pub struct Fingerprint<'a>(pub &'a [u8; 32]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Display for Fingerprint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(8)
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Banner => f.write_str("AZ3166 DevKit open firmware"),
            Self::Mac(mac) => write!(f, "MAC: {mac}"),
            Self::Version(version) => write!(f, "Firmware version: {version}"),
            Self::Transport(transport) => write!(f, "DPS transport: {}", transport.name()),
            Self::NoAccessPoint => {
                f.write_str("Button B is held, but this firmware has no access-point mode.")
            }
            Self::TestTrustAnchor(digest) => write!(f, "TEST TRUST ANCHOR {digest}"),
            Self::RegistrationId(id) => write!(f, "Registration id: {id}"),
            Self::CertificateDigest(digest) => write!(f, "Alias certificate SHA-256: {digest}"),
            #[cfg(feature = "leak-uds")]
            Self::LeakedUds(digits) => write!(f, "UDS: {digits}"),
            Self::Help => help(f),
            Self::HoldButton(name) => {
                write!(
                    f,
                    "{name} works in configuration mode only: hold button A and press reset."
                )
            }
            Self::Reboot => f.write_str("Reboot"),
            Self::UdsSet => f.write_str("INFO: Set DPS UDS successfully."),
            Self::SettingSet(name) => write!(f, "INFO: {name} successfully."),
            Self::Refused(error) => refused(f, error),
            Self::WriteFailed(zone) => {
                write!(f, "ERROR: Failed to write EEPROM: 0x{:02x}.", zone.0)
            }
            Self::VerifyFailed => f.write_str("ERROR: Verify failed."),
            Self::Fault(fault) => write!(f, "ERROR: {fault}"),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use stsafe_driver::Error;
        match self {
            Self::ClockCrystal => {
                f.write_str("clock-crystal: the crystal does not start; on the internal oscillator")
            }
            Self::DisplayAbsent => f.write_str("display-absent: the display does not answer"),
            Self::Stsafe(Error::Absent) => {
                f.write_str("stsafe-absent: the secure element does not answer")
            }
            Self::Stsafe(Error::Timeout) => {
                f.write_str("stsafe-timeout: the secure element stayed busy for too long")
            }
            Self::Stsafe(Error::Crc) => {
                f.write_str("stsafe-crc: the secure element's answers come in damaged")
            }
            Self::Stsafe(Error::Length) => {
                f.write_str("stsafe-length: the secure element's answers have a wrong length")
            }
            Self::Stsafe(Error::Status(status)) => {
                write!(
                    f,
                    "stsafe-status: the secure element refused with status 0x{status:02x}"
                )
            }
            Self::Stsafe(Error::Bus) => f.write_str("stsafe-bus: the I2C bus is stuck"),
            Self::SettingsDamaged(damage) => {
                let why = match damage {
                    settings::Damage::Check => "the check word is wrong",
                    settings::Damage::Text => "a key or value is unknown",
                };
                write!(
                    f,
                    "settings-damaged: {why}; set them again in configuration mode"
                )
            }
            Self::NoUds => f.write_str(
                "no-uds: DiceInit failed! Check UDS string provided or set on configuration mode",
            ),
            Self::TrustAnchorBad => {
                f.write_str("trust-anchor-bad: the record in RAM is damaged and is not used")
            }
            Self::Identity => f.write_str("identity: this UDS gives no valid key; set another one"),
            Self::Panicked => f.write_str("panicked: the firmware stopped before this start"),
        }
    }
}

fn help(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("Configuration console:")?;
    for Usage {
        name,
        argument,
        description,
        ..
    } in COMMANDS
    {
        write!(
            f,
            "{NEW_LINE} - {name}{}{argument}: {description}.",
            space(argument)
        )?;
    }
    Ok(())
}

fn refused(f: &mut fmt::Formatter<'_>, error: &CommandError<'_>) -> fmt::Result {
    match error {
        CommandError::Syntax => f.write_str("Error:Syntax error"),
        CommandError::Unknown(word) => write!(f, "Error:Invalid command: {word}"),
        CommandError::Usage(Usage {
            name,
            argument,
            provide,
            ..
        }) => {
            write!(
                f,
                "Usage: {name}{}{argument}.{}{provide}",
                space(argument),
                space(provide)
            )
        }
        CommandError::Uds(error) => write!(f, "Invalid UDS.{NEW_LINE}{error}"),
        CommandError::Value(name, rule) => {
            write!(f, "Invalid value for {name}.{NEW_LINE}{}", rule.0)
        }
    }
}

/// What separates an optional text from the one before it.
fn space(text: &str) -> &'static str {
    if text.is_empty() { "" } else { " " }
}

struct Output;

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        serial::write(text.as_bytes());
        Ok(())
    }
}

/// Prints a line.
pub fn print(line: &Line<'_>) {
    print_text(format_args!("{line}"));
}

/// Prints a line that somebody else has written, never in the prompt's.
pub fn print_text(text: fmt::Arguments<'_>) {
    if is_prompting() {
        end_prompt();
    }
    // Output has no error.
    let _ = Output.write_fmt(text);
    let _ = Output.write_str(NEW_LINE);
}

/// Asks for the next command.
pub fn prompt() {
    serial::write(PROMPT.as_bytes());
    PROMPTING.store(true, Ordering::Relaxed);
}

/// Ends the prompt's line, in which the user typed a command.
pub fn end_prompt() {
    PROMPTING.store(false, Ordering::Relaxed);
    serial::write(NEW_LINE.as_bytes());
}

/// Whether the last prompt still stands; a line that came after it took its place.
pub fn is_prompting() -> bool {
    PROMPTING.load(Ordering::Relaxed)
}
