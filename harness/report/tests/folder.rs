//! The files of a run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use az3166_event::{Attachment, Verdict};
use az3166_report::{files_of, html, write_all};

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_run_leaves_these_files() {
    let out = tempfile::tempdir().unwrap();
    let results = support::results();
    write_all(out.path(), &support::RUN, &results).unwrap();
    assert_eq!(
        names(out.path()),
        set(&[
            "firmware-of-one-s-own",
            "index.html",
            "junit.xml",
            "packet-loss",
            "provision-with-a-fresh-uds",
            "summary.json",
            "wrong-uds-digit-3",
        ])
    );
    let folder = out.path().join("wrong-uds-digit-3");
    assert_eq!(
        names(&folder),
        set(&[
            "certificate.pem",
            "console.log",
            "display.png",
            "network.pcapng",
            "trace.jsonl"
        ])
    );
    assert_eq!(names(&folder), files_of(&results[1]).into_iter().collect());
    let trace = fs::read_to_string(folder.join("trace.jsonl")).unwrap();
    let events: Vec<az3166_event::Event> = trace
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events, results[1].trace.events());
    assert_eq!(
        fs::read(folder.join("console.log")).unwrap(),
        results[1].console
    );
}

#[test]
fn the_summary_has_the_members_of_its_contract() {
    let out = tempfile::tempdir().unwrap();
    write_all(out.path(), &support::RUN, &support::results()).unwrap();
    insta::assert_snapshot!(fs::read_to_string(out.path().join("summary.json")).unwrap());
}

#[test]
fn an_earlier_run_leaves_nothing_behind() {
    let out = tempfile::tempdir().unwrap();
    write_all(out.path(), &support::RUN, &support::results()).unwrap();
    let kept = out.path().join("packet-loss/notes.txt");
    fs::write(&kept, "mine").unwrap();
    let mut only = support::result("provision with a fresh UDS", Verdict::Passed);
    only.display = None;
    write_all(out.path(), &support::RUN, &[only]).unwrap();
    assert_eq!(
        names(out.path()),
        set(&[
            "index.html",
            "junit.xml",
            "packet-loss",
            "provision-with-a-fresh-uds",
            "summary.json"
        ])
    );
    assert_eq!(names(&out.path().join("packet-loss")), set(&["notes.txt"]));
    assert!(!names(&out.path().join("provision-with-a-fresh-uds")).contains("display.png"));
}

#[test]
fn attachments_lie_in_a_folder_of_their_own_and_go_with_their_run() {
    let out = tempfile::tempdir().unwrap();
    let mut result = support::result("attached", Verdict::Passed);
    result.attachments.push(Attachment {
        name: "renode.log",
        bytes: b"12:00 started".to_vec(),
    });
    write_all(out.path(), &support::RUN, std::slice::from_ref(&result)).unwrap();
    let file = out.path().join("attached/attachments/renode.log");
    assert_eq!(fs::read(&file).unwrap(), b"12:00 started");
    let link = "<a href=\"attached/attachments/renode.log\">";
    assert!(html(&support::RUN, &[result]).contains(link));
    let without = support::result("attached", Verdict::Passed);
    write_all(out.path(), &support::RUN, &[without]).unwrap();
    assert!(!file.parent().unwrap().exists());
}

#[test]
fn the_page_shows_text_as_text() {
    let mut results = support::results();
    results[0].name = "<script>alert(1)</script>".into();
    results[0].console = b"</pre><script>alert(2)</script>\x1b[31m".to_vec();
    let page = html(&support::RUN, &results);
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert(2)&lt;/script&gt;\\x1b[31m"));
    for result in &results {
        let id = format!("id=\"{}\"", az3166_event::folder_name(&result.name));
        assert_eq!(page.matches(&id).count(), 1, "{id}");
    }
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "the page needs no server"
    );
}
