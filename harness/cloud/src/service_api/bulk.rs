//! Bulk operations: the same for up to ten records, each on its own.

use rand_core::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::resource::Resource;
use super::{Precondition, Refusal, ServiceApi};

/// The most records of a bulk operation (REST reference, "Run Bulk Operation").
const MOST: usize = 10;

/// `BulkEnrollmentOperation`.
#[derive(Deserialize)]
pub(super) struct BulkOperation {
    mode: Mode,
    #[serde(alias = "enrollmentGroups")]
    enrollments: Vec<Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Mode {
    Create,
    Update,
    #[serde(rename = "updateIfMatchETag")]
    UpdateIfMatchETag,
    Delete,
}

/// `BulkEnrollmentOperationResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkResult {
    is_successful: bool,
    errors: Vec<BulkError>,
}

/// `BulkEnrollmentOperationError`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BulkError {
    registration_id: String,
    error_code: u32,
    error_status: String,
}

impl<R: Rng> ServiceApi<'_, R> {
    /// Does what it can; what it cannot do is listed in the result.
    pub(super) fn bulk<T: Resource>(
        &mut self,
        operation: BulkOperation,
    ) -> Result<BulkResult, Refusal> {
        let count = operation.enrollments.len();
        if !(1..=MOST).contains(&count) {
            return Err(Refusal::bad_request(format!(
                "Bad request: there are {count} {}; 1 to {MOST} are allowed.",
                T::LIST
            )));
        }
        let mut errors = Vec::new();
        for entry in operation.enrollments {
            let id = entry[T::ID].as_str().unwrap_or_default().to_owned();
            if let Err(refusal) = self.one::<T>(operation.mode, &id, entry) {
                errors.push(BulkError {
                    registration_id: id,
                    error_code: refusal.code,
                    error_status: refusal.message,
                });
            }
        }
        Ok(BulkResult {
            is_successful: errors.is_empty(),
            errors,
        })
    }

    fn one<T: Resource>(&mut self, mode: Mode, id: &str, entry: Value) -> Result<(), Refusal> {
        if let Mode::Delete = mode {
            let etag = entry["etag"].as_str().filter(|etag| !etag.is_empty());
            let condition = Precondition::if_match(etag).unwrap_or(Precondition::None);
            return self.delete::<T>(id, &condition);
        }
        let model: T::Model = serde_json::from_value(entry)
            .map_err(|_| Refusal::bad_request("Bad request: the entry is no enrollment."))?;
        let condition = match mode {
            Mode::Create => Precondition::Absent,
            Mode::Update | Mode::Delete => Precondition::Any,
            Mode::UpdateIfMatchETag => Precondition::if_match(T::etag(&model))
                .ok_or_else(|| Refusal::bad_request("Bad request: the entry has no etag."))?,
        };
        self.store::<T>(model, &condition).map(|_| ())
    }
}
