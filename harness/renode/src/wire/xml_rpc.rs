//! Renode's Robot Framework server: one keyword as an XML-RPC call, and its answer.
//!
//! Robot Framework's remote library interface: `run_keyword(name, arguments)` gives a struct with
//! `status` `PASS` or `FAIL`, and `return` or `error`.

use std::fmt::Write as _;

use roxmltree::{Document, Node};

/// What became of a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done; what it returned as text.
    Passed(String),
    /// It failed, with the server's words.
    Failed(String),
}

/// Why bytes are not an answer to `run_keyword`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// it is not XML: {0}
    #[error("it is not XML: {0}")]
    NotXml(String),
    /// it is XML, but no answer to run_keyword: {0}
    #[error("it is XML, but no answer to run_keyword: {0}")]
    NotAnAnswer(&'static str),
}

/// The call of `keyword` with `arguments`.
pub fn run_keyword(keyword: &str, arguments: &[&str]) -> String {
    let mut call = String::from(
        "<?xml version=\"1.0\"?><methodCall><methodName>run_keyword</methodName><params><param>",
    );
    push_string(&mut call, keyword);
    call.push_str("</param><param><value><array><data>");
    for argument in arguments {
        push_string(&mut call, argument);
    }
    call.push_str("</data></array></value></param></params></methodCall>");
    call
}

fn push_string(call: &mut String, text: &str) {
    call.push_str("<value><string>");
    for character in text.chars() {
        match character {
            '&' => call.push_str("&amp;"),
            '<' => call.push_str("&lt;"),
            '>' => call.push_str("&gt;"),
            '\r' => call.push_str("&#13;"),
            '\t' | '\n' | ' '.. => call.push(character),
            // XML 1.0 has no place for other control characters, not even as references.
            other => {
                // Writing into a String does not fail.
                let _ = write!(call, "\\x{:02x}", u32::from(other));
            }
        }
    }
    call.push_str("</string></value>");
}

/// Reads the answer.
///
/// # Errors
/// [`AnswerError`]
pub fn parse(body: &str) -> Result<Outcome, AnswerError> {
    use AnswerError::NotAnAnswer;

    let document = Document::parse(body).map_err(|error| AnswerError::NotXml(error.to_string()))?;
    let response = document.root_element();
    if !response.has_tag_name("methodResponse") {
        return Err(NotAnAnswer("its root is not methodResponse"));
    }
    if let Some(fault) = child(response, "fault") {
        let text = child(fault, "value")
            .and_then(|value| member(value, "faultString"))
            .ok_or(NotAnAnswer("a fault without a text"))?;
        return Ok(Outcome::Failed(text));
    }
    let value = child(response, "params")
        .and_then(|params| child(params, "param"))
        .and_then(|param| child(param, "value"))
        .ok_or(NotAnAnswer("it has no value"))?;
    match member(value, "status").as_deref() {
        Some("PASS") => Ok(Outcome::Passed(member(value, "return").unwrap_or_default())),
        Some("FAIL") => {
            let error = member(value, "error").unwrap_or_default();
            Ok(Outcome::Failed(error.trim().to_owned()))
        }
        _ => Err(NotAnAnswer("its status is neither PASS nor FAIL")),
    }
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The text of a struct's member.
fn member(value: Node<'_, '_>, name: &str) -> Option<String> {
    let value = value
        .children()
        .find(|child| child.has_tag_name("struct"))?;
    let member = value
        .children()
        .filter(|child| child.has_tag_name("member"))
        .find(|member| text_of(*member, "name").as_deref() == Some(name))?;
    text_of(member, "value")
}

/// The text of a child, or of the element in it that names its type; what stands around that
/// element is layout.
fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    let child = node.children().find(|child| child.has_tag_name(name))?;
    let typed = child.children().find(Node::is_element).unwrap_or(child);
    let texts = typed.descendants().filter(|node| node.is_text());
    Some(texts.filter_map(|node| node.text()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn answer(members: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<methodResponse>\r\n  <params>\r\n    \
             <param>\r\n      <value><struct>{members}</struct></value>\r\n    </param>\r\n  \
             </params>\r\n</methodResponse>"
        )
    }

    fn string(name: &str, text: &str) -> String {
        format!("<member><name>{name}</name><value><string>{text}</string></value></member>")
    }

    #[rstest]
    #[case(string("status", "PASS"), Outcome::Passed(String::new()))]
    #[case(string("return", "a &lt;b&gt;\n") + &string("status", "PASS"), Outcome::Passed("a <b>\n".into()))]
    #[case("\n <member>\n <name>return</name>\n <value>\n <string /> </value></member> <member> <name>status</name>\n <value>\n <string>PASS</string>\n </value>\n </member>\n".into(), Outcome::Passed(String::new()))]
    #[case("<member><name>return</name><value>bare</value></member>".to_owned() + &string("status", "PASS"), Outcome::Passed("bare".into()))]
    #[case("<member><name>return</name><value><i4>-7</i4></value></member>".to_owned() + &string("status", "PASS"), Outcome::Passed("-7".into()))]
    #[case(string("status", "FAIL") + &string("error", "KeywordException: no\n"), Outcome::Failed("KeywordException: no".into()))]
    fn answers(#[case] members: String, #[case] expected: Outcome) {
        assert_eq!(parse(&answer(&members)), Ok(expected));
    }

    #[test]
    fn a_fault_is_a_failure() {
        let fault = "<methodResponse><fault><value><struct><member><name>faultCode</name>\
            <value><i4>1</i4></value></member><member><name>faultString</name><value>\
            <string>Keyword \"X\" not found</string></value></member></struct></value></fault>\
            </methodResponse>";
        assert_eq!(
            parse(fault),
            Ok(Outcome::Failed("Keyword \"X\" not found".into()))
        );
    }

    #[rstest]
    #[case("", "it is not XML: the document does not have a root node")]
    #[case(
        "<html/>",
        "it is XML, but no answer to run_keyword: its root is not methodResponse"
    )]
    #[case(
        "<methodResponse/>",
        "it is XML, but no answer to run_keyword: it has no value"
    )]
    #[case(&answer(""), "it is XML, but no answer to run_keyword: its status is neither PASS nor FAIL")]
    fn garbage_is_named(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(parse(body).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_call_is_what_robot_framework_sends() {
        insta::assert_snapshot!(
            run_keyword("ExecuteCommand", &["set x \"<&>\"", "a\u{1b}b"]),
            @r#"<?xml version="1.0"?><methodCall><methodName>run_keyword</methodName><params><param><value><string>ExecuteCommand</string></value></param><param><value><array><data><value><string>set x "&lt;&amp;&gt;"</string></value><value><string>a\x1bb</string></value></data></array></value></param></params></methodCall>"#
        );
    }

    proptest! {
        #[test]
        fn arguments_come_through(text in "[ -~\t\n\räß€<&>\"']{0,40}") {
            let call = run_keyword("K", &[&text]);
            let document = Document::parse(&call).unwrap();
            let strings: Vec<&str> = document
                .descendants()
                .filter(|node| node.has_tag_name("string"))
                .map(|node| node.text().unwrap_or_default())
                .collect();
            prop_assert_eq!(strings, ["K", &text]);
        }

        #[test]
        fn nothing_makes_the_parser_panic(text in ".{0,200}", near in "(<(/?(methodResponse|params|param|value|struct|member|name|fault)/?)>|PASS|status){0,30}") {
            crate::fuzzing::xml_rpc(text.as_bytes());
            crate::fuzzing::xml_rpc(near.as_bytes());
        }
    }
}
