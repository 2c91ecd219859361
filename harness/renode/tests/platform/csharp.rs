//! The C# that both of Renode's compilers take: mcs of the Mono build, Roslyn at C# 9.

use regex::Regex;
use rstest::rstest;

use crate::folder::{classes, code};

#[rstest]
#[case::pattern_in_case(r"case [\w.]+ \w+ ?(when|:)")]
#[case::switch_expression(r"\)?\s+switch\s*\{")]
#[case::using_declaration(r"using var |using \w+ \w+ =")]
#[case::null_assignment(r"\?\?=")]
#[case::negated_pattern(r"\bis not\b")]
#[case::file_scoped_namespace(r"(?m)^namespace [\w.]+;")]
#[case::record(r"\brecord \w+")]
#[case::target_typed_new(r"= new\(")]
#[case::index_from_end(r"\[\^|\.\.[\w^\]]")]
#[case::init_accessor(r"\binit;")]
#[case::nullable_reference(r"\bstring\?|#nullable")]
fn only_what_both_compilers_take(#[case] construct: &str) {
    let construct = Regex::new(construct).unwrap();
    let text = Regex::new(r#""[^"\n]*""#).unwrap();
    for (class, source) in classes() {
        let source = code(&source);
        let source = text.replace_all(&source, "");
        let found = construct.find(&source).map(|found| found.as_str());
        assert_eq!(found, None, "{class}.cs");
    }
}

#[test]
fn one_type_a_file_named_like_it() {
    let types =
        Regex::new(r"(?m)^    public (?:sealed )?(?:class|interface|enum|struct) (\w+)").unwrap();
    for (class, source) in classes() {
        let names: Vec<&str> = types
            .captures_iter(&source)
            .map(|found| found.get(1).unwrap().as_str())
            .collect();
        assert_eq!(names, [class.as_str()]);
        assert!(
            source.contains("namespace Antmicro.Renode.Peripherals."),
            "{class}.cs"
        );
    }
}
