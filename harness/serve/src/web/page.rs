//! The pages, in HTML. Every text is escaped by the macro that it goes through.

use maud::{DOCTYPE, Markup, html};

use super::view::{DeviceDetail, DeviceRow, EnrolmentRow, Page, RegistrationRow};
use crate::trace::{Parts, Tone};

/// What all pages look like.
pub(super) const STYLE: &str = include_str!("style.css");

/// The pages that the navigation names, with their paths.
const PAGES: [(&str, &str); 4] = [
    ("/", "Enrolments"),
    ("/registrations", "Registrations"),
    ("/devices", "Devices"),
    ("/trace", "Trace"),
];

/// How often a page that changes by itself is loaded anew, in seconds.
const REFRESH: u32 = 2;

/// Whether a page changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Still,
    Live,
}

fn frame(path: &str, title: &str, pace: Pace, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if pace == Pace::Live { meta http-equiv="refresh" content=(REFRESH); }
                title { (title) " · hil serve" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                header {
                    span class="name" { "hil serve" }
                    nav {
                        @for (target, name) in PAGES {
                            a href=(target) class=[(target == path).then_some("here")] { (name) }
                        }
                    }
                }
                main {
                    h1 { (title) }
                    (content)
                }
            }
        }
    };
    page.into_string()
}

pub(super) fn enrolments(individual: &Page<EnrolmentRow>, groups: &Page<EnrolmentRow>) -> String {
    let content = html! {
        h2 { "Individual (" (individual.total) ")" }
        (enrolment_table(individual))
        (turner("/", individual))
        h2 { "Groups (" (groups.total) ")" }
        (enrolment_table(groups))
    };
    frame("/", "Enrolments", Pace::Still, &content)
}

fn enrolment_table(page: &Page<EnrolmentRow>) -> Markup {
    html! {
        table {
            tr { th { "Id" } th { "Device id" } th { "Attestation" } th { "Certificate" } th { "Status" } th { "Hub" } }
            @for row in &page.rows {
                tr {
                    td { (row.id) }
                    td { (row.device_id.as_deref().unwrap_or("")) }
                    td { (row.attestation) }
                    td class="code" { (row.certificate.as_deref().unwrap_or("")) }
                    td { (badge(row.status)) }
                    td { (row.hub.as_deref().unwrap_or("")) }
                }
            }
            @if page.rows.is_empty() { tr { td class="none" colspan="6" { "none" } } }
        }
    }
}

pub(super) fn registrations(page: &Page<RegistrationRow>) -> String {
    let content = html! {
        table {
            tr { th { "Registration id" } th { "State" } th { "Hub" } th { "Device id" } th { "Detail" } th { "Group" } th { "Last updated" } }
            @for row in &page.rows {
                tr {
                    td { (row.registration_id) }
                    td { (badge(row.state)) }
                    td { (row.hub.as_deref().unwrap_or("")) }
                    td { (row.device_id.as_deref().unwrap_or("")) }
                    td { (row.detail) }
                    td { (row.group.as_deref().unwrap_or("")) }
                    td class="code" { (row.last_updated) }
                }
            }
            @if page.rows.is_empty() { tr { td class="none" colspan="7" { "none" } } }
        }
        (turner("/registrations", page))
    };
    frame("/registrations", "Registrations", Pace::Live, &content)
}

pub(super) fn devices(page: &Page<DeviceRow>) -> String {
    let content = html! {
        table {
            tr { th { "Device id" } th { "Hub" } th { "State" } th { "Since" } th { "Authentication" } th { "Last telemetry" } }
            @for row in &page.rows {
                tr {
                    td { a href={ "/devices/" (segment(&row.hub)) "/" (segment(&row.device_id)) } { (row.device_id) } }
                    td { (row.hub) }
                    td { (badge(connection(row))) }
                    td class="code" { (row.since.as_deref().unwrap_or("")) }
                    td { (row.authentication) }
                    td class="code" { (row.last_telemetry.as_deref().unwrap_or("")) }
                }
            }
            @if page.rows.is_empty() { tr { td class="none" colspan="6" { "none" } } }
        }
        (turner("/devices", page))
    };
    frame("/devices", "Devices", Pace::Live, &content)
}

pub(super) fn device(device: &DeviceDetail) -> String {
    let row = &device.row;
    let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
    let content = html! {
        dl {
            dt { "Hub" } dd { (row.hub) }
            dt { "State" } dd { (badge(connection(row))) " " (row.since.as_deref().unwrap_or("")) }
            dt { "Authentication" } dd { (row.authentication) }
            @for thumbprint in &device.thumbprints { dt { "Thumbprint" } dd class="code" { (thumbprint) } }
        }
        h2 { "Twin" }
        div class="twin" {
            div { h3 { "Desired" } pre { (pretty(&device.desired)) } }
            div { h3 { "Reported" } pre { (pretty(&device.reported)) } }
        }
        h2 { "Telemetry" }
        table {
            tr { th { "Time" } th { "Body" } th { "Properties" } }
            @for message in &device.telemetry {
                tr { td class="code" { (message.time) } td class="code" { (message.body) } td class="code" { (message.properties) } }
            }
            @if device.telemetry.is_empty() { tr { td class="none" colspan="3" { "none" } } }
        }
    };
    frame("/devices", &row.device_id, Pace::Live, &content)
}

pub(super) fn trace(records: &[Parts]) -> String {
    let content = html! {
        table class="trace" {
            @for parts in records {
                tr class=[tone(parts.tone)] {
                    td { (parts.time) }
                    td { @if let Some(number) = parts.connection { "#" (number) } }
                    td { (parts.topic) }
                    td { (parts.text) }
                }
            }
        }
    };
    frame("/trace", "Trace", Pace::Live, &content)
}

/// An error, or a page that is not there.
pub(super) fn message(title: &str, text: &str) -> String {
    frame("", title, Pace::Still, &html! { p { (text) } })
}

fn connection(row: &DeviceRow) -> &'static str {
    match row.connected {
        true => "connected",
        false => "disconnected",
    }
}

fn badge(text: &str) -> Markup {
    let class = match text {
        "enabled" | "assigned" | "connected" => "badge good",
        "failed" | "disabled" => "badge bad",
        _ => "badge",
    };
    html! { span class=(class) { (text) } }
}

fn tone(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Good => Some("good"),
        Tone::Plain => None,
        Tone::Bad => Some("bad"),
    }
}

fn turner<T>(path: &str, page: &Page<T>) -> Markup {
    html! {
        @if page.pages() > 1 {
            p class="turner" {
                @if page.page > 1 { a href={ (path) "?page=" (page.page - 1) } { "previous" } " " }
                "page " (page.page) " of " (page.pages())
                @if page.page < page.pages() { " " a href={ (path) "?page=" (page.page + 1) } { "next" } }
            }
        }
    }
}

/// A text as a segment of a path (RFC 3986 section 3.3).
fn segment(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'.' if text.len() > 2 => encoded.push('.'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
