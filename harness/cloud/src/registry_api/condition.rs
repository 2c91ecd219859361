//! The conditions of queries ("IoT Hub query language for device and module twins, jobs, and
//! message routing"): comparisons of a twin's members with literals, `IN`, `IS_DEFINED`, `AND`,
//! `OR`, `NOT` and parentheses.

use core::cmp::Ordering;

use serde_json::Value;

/// The deepest nesting of parentheses and `NOT`.
const DEPTH: usize = 32;

/// What a twin must be like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// A member compares so with a literal.
    Compare(Path, Comparison, Value),
    /// A member is one of these literals.
    In(Path, Vec<Value>),
    /// There is such a member.
    IsDefined(Path),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

/// A member of a twin: `tags.site.floor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<String>);

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A keyword or a path.
    Word(String),
    Literal(Value),
    Comparison(Comparison),
    /// `(`, `)`, `[`, `]` or `,`.
    Mark(char),
}

impl Condition {
    /// Reads what follows `WHERE`; nothing for what is not known.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut rest = tokens.as_slice();
        let condition = any(&mut rest, 0)?;
        rest.is_empty().then_some(condition)
    }

    /// Whether a twin is like this. What compares with nothing, or with something of another type,
    /// is undefined, and so is its opposite: neither holds.
    pub(super) fn holds(&self, twin: &Value) -> bool {
        self.value(twin) == Some(true)
    }

    /// The id, if only one device can meet the condition.
    pub(super) fn only_device(&self) -> Option<&str> {
        match self {
            Self::Compare(Path(path), Comparison::Equal, Value::String(id)) => match &**path {
                [name] if name.eq_ignore_ascii_case("deviceId") => Some(id),
                _ => None,
            },
            _ => None,
        }
    }

    fn value(&self, twin: &Value) -> Option<bool> {
        match self {
            Self::Compare(path, comparison, literal) => {
                compare(path.find(twin)?, *comparison, literal)
            }
            Self::In(path, literals) => {
                let found = path.find(twin)?;
                let is = |literal| compare(found, Comparison::Equal, literal) == Some(true);
                Some(literals.iter().any(is))
            }
            Self::IsDefined(path) => Some(path.find(twin).is_some()),
            Self::Not(condition) => condition.value(twin).map(|value| !value),
            Self::And(left, right) => match (left.value(twin), right.value(twin)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.value(twin), right.value(twin)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

impl Path {
    fn parse(word: &str) -> Option<Self> {
        let mut names: Vec<String> = word.split('.').map(str::to_owned).collect();
        if names.len() > 1 && names[0].eq_ignore_ascii_case("devices") {
            names.remove(0);
        }
        let is_name =
            |name: &String| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
        (names.iter().all(is_name) && !names.is_empty()).then_some(Self(names))
    }

    /// The members of the twin itself are found whatever the case of their letters.
    fn find<'a>(&self, twin: &'a Value) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let mut members = twin.as_object()?.iter();
        let (_, own) = members.find(|(name, _)| name.eq_ignore_ascii_case(first))?;
        rest.iter().try_fold(own, |value, name| value.get(name))
    }
}

fn compare(left: &Value, comparison: Comparison, right: &Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64()?.partial_cmp(&right.as_f64()?)?
        }
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(_), Value::Bool(_)) | (Value::Null, Value::Null) => {
            return match comparison {
                Comparison::Equal => Some(left == right),
                Comparison::Different => Some(left != right),
                _ => None,
            };
        }
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::Different => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    })
}

fn any(rest: &mut &[Token], depth: usize) -> Option<Condition> {
    let mut left = all(rest, depth)?;
    while take_word(rest, "or") {
        left = Condition::Or(left.into(), all(rest, depth)?.into());
    }
    Some(left)
}

fn all(rest: &mut &[Token], depth: usize) -> Option<Condition> {
    let mut left = one(rest, depth)?;
    while take_word(rest, "and") {
        left = Condition::And(left.into(), one(rest, depth)?.into());
    }
    Some(left)
}

fn one(rest: &mut &[Token], depth: usize) -> Option<Condition> {
    if depth > DEPTH {
        return None;
    }
    if take_word(rest, "not") {
        return Some(Condition::Not(one(rest, depth + 1)?.into()));
    }
    if take_mark(rest, '(') {
        let inner = any(rest, depth + 1)?;
        return take_mark(rest, ')').then_some(inner);
    }
    if take_word(rest, "is_defined") {
        let path = take_mark(rest, '(').then(|| path(rest))??;
        return take_mark(rest, ')').then_some(Condition::IsDefined(path));
    }
    let path = path(rest)?;
    if take_word(rest, "in") {
        let mut literals = Vec::new();
        let mut is_next = take_mark(rest, '[');
        while is_next {
            literals.push(literal(rest)?);
            is_next = take_mark(rest, ',');
        }
        let is_list = !literals.is_empty() && take_mark(rest, ']');
        return is_list.then_some(Condition::In(path, literals));
    }
    let (Token::Comparison(comparison), after) = rest.split_first()? else {
        return None;
    };
    *rest = after;
    Some(Condition::Compare(path, *comparison, literal(rest)?))
}

fn path(rest: &mut &[Token]) -> Option<Path> {
    let (Token::Word(word), after) = rest.split_first()? else {
        return None;
    };
    *rest = after;
    Path::parse(word)
}

fn literal(rest: &mut &[Token]) -> Option<Value> {
    let (first, after) = rest.split_first()?;
    let value = match first {
        Token::Literal(value) => value.clone(),
        Token::Word(word) if word.eq_ignore_ascii_case("true") => true.into(),
        Token::Word(word) if word.eq_ignore_ascii_case("false") => false.into(),
        Token::Word(word) if word.eq_ignore_ascii_case("null") => Value::Null,
        _ => return None,
    };
    *rest = after;
    Some(value)
}

fn take_word(rest: &mut &[Token], wanted: &str) -> bool {
    take(
        rest,
        |token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted)),
    )
}

fn take_mark(rest: &mut &[Token], wanted: char) -> bool {
    take(rest, |token| *token == Token::Mark(wanted))
}

fn take(rest: &mut &[Token], is: impl Fn(&Token) -> bool) -> bool {
    match rest.split_first() {
        Some((first, after)) if is(first) => {
            *rest = after;
            true
        }
        _ => false,
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '\'' | '"' => {
                let (text, after) = rest[1..].split_once(first)?;
                (Token::Literal(text.into()), after)
            }
            '(' | ')' | '[' | ']' | ',' => (Token::Mark(first), &rest[1..]),
            '=' | '!' | '<' | '>' => comparison(rest)?,
            '-' | '0'..='9' => {
                let (number, after) =
                    while_is(rest, |c| c.is_ascii_alphanumeric() || "+-.".contains(c));
                (Token::Literal(serde_json::from_str(number).ok()?), after)
            }
            _ => {
                let (word, after) = while_is(rest, |c| c.is_alphanumeric() || "_-.$".contains(c));
                (!word.is_empty()).then_some(())?;
                (Token::Word(word.to_owned()), after)
            }
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn while_is(text: &str, is: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is(c)).unwrap_or(text.len()))
}

fn comparison(text: &str) -> Option<(Token, &str)> {
    const ALL: [(&str, Comparison); 7] = [
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<>", Comparison::Different),
        ("!=", Comparison::Different),
        ("=", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    ALL.into_iter()
        .find_map(|(sign, own)| Some((Token::Comparison(own), text.strip_prefix(sign)?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("deviceId = 'a'", true)]
    #[case("DEVICEID='a'", true)]
    #[case("devices.deviceId != \"b\"", true)]
    #[case("deviceId <> 'a'", false)]
    #[case("tags.site.floor = 3", true)]
    #[case("tags.site.floor >= 3.0 AND tags.site.floor < 4", true)]
    #[case("tags.site.floor > 3 OR status = 'enabled'", true)]
    #[case("NOT (tags.site.floor = 3)", false)]
    #[case("tags.site.floor = '3'", false)]
    #[case("NOT tags.site.floor = '3'", false)]
    #[case("tags.nothing = 1", false)]
    #[case("NOT tags.nothing = 1", false)]
    #[case("NOT IS_DEFINED(tags.nothing) and is_defined(tags.site)", true)]
    #[case("deviceId IN ['x', 'a']", true)]
    #[case("tags.site.floor IN [1,2]", false)]
    #[case("properties.reported.on = true", true)]
    #[case("properties.reported.on != false", true)]
    #[case("properties.reported.on < true", false)]
    #[case("properties.desired.$version = 2", true)]
    #[case("tags.gone = null", true)]
    #[case("tags.SITE.floor = 3", false)]
    #[case(
        "status = 'x' OR status = 'y' AND deviceId = 'a' OR deviceId > 'A'",
        true
    )]
    fn twins(#[case] text: &str, #[case] expected: bool) {
        let twin = json!({"deviceId": "a", "status": "enabled", "version": 4,
            "tags": {"site": {"floor": 3}, "gone": null},
            "properties": {"desired": {"$version": 2}, "reported": {"on": true}}});
        let condition = Condition::parse(text).unwrap();
        assert_eq!(condition.holds(&twin), expected);
    }

    #[rstest]
    #[case("")]
    #[case("deviceId")]
    #[case("deviceId =")]
    #[case("deviceId = 'ä")]
    #[case("deviceId = b")]
    #[case("deviceId == 'a'")]
    #[case("deviceId = 'a' deviceId = 'b'")]
    #[case("(deviceId = 'a'")]
    #[case("deviceId IN []")]
    #[case("deviceId IN ['a',]")]
    #[case("deviceId IN 'a'")]
    #[case("STARTSWITH(deviceId, 'a')")]
    #[case("tags..a = 1")]
    #[case("tags.a = 1.2.3")]
    #[case("tags.a + 1 = 2")]
    #[case("3 = 3")]
    #[case("a ; b")]
    fn mistakes(#[case] text: &str) {
        assert_eq!(Condition::parse(text), None);
        let deep = "NOT ".repeat(DEPTH + 2) + "deviceId = 'a'";
        assert_eq!(Condition::parse(&deep), None);
    }

    #[rstest]
    #[case("deviceId = 'a'", Some("a"))]
    #[case("deviceId != 'a'", None)]
    #[case("deviceId = 'a' OR status = 'x'", None)]
    #[case("tags.deviceId = 'a'", None)]
    fn one_device(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(Condition::parse(text).unwrap().only_device(), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            text in "(deviceId|tags.a|NOT|AND|OR|IN|IS_DEFINED|[\\[\\](),=<>!'\" ]|[0-9.]{1,3}|\\PC){0,12}"
        ) {
            if let Some(condition) = Condition::parse(&text) {
                condition.holds(&json!({"deviceId": "a", "tags": {"a": 1}}));
            }
        }
    }
}
