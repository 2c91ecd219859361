//! What a user must know to bring a client to the server.

use std::fmt;

use az3166_serve::{Ready, Standing};

use crate::terminal::{LABEL, WARNING};

/// The text that `hil serve` begins with.
pub(super) struct Guide<'a>(pub(super) &'a Ready);

impl fmt::Display for Guide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ready = self.0;
        let mut line = |label: &str, value: &dyn fmt::Display| {
            writeln!(f, "{LABEL}{label:<14}{LABEL:#} {value}")
        };
        line("HTTPS", &ready.https)?;
        line("MQTT", &ready.mqtt)?;
        line("CONNECT proxy", &ready.proxy)?;
        line("web page", &format_args!("http://{}/", ready.web))?;
        line("ID scope", &ready.id_scope)?;
        line("hosts", &ready.host_names.join(" "))?;
        line("trust", &ready.ca_file.display())?;
        for (label, file) in [
            ("service API", &ready.provisioning_connection_string),
            ("hub registry", &ready.hub_connection_string),
        ] {
            let file = file.display();
            line(label, &format_args!("connection string in {file}"))?;
        }
        match ready.authority {
            Standing::Kept => {}
            Standing::Made => writeln!(f, "The certificate authority is new.")?,
            Standing::Renewed => writeln!(
                f,
                "{WARNING}warning{WARNING:#}: the certificate authority was near its end and is \
                a new one: clients need the new file"
            )?,
        }
        let ca = ready.ca_file.display();
        let names = ready.host_names.join(" ");
        let (https, mqtt) = (ready.https.port(), ready.mqtt.port());
        write!(
            f,
            "
Clients connect to ports 443 and 8883 of these hosts. To bring one here, make it trust the file
above (SSL_CERT_FILE={ca}, NODE_EXTRA_CA_CERTS={ca}, or its own option), and
  - give it the proxy, if it can use one: http://{proxy}
  - or let it run in a network of its own, without root: hil serve -- COMMAND
  - or, with a device or as root, name this machine's address in its hosts file (or DNS) for
      {names}
    and send ports 443 and 8883 here:
      iptables -t nat -A OUTPUT -o lo -p tcp --dport 443 -j REDIRECT --to-ports {https}
      iptables -t nat -A OUTPUT -o lo -p tcp --dport 8883 -j REDIRECT --to-ports {mqtt}

",
            proxy = ready.proxy,
        )
    }
}
