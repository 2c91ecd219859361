//! Queries: pages of records.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::model::Detail;
use super::resource::Resource;
use super::{Refusal, json};
use crate::device_api;
use crate::http::Request;
use crate::provisioning::Provisioning;

/// The most records of a page, and how many there are without a wish. *Unverified*.
const LARGEST_PAGE: usize = 1000;

/// A page of records.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    pub(super) item_type: &'static str,
    /// Where the next page begins, if there is one.
    pub(super) continuation: Option<String>,
}

/// `QuerySpecification`.
#[derive(Deserialize)]
struct QuerySpecification {
    query: String,
}

/// A page of all enrolments or groups.
pub(super) fn records<T: Resource>(
    provisioning: &Provisioning,
    request: &Request,
    detail: Detail,
) -> Result<Page, Refusal> {
    let specification: QuerySpecification = json(request)?;
    if !selects_all(&specification.query) {
        return Err(Refusal::bad_request(
            "Bad request: the query is not `SELECT * FROM` one of the tables.",
        ));
    }
    let (size, after) = window(request)?;
    let rows = T::after(provisioning, after.as_deref());
    let rows = rows.map(|(key, record)| (key, T::json(provisioning, record, detail)));
    Ok(page(rows, size, T::ITEM_TYPE))
}

/// A page of the registrations of a group; the request's body says nothing.
pub(super) fn registrations(
    provisioning: &Provisioning,
    group_id: &str,
    request: &Request,
) -> Result<Page, Refusal> {
    let group = provisioning
        .group_record(group_id)
        .ok_or_else(super::not_found)?;
    let (size, after) = window(request)?;
    let key = group.value.group_id.to_ascii_lowercase();
    let rows = provisioning
        .registrations_after(after.as_deref())
        .filter(|(_, registration)| registration.group_id.as_ref() == Some(&key))
        .map(|(key, registration)| {
            let body = device_api::registration_result(registration);
            (key, serde_json::from_slice(&body).unwrap_or_default())
        });
    Ok(page(rows, size, "deviceRegistration"))
}

fn page<'a>(
    rows: impl Iterator<Item = (&'a String, Value)>,
    size: usize,
    item_type: &'static str,
) -> Page {
    let mut rows = rows.peekable();
    let (mut items, mut last) = (Vec::new(), None);
    for (key, item) in rows.by_ref().take(size) {
        items.push(item);
        last = Some(key);
    }
    let continuation = last.filter(|_| rows.peek().is_some());
    Page {
        items,
        item_type,
        continuation: continuation.map(|key| STANDARD.encode(key)),
    }
}

/// How many records the request wants, and after which key.
fn window(request: &Request) -> Result<(usize, Option<String>), Refusal> {
    let size = match request.header("x-ms-max-item-count") {
        None | Some("") => LARGEST_PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| {
                Refusal::bad_request("Bad request: x-ms-max-item-count is not a number from 1 on.")
            })?,
    };
    let after = match request.header("x-ms-continuation") {
        None | Some("") => None,
        Some(token) => Some(
            STANDARD
                .decode(token)
                .ok()
                .and_then(|key| String::from_utf8(key).ok())
                .ok_or_else(|| {
                    Refusal::bad_request("Bad request: x-ms-continuation is none of this service.")
                })?,
        ),
    };
    Ok((size.min(LARGEST_PAGE), after))
}

/// Whether a query asks for everything, which is all that there is a public example of. SDKs
/// write `*` for it too.
fn selects_all(query: &str) -> bool {
    let words: Vec<String> = query
        .split_ascii_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["*"] => true,
        ["select", "*", "from", table] => matches!(
            table,
            "enrollments" | "enrollmentgroups" | "enrollment_groups" | "registrations"
        ),
        _ => false,
    }
}
