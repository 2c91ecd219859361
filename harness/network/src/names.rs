//! Which name has which address.

use core::net::Ipv4Addr;

use crate::GatewayConfig;

/// Where no service ever is: the answer of a DNS that lies.
pub(crate) const NOWHERE: Ipv4Addr = Ipv4Addr::new(10, 64, 255, 1);

/// Known names, and the addresses given out so far.
pub(crate) struct Names {
    hosts: Vec<String>,
    ntp_names: Vec<String>,
    /// The n-th has address 10.64.1.n, counted from 1.
    given: Vec<String>,
}

impl Names {
    pub fn new(config: &GatewayConfig) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect();
        Self {
            hosts: lower(&config.hosts),
            ntp_names: lower(&config.ntp_names),
            given: Vec::new(),
        }
    }

    /// The address of a name in lower case, given out now if it is known and has none yet.
    pub fn resolve(&mut self, name: &str) -> Option<Ipv4Addr> {
        let known = |list: &[String]| list.iter().any(|known| known == name);
        let index = match self.given.iter().position(|given| given == name) {
            Some(index) => index,
            None if known(&self.hosts) || known(&self.ntp_names) => {
                self.given.push(name.into());
                self.given.len() - 1
            }
            None => return None,
        };
        let last = u8::try_from(index + 1).ok().filter(|last| *last < 255)?;
        Some(Ipv4Addr::new(10, 64, 1, last))
    }

    /// The name that an address was given out for.
    pub fn name_of(&self, address: Ipv4Addr) -> Option<&str> {
        let [10, 64, 1, last] = address.octets() else {
            return None;
        };
        let index = usize::from(last).checked_sub(1)?;
        self.given.get(index).map(String::as_str)
    }

    /// Whether the SNTP server has this address.
    pub fn is_ntp(&self, address: Ipv4Addr) -> bool {
        self.name_of(address)
            .is_some_and(|name| self.ntp_names.iter().any(|ntp| ntp == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_in_the_order_of_asking() {
        let mut names = Names::new(&GatewayConfig {
            hosts: vec!["A.example".into(), "b.example".into()],
            ntp_names: vec!["ntp.example".into()],
            seed: 0,
            unix_at_zero: 0,
        });
        let address = |last| Some(Ipv4Addr::new(10, 64, 1, last));
        assert_eq!(names.resolve("b.example"), address(1));
        assert_eq!(names.resolve("c.example"), None);
        assert_eq!(names.resolve("ntp.example"), address(2));
        assert_eq!(names.resolve("a.example"), address(3));
        assert_eq!(names.resolve("b.example"), address(1));
        assert_eq!(
            names.name_of(Ipv4Addr::new(10, 64, 1, 3)),
            Some("a.example")
        );
        assert_eq!(names.name_of(Ipv4Addr::new(10, 64, 1, 4)), None);
        assert_eq!(names.name_of(Ipv4Addr::new(10, 64, 1, 0)), None);
        assert_eq!(names.name_of(NOWHERE), None);
        assert!(names.is_ntp(Ipv4Addr::new(10, 64, 1, 2)));
        assert!(!names.is_ntp(Ipv4Addr::new(10, 64, 1, 1)));
    }
}
