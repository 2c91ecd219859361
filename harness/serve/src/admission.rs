//! How many connections there may be, in all and from one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address.
    pub per_source: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_source: 2048,
        }
    }
}

/// Counts connections.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Limits,
    sources: Mutex<HashMap<IpAddr, usize>>,
}

/// The right to one connection; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    source: IpAddr,
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            sources: Mutex::default(),
        })
    }

    /// Counts a connection from `source`.
    ///
    /// # Errors
    /// There are too many; the reason in words.
    pub(crate) fn admit(self: &Arc<Self>, source: IpAddr) -> Result<Permit, String> {
        let source = source.to_canonical();
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = sources.values().sum();
        if all >= self.limits.connections {
            return Err(format!("{all} connections are open, the limit"));
        }
        let own = sources.entry(source).or_default();
        if *own >= self.limits.per_source {
            return Err(format!("{own} connections from there are open, the limit"));
        }
        *own += 1;
        Ok(Permit {
            admission: self.clone(),
            source,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let sources = &self.admission.sources;
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = sources.get_mut(&self.source) {
            *own -= 1;
            if *own == 0 {
                sources.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_counted_and_given_back() {
        let limits = Limits {
            connections: 3,
            per_source: 2,
        };
        let admission = Admission::new(limits);
        let admit = |source: &str| admission.admit(source.parse().unwrap());
        let first = admit("127.0.0.1").unwrap();
        let _second = admit("::ffff:127.0.0.1").unwrap();
        assert_eq!(
            admit("127.0.0.1").unwrap_err(),
            "2 connections from there are open, the limit"
        );
        let _third = admit("::1").unwrap();
        assert_eq!(
            admit("127.0.0.2").unwrap_err(),
            "3 connections are open, the limit"
        );
        drop(first);
        assert!(admit("127.0.0.1").is_ok());
        let open: usize = admission.sources.lock().unwrap().values().sum();
        assert_eq!(open, 2);
    }
}
