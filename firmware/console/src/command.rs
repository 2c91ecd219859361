use dice::{Uds, UdsError};
use heapless::String;
use settings::{ENDPOINT_MAX, ID_SCOPE_MAX, REGISTRATION_ID_MAX, Transport};

use crate::{
    InvalidValue, SyntaxError,
    value::{endpoint, id_scope, mac, registration_id, transport},
    words::split,
};

/// A command whose arguments are valid. It has no `Debug`, since it may hold a secret.
pub enum Command<'a> {
    /// Lists the commands.
    Help,
    /// Shows MAC address and firmware version.
    Version,
    /// Resets the device.
    Exit,
    /// Stores a UDS: these 64 hex digits.
    SetUds(&'a str),
    /// Stores a registration id.
    SetRegistrationId(String<REGISTRATION_ID_MAX>),
    /// Stores an ID scope.
    SetIdScope(String<ID_SCOPE_MAX>),
    /// Stores the host name of the provisioning service.
    SetEndpoint(String<ENDPOINT_MAX>),
    /// Stores what carries the registration.
    SetTransport(Transport),
    /// Stores a MAC address.
    SetMac([u8; 6]),
}

/// How a command is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The command's name.
    pub name: &'static str,
    /// Its argument, empty for none.
    pub argument: &'static str,
    /// What it does, for `help`.
    pub description: &'static str,
    /// What a call without its argument is told to provide.
    pub provide: &'static str,
}

const fn plain(name: &'static str, description: &'static str) -> Usage {
    Usage {
        name,
        argument: "",
        description,
        provide: "",
    }
}

/// All commands, in the order of `help`.
pub const COMMANDS: [Usage; 9] = [
    plain("help", "Help document"),
    plain(
        "version",
        "Show the MAC address, the firmware version and the DPS transport",
    ),
    plain("exit", "Reboot"),
    Usage {
        name: SET_UDS,
        argument: "[uds]",
        description: "Set the UDS: 64 hex digits",
        provide: "Please provide the UDS for DPS.",
    },
    Usage {
        name: "set_registration_id",
        argument: "[id]",
        description: "Set the registration id: 1 to 128 of a-z, 0-9 and -",
        provide: "Please provide the registration id for DPS.",
    },
    Usage {
        name: "set_dps_scope",
        argument: "[scope]",
        description: "Set the ID scope of DPS",
        provide: "Please provide the ID scope of DPS.",
    },
    Usage {
        name: "set_dps_endpoint",
        argument: "[host]",
        description: "Set the host name of DPS",
        provide: "Please provide the host name of DPS.",
    },
    Usage {
        name: "set_dps_transport",
        argument: "[transport]",
        description: "Set what carries the registration: https or mqtt",
        provide: "Please provide https or mqtt.",
    },
    Usage {
        name: "set_mac",
        argument: "[mac]",
        description: "Set the MAC address: 12 hex digits",
        provide: "Please provide the MAC address.",
    },
];

const SET_UDS: &str = "set_dps_uds";

/// Commands whose arguments the terminal must not show; the Wi-Fi password is one of the stock
/// firmware's, which users may type here by habit.
const SECRET: [&str; 2] = [SET_UDS, "set_wifipwd"];

/// Why a line is no command. It holds no argument, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError<'a> {
    /// The line cannot be split.
    Syntax,
    /// There is no command of this name.
    Unknown(&'a str),
    /// The argument is missing, or there is more than one.
    Usage(Usage),
    /// The UDS is malformed.
    Uds(UdsError),
    /// Another value is malformed.
    Value(&'static str, InvalidValue),
}

impl From<SyntaxError> for CommandError<'_> {
    fn from(SyntaxError: SyntaxError) -> Self {
        Self::Syntax
    }
}

/// Reads a line. `None` stands for an empty one.
///
/// # Errors
/// [`CommandError`] when the line is no command or an argument is malformed.
pub fn parse(line: &mut [u8]) -> Result<Option<Command<'_>>, CommandError<'_>> {
    let words = split(line)?;
    let Some((&name, arguments)) = words.split_first() else {
        return Ok(None);
    };
    let usage = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or(CommandError::Unknown(name))?;
    let argument = match (usage.argument, arguments) {
        ("", []) => "",
        ("", _) | (_, [] | [_, _, ..]) => return Err(CommandError::Usage(*usage)),
        (_, &[argument]) => argument,
    };
    let invalid = |error| CommandError::Value(usage.name, error);
    Ok(Some(match name {
        "help" => Command::Help,
        "version" => Command::Version,
        "exit" => Command::Exit,
        SET_UDS => {
            Uds::from_hex(argument.as_bytes()).map_err(CommandError::Uds)?;
            Command::SetUds(argument)
        }
        "set_registration_id" => {
            Command::SetRegistrationId(registration_id(argument).map_err(invalid)?)
        }
        "set_dps_scope" => Command::SetIdScope(id_scope(argument).map_err(invalid)?),
        "set_dps_endpoint" => Command::SetEndpoint(endpoint(argument).map_err(invalid)?),
        "set_dps_transport" => Command::SetTransport(transport(argument).map_err(invalid)?),
        _ => Command::SetMac(mac(argument).map_err(invalid)?),
    }))
}

/// Whether what follows this start of a line is a secret: its first word is complete and names a
/// secret command, however it is quoted.
pub(crate) fn is_secret(start: &[u8]) -> bool {
    let unquoted = || {
        start
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'"' | b'\\'))
    };
    let mut text = unquoted().skip_while(|&byte| byte == b' ');
    let mut word = [0; 16];
    let mut length = 0;
    loop {
        match text.next() {
            Some(b' ') => break,
            Some(byte) if length < word.len() => {
                word[length] = byte;
                length += 1;
            }
            _ => return false,
        }
    }
    SECRET.iter().any(|name| name.as_bytes() == &word[..length])
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{format, string::String as StdString, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    /// What a line is taken for, in short.
    fn outcome(line: &str) -> StdString {
        let mut bytes = Vec::from(line);
        match parse(&mut bytes) {
            Ok(None) => "nothing".into(),
            Ok(Some(command)) => match command {
                Command::Help => "help".into(),
                Command::Version => "version".into(),
                Command::Exit => "exit".into(),
                Command::SetUds(digits) => format!("uds of {}", digits.len()),
                Command::SetRegistrationId(id) => format!("id {id}"),
                Command::SetIdScope(scope) => format!("scope {scope}"),
                Command::SetEndpoint(host) => format!("host {host}"),
                Command::SetTransport(transport) => format!("transport {}", transport.name()),
                Command::SetMac(mac) => format!("mac {mac:02x?}"),
            },
            Err(CommandError::Syntax) => "syntax".into(),
            Err(CommandError::Unknown(word)) => format!("unknown {word}"),
            Err(CommandError::Usage(usage)) => format!("usage {}", usage.name),
            Err(CommandError::Uds(error)) => format!("{error}"),
            Err(CommandError::Value(name, _)) => format!("invalid for {name}"),
        }
    }

    fn check(line: &str, expected: &str) {
        assert_eq!(outcome(line), expected, "{line}");
    }

    #[test]
    fn commands_are_found() {
        check("", "nothing");
        check("help", "help");
        check(" version ", "version");
        check("exit", "exit");
        check("set_registration_id dev-1", "id dev-1");
        check("set_dps_scope 0ne00000000", "scope 0ne00000000");
        check("set_dps_endpoint a.example", "host a.example");
        check("set_dps_transport mqtt", "transport mqtt");
        check("set_dps_transport https", "transport https");
        check("set_mac c8934641234b", "mac [c8, 93, 46, 41, 23, 4b]");
    }

    #[test]
    fn uds_values_are_refused_unless_64_hex_digits() {
        for (digits, expected) in [
            ("a".repeat(64), "uds of 64"),
            ("A".repeat(64), "uds of 64"),
            (
                "a".repeat(63),
                "a UDS has 64 hex digits, this has 63 characters",
            ),
            (
                "a".repeat(65),
                "a UDS has 64 hex digits, this has 65 characters",
            ),
            (
                "a".repeat(63) + "g",
                "character 64 of the UDS is no hex digit",
            ),
        ] {
            check(&format!("set_dps_uds {digits}"), expected);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        check("hello", "unknown hello");
        check("HELP", "unknown HELP");
        check("\"help", "syntax");
        check("help me", "usage help");
        check("set_dps_uds", "usage set_dps_uds");
        check("set_mac 1 2", "usage set_mac");
        check(
            "set_registration_id UPPER",
            "invalid for set_registration_id",
        );
        check("set_dps_scope \"\"", "invalid for set_dps_scope");
        check("set_mac 1", "invalid for set_mac");
        check("set_dps_transport", "usage set_dps_transport");
        check("set_dps_transport MQTT", "invalid for set_dps_transport");
        check("set_dps_transport amqp", "invalid for set_dps_transport");
    }

    proptest! {
        #[test]
        fn any_line_is_answered(line in proptest::collection::vec(any::<u8>(), 0..64)) {
            crate::fuzzing::console(&line);
        }

        #[test]
        fn whatever_parses_as_a_secret_was_hidden(
            prefix in "[ \"\\\\]{0,4}", middle in "[ \"\\\\]{0,4}", digits in "[0-9a-f]{64}",
        ) {
            let line = format!("{prefix}set_dps_uds{middle} {digits}");
            let mut bytes = Vec::from(line.as_str());
            let taken = matches!(parse(&mut bytes), Ok(Some(Command::SetUds(_))));
            let start = line.find(&digits).unwrap();
            prop_assert!(!taken || is_secret(&line.as_bytes()[..start]));
        }
    }
}
