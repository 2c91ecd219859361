//! One file, many scenarios.

use std::collections::{BTreeMap, BTreeSet};

use az3166_yaml::{Fault, Key, Node, Value, Writing};
use schemars::JsonSchema;
use serde::Deserialize;

use super::is_name;
use crate::{Scalar, Span};

/// Rows of variables; the scenario is run once for each.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(
    dead_code,
    reason = "only its schema is used: rows are read from the tree"
)]
pub enum Matrix {
    /// One row after another. A row's `name` and `tags` are no variables.
    Rows(Vec<RowSchema>),
    /// Every combination of the values of these variables.
    Product(BTreeMap<String, Axis>),
}

/// A row as it is written.
#[derive(JsonSchema)]
#[schemars(rename = "Row")]
#[allow(
    dead_code,
    reason = "only its schema is used: rows are read from the tree"
)]
pub struct RowSchema {
    /// The row's name in reports; its number where none is given. Never a secret.
    name: Option<String>,
    /// Tags that the row adds to the file's.
    tags: Option<crate::model::Tags>,
    /// The row's variables.
    #[schemars(flatten)]
    variables: BTreeMap<String, super::Variable>,
}

/// The values that one variable takes.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(
    dead_code,
    reason = "only its schema is used: rows are read from the tree"
)]
pub enum Axis {
    /// These.
    Values(Vec<Scalar>),
    /// Whole numbers.
    Range(Range),
}

/// Whole numbers from one to another, both included.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first.
    from: u32,
    /// The last that may be reached.
    to: u32,
    /// The distance of neighbours.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    step: u32,
}

const fn one() -> u32 {
    1
}

/// One row: what sets this scenario apart from the others of its file.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name; never a value that might be a secret.
    pub name: String,
    /// Tags that it adds to the file's.
    pub tags: BTreeSet<String>,
    /// Its variables.
    pub values: Vec<(String, Node)>,
    /// Where it stands.
    pub span: Span,
}

/// A file makes at most this many scenarios.
const MAX_ROWS: usize = 1024;

/// The rows of the file's `matrix`.
pub fn rows(matrix: &Node) -> Result<Vec<Row>, Fault> {
    let rows = match &matrix.value {
        Value::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| row(index, item).map_err(|fault| fault.at(item.span)))
            .collect::<Result<_, _>>()?,
        Value::Mapping(axes) => product(axes)?,
        _ => {
            return Err(Fault::new(format!(
                "expected a list of rows or a mapping of axes, found {}",
                matrix.describe()
            )));
        }
    };
    check(&rows)?;
    Ok(rows)
}

fn check(rows: &[Row]) -> Result<(), Fault> {
    if rows.is_empty() {
        return Err(Fault::new("a matrix without rows runs nothing"));
    }
    if rows.len() > MAX_ROWS {
        return Err(Fault::new(format!(
            "a matrix may have {MAX_ROWS} rows, this one has {}",
            rows.len()
        )));
    }
    let mut names = BTreeSet::new();
    match rows.iter().find(|row| !names.insert(&row.name)) {
        Some(row) => {
            let message = format!("two rows are named `{}`", row.name);
            Err(Fault::new(message).at(row.span))
        }
        None => Ok(()),
    }
}

fn row(index: usize, node: &Node) -> Result<Row, Fault> {
    let Value::Mapping(members) = &node.value else {
        return Err(Fault::new(format!(
            "expected a row of variables, found {}",
            node.describe()
        )));
    };
    let mut row = Row {
        name: (index + 1).to_string(),
        tags: BTreeSet::new(),
        values: Vec::new(),
        span: node.span,
    };
    for (key, value) in members {
        match key.name.as_str() {
            "name" => row.name = row_name(value)?,
            "tags" => row.tags = crate::model::Tags::deserialize(value)?.into_set(),
            _ => row.values.push(variable(key, value)?),
        }
    }
    Ok(row)
}

fn row_name(node: &Node) -> Result<String, Fault> {
    let name = String::deserialize(node)?;
    if az3166_yaml::mask(&name) != name {
        return Err(
            Fault::new("a row's name looks like a secret; rows are named in reports").at(node.span),
        );
    }
    if name.contains("${") {
        return Err(Fault::new("a row's name cannot hold variables").at(node.span));
    }
    match name.is_empty() || name.len() > 80 || name.chars().any(char::is_control) {
        true => Err(Fault::new("a row's name has 1 to 80 printable characters").at(node.span)),
        false => Ok(name),
    }
}

fn variable(key: &Key, value: &Node) -> Result<(String, Node), Fault> {
    match is_name(&key.name) {
        true => Ok((key.name.clone(), value.clone())),
        false => Err(Fault::new(format!(
            "`{}` is no variable's name; names have letters, digits and `_`",
            key.name
        ))
        .at(key.span)),
    }
}

/// A variable's value in a combination, and what the row's name says of it.
type Choice = (String, Node, String);

fn product(axes: &[(Key, Node)]) -> Result<Vec<Row>, Fault> {
    let mut combinations: Vec<Vec<Choice>> = vec![Vec::new()];
    for (key, node) in axes {
        let choices = axis(key, node).map_err(|fault| fault.at(node.span))?;
        if combinations.len() * choices.len() > MAX_ROWS {
            return Err(Fault::new(format!("a matrix may have {MAX_ROWS} rows")).at(key.span));
        }
        combinations = combinations
            .iter()
            .flat_map(|row| {
                choices.iter().map(|choice| {
                    let mut row = row.clone();
                    row.push(choice.clone());
                    row
                })
            })
            .collect();
    }
    let rows = combinations.into_iter().map(|choices| {
        let names: Vec<&str> = choices.iter().map(|(_, _, name)| name.as_str()).collect();
        Row {
            name: names.join(", "),
            tags: BTreeSet::new(),
            values: choices
                .iter()
                .map(|(variable, node, _)| (variable.clone(), node.clone()))
                .collect(),
            span: choices
                .first()
                .map_or(Span::default(), |(_, node, _)| node.span),
        }
    });
    Ok(rows.collect())
}

fn axis(key: &Key, node: &Node) -> Result<Vec<Choice>, Fault> {
    let (name, _) = variable(key, node)?;
    match &node.value {
        Value::Sequence(items) if !items.is_empty() => Ok(items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let shown = format!("{name} #{}", index + 1);
                (name.clone(), item.clone(), shown)
            })
            .collect()),
        Value::Mapping(_) => {
            let range = Range::deserialize(node)?;
            if range.from > range.to || range.step == 0 {
                return Err(Fault::new("this range holds no number"));
            }
            let numbers = (range.from..=range.to).step_by(range.step as usize);
            let choices = numbers.take(MAX_ROWS + 1).map(|number| {
                let node = plain(number, node.span);
                (name.clone(), node, format!("{name} {number}"))
            });
            Ok(choices.collect())
        }
        _ => Err(Fault::new(format!(
            "expected a list of values or a range, found {}",
            node.describe()
        ))
        .help("write `[a, b]` or `{from: 0, to: 63}`")),
    }
}

fn plain(number: u32, span: Span) -> Node {
    Node {
        value: Value::Scalar(number.to_string().into(), Writing::Plain),
        span,
    }
}
