//! Changes as lines of text.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::registration::StoredRegistration;
use super::{Change, Item, ItemKey};
use crate::hub::HubDeviceRecord;
use crate::provisioning::Record;
use crate::service_api::model::{Detail, Group, IndividualEnrollment, ModelError, Supplement};

/// The version of the format that this build writes, and the latest that it reads.
const VERSION: u32 = 1;

/// Why a line is not a change. The line itself is kept out of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The line is not a change: {reason} (column {column}).
    #[error("the line is not a change: {reason} (column {column})")]
    Syntax {
        /// The parser's class of error.
        reason: &'static str,
        /// Where, from 1.
        column: usize,
    },
    /// The line has version {found}; this build reads up to {VERSION}.
    #[error("the line has version {found}; this build reads up to {VERSION}")]
    Version {
        /// The line's version.
        found: u32,
    },
    /// The record {key} is not usable: {reason}.
    #[error("the record {key} is not usable: {reason}")]
    Record {
        /// Which record.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Deserialize, Serialize)]
struct Line {
    version: u32,
    #[serde(flatten)]
    change: StoredChange,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum StoredChange {
    Put(Box<StoredItem>),
    Delete(StoredKey),
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum StoredItem {
    Enrolment(IndividualEnrollment),
    Group(Group),
    Registration(StoredRegistration),
    Device(HubDeviceRecord),
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum StoredKey {
    Enrolment(String),
    Group(String),
    Registration(String),
    Device(String, String),
}

impl Change {
    /// The change as one line of JSON, without its line feed.
    ///
    /// It holds symmetric keys in clear text: whoever writes it answers for who may read it.
    pub fn expose_line(&self) -> Zeroizing<String> {
        let change = match self {
            Self::Put(item) => StoredChange::Put(Box::new(StoredItem::of(item))),
            Self::Delete(key) => StoredChange::Delete(StoredKey::of(key)),
        };
        let line = Line {
            version: VERSION,
            change,
        };
        // These are trees of strings and numbers, which JSON can always hold.
        Zeroizing::new(serde_json::to_string(&line).unwrap_or_default())
    }

    /// Reads what [`expose_line`](Self::expose_line) wrote.
    ///
    /// # Errors
    /// The line is not whole, from a later version, or holds no usable record.
    pub fn from_line(line: &str) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let version: Version = serde_json::from_str(line).map_err(|error| syntax(&error))?;
        if version.version == 0 || version.version > VERSION {
            return Err(StateError::Version {
                found: version.version,
            });
        }
        let line: Line = serde_json::from_str(line).map_err(|error| syntax(&error))?;
        match line.change {
            StoredChange::Put(item) => Ok(Self::Put(Box::new(item.read()?))),
            StoredChange::Delete(key) => Ok(Self::Delete(key.read())),
        }
    }
}

/// The parser's own words may quote the line, and so a key.
fn syntax(error: &serde_json::Error) -> StateError {
    use serde_json::error::Category;
    StateError::Syntax {
        reason: match error.classify() {
            Category::Eof => "it ends too early",
            Category::Syntax => "it is not JSON",
            Category::Data | Category::Io => "a member is missing or has another type",
        },
        column: error.column(),
    }
}

impl StoredItem {
    fn of(item: &Item) -> Self {
        match item {
            Item::Enrolment(record) => {
                Self::Enrolment(IndividualEnrollment::of(record, Detail::Whole))
            }
            Item::Group(record) => Self::Group(Group::of(record, Detail::Whole)),
            Item::Registration(registration) => {
                Self::Registration(StoredRegistration::of(registration))
            }
            Item::Device(record) => Self::Device(record.clone()),
        }
    }

    fn read(self) -> Result<Item, StateError> {
        match self {
            Self::Enrolment(mut stored) => {
                let key = stored.registration_id.clone();
                let revision = core::mem::take(&mut stored.revision).read();
                let value = stored.read(Supplement::NONE);
                Ok(Item::Enrolment(record(&key, value, revision)?))
            }
            Self::Group(mut stored) => {
                let key = stored.enrollment_group_id.clone();
                let revision = core::mem::take(&mut stored.revision).read();
                let value = stored.read(Supplement::NONE);
                Ok(Item::Group(record(&key, value, revision)?))
            }
            Self::Registration(stored) => {
                let key = stored.registration_id.clone();
                let registration = stored.read().map_err(|error| unusable(&key, &error))?;
                Ok(Item::Registration(registration))
            }
            Self::Device(record) if record.is_usable() => Ok(Item::Device(record)),
            Self::Device(record) => Err(StateError::Record {
                key: format!("{record:?}"),
                reason: "its key, thumbprint or time is none".to_owned(),
            }),
        }
    }
}

fn record<T>(
    key: &str,
    value: Result<T, ModelError>,
    revision: Result<crate::provisioning::Revision, ModelError>,
) -> Result<Record<T>, StateError> {
    Ok(Record {
        value: value.map_err(|error| unusable(key, &error))?,
        revision: revision.map_err(|error| unusable(key, &error))?,
    })
}

fn unusable(key: &str, error: &ModelError) -> StateError {
    StateError::Record {
        key: key.to_owned(),
        reason: error.to_string(),
    }
}

impl StoredKey {
    fn of(key: &ItemKey) -> Self {
        match key.clone() {
            ItemKey::Enrolment(id) => Self::Enrolment(id),
            ItemKey::Group(id) => Self::Group(id),
            ItemKey::Registration(id) => Self::Registration(id),
            ItemKey::Device(hub, id) => Self::Device(hub, id),
        }
    }

    fn read(self) -> ItemKey {
        match self {
            Self::Enrolment(id) => ItemKey::Enrolment(id),
            Self::Group(id) => ItemKey::Group(id),
            Self::Registration(id) => ItemKey::Registration(id),
            Self::Device(hub, id) => ItemKey::Device(hub, id),
        }
    }
}
