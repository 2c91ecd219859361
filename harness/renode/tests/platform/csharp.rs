//! The C# that both of Renode's compilers take: mcs of the Mono build, Roslyn at C# 9.

use regex::Regex;
use rstest::rstest;

use crate::folder::{classes, code};

/// Each construct with samples that have it, and with one that only looks like it.
#[rstest]
#[case::pattern_in_case(
    r"case [\w.]+ \w+ ?(when|:)",
    &["case Kind.Stop stop:", "case string text when text.Length > 0:"],
    "case Kind.Stop: case 0x10:"
)]
#[case::switch_expression(
    r"[\w)\]]\s+switch\s*\{",
    &["return kind switch { _ => 1 };", "var a = Next()\n    switch\n{"],
    "switch(kind)\n{"
)]
#[case::using_declaration(
    r"\busing (var|[\w.<>]+) \w+ =",
    &["using var stream = Open();", "using NetworkStream stream = Open();"],
    "using(var stream = Open()) using System.IO; using Range = Antmicro.Range;"
)]
#[case::null_assignment(r"\?\?=", &["name ??= \"\";"], "name = other ?? third;")]
#[case::negated_pattern(r"\bis not\b", &["if(a is not B)"], "if(!(a is B))")]
#[case::file_scoped_namespace(
    r"(?m)^namespace [\w.]+;",
    &["namespace Antmicro.Renode;"],
    "namespace Antmicro.Renode\n{"
)]
#[case::record(r"\brecord (struct )?\w+\s*[({;]", &["public record Frame(int Length);", "record Frame\n{"], "var record = 1; record += 1;")]
#[case::target_typed_new(r"[=(,?:]\s*new\s*\(", &["List<int> a = new();", "Call(new(1));"], "a = new List<int>(); b = new[] { 1 };")]
#[case::index_from_end(r"\[\^|\w?\.\.[\w^\]]", &["bytes[^1]", "bytes[1..3]", "bytes[..]"], "bytes[a ^ b]; bytes[a]")]
#[case::init_accessor(r"\binit;", &["int A { get; init; }"], "int A { get; set; } Init();")]
#[case::nullable_reference(
    r"\b(string|object|byte\[\])\?|#nullable",
    &["string? name;", "byte[]? bytes;", "#nullable enable"],
    "int? number; a = b ? c : d;"
)]
#[case::local_function(
    r"(?m)^ {12,}(?:static )?(?:[a-z]\w*|[A-Z][\w.]*(?:<[^;=()]*>)?)(?:\[\])? [A-Z]\w*(?:<\w+>)?\([^;=]*\)\s*(?:\{|=>)",
    &[
        "            int Twice(int a)\n            {",
        "            static void Log() { }",
        "                byte[] Next(int count) => Read(count);",
    ],
    "        private int Twice(int a)\n            return Call(a);\n            new Thing(a).Do(x => x);\n            else if(a(b)) {"
)]
fn only_what_both_compilers_take(
    #[case] construct: &str,
    #[case] samples: &[&str],
    #[case] lookalike: &str,
) {
    let construct = Regex::new(construct).unwrap();
    let find = |source: &str| {
        construct
            .find(source)
            .map(|found| found.as_str().to_owned())
    };
    for sample in samples {
        assert!(find(sample).is_some(), "not found: {sample}");
    }
    assert_eq!(find(lookalike), None);
    let text = Regex::new(r#""[^"\n]*""#).unwrap();
    for (class, source) in classes() {
        let source = code(&source);
        let source = text.replace_all(&source, "\"\"");
        assert_eq!(find(&source), None, "{class}.cs");
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
