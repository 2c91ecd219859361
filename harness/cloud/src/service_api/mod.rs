//! The service API of the provisioning service.

pub(crate) mod model;
