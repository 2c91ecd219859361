//! serde over the tree: every error gets the place of the innermost value it is about.

use serde::Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::fault::for_people;
use crate::{Fault, Key, Node, Value, Writing};

/// A newtype of this name takes a list as a list and anything else as its only item.
pub const ONE_OR_MANY: &str = "$az3166_yaml::OneOrMany";

/// A number as YAML 1.2's core schema has it.
enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Some(hex) = digits.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::Unsigned);
    }
    if let Some(octal) = digits.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::Unsigned);
    }
    // Words that Rust takes for floating-point numbers, `inf` and `nan`, are none in YAML.
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
        return None;
    }
    let unsigned = digits.parse().map(Number::Unsigned);
    let signed = || digits.parse().map(Number::Signed);
    let float = || digits.parse().map(Number::Float);
    unsigned.or_else(|_| signed()).or_else(|_| float()).ok()
}

impl Node {
    fn as_number(&self) -> Option<Number> {
        match &self.value {
            Value::Scalar(text, Writing::Plain | Writing::Substituted) => number(text.expose()),
            _ => None,
        }
    }

    fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar(text, Writing::Plain | Writing::Substituted) => match text.expose() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn unexpected(&self, expected: &dyn serde::de::Expected) -> Fault {
        Fault::new(format!(
            "expected {}, found {}",
            for_people(&expected.to_string()),
            self.describe()
        ))
        .at(self.span)
    }

    fn visit_number<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        match self.as_number() {
            Some(Number::Unsigned(number)) => visitor.visit_u64(number),
            Some(Number::Signed(number)) => visitor.visit_i64(number),
            Some(Number::Float(number)) => visitor.visit_f64(number),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn visit_text<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Scalar(text, _) if !self.is_null() => visitor.visit_str(text.expose()),
            _ => Err(self.unexpected(&visitor)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.visit_number(visitor).map_err(|fault| fault.at(self.span))
        }
    )*};
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            _ if self.is_null() => visitor.visit_unit(),
            Value::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Value::Mapping(members) => visitor.visit_map(Members::new(members)),
            Value::Scalar(text, _) => match (self.as_number(), self.as_bool()) {
                (Some(Number::Unsigned(number)), _) => visitor.visit_u64(number),
                (Some(Number::Signed(number)), _) => visitor.visit_i64(number),
                (Some(Number::Float(number)), _) => visitor.visit_f64(number),
                (None, Some(value)) => visitor.visit_bool(value),
                (None, None) => visitor.visit_str(text.expose()),
            },
        }
        .map_err(|fault| fault.at(self.span))
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.unexpected(&visitor)),
        }
    }

    /// Any scalar but null is a text as it was written, so that ids of digits need no quotes.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_text(visitor)
            .map_err(|fault| fault.at(self.span))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.is_null() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match (&self.value, name) {
            (Value::Sequence(items), ONE_OR_MANY) => visitor.visit_seq(Items(items.iter())),
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|fault| fault.at(self.span))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Sequence(items) => visitor
                .visit_seq(Items(items.iter()))
                .map_err(|fault| fault.at(self.span)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Mapping(members) => visitor
                .visit_map(Members::new(members))
                .map_err(|fault| fault.at(self.span)),
            _ if self.is_null() => Err(self
                .unexpected(&"a mapping")
                .help("write `{}` for a mapping without members")),
            _ => Err(self.unexpected(&"a mapping")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let noun = noun(name);
        match &self.value {
            Value::Scalar(text, _) if !self.is_null() => visitor.visit_enum(Variant {
                word: text.expose(),
                noun,
                node: self,
                content: None,
            }),
            Value::Mapping(members) => match members.as_slice() {
                [(key, content)] => visitor.visit_enum(Variant {
                    word: &key.name,
                    noun,
                    node: self,
                    content: Some((key, content)),
                }),
                [] => Err(Fault::new(format!("expected a {noun}, found nothing"))),
                [(first, content), (second, _), ..] => Err(too_many(noun, first, content, second)),
            },
            _ => {
                let known = crate::suggest::list(variants);
                let found = self.describe();
                Err(Fault::new(format!("expected a {noun}, found {found}"))
                    .help(format!("known are {known}")))
            }
        }
        .map_err(|fault| fault.at(self.span))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.is_null() {
            true => visitor.visit_unit(),
            false => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit_struct tuple tuple_struct
    }
}

fn too_many(noun: &str, first: &Key, content: &Node, second: &Key) -> Fault {
    let message = format!(
        "expected one {noun}, found `{}` and `{}`",
        first.name, second.name
    );
    let fault = Fault::new(message).at(second.span);
    match content.is_null() {
        true => fault.help(format!(
            "indent the members of `{}` further than `{}` itself",
            first.name, first.name
        )),
        false if noun == "verb" => fault.help("give each verb a step, a `-`, of its own"),
        false => fault,
    }
}

/// What messages call a value of the enum `name`.
fn noun(name: &str) -> &'static str {
    match name {
        "Verb" => "verb",
        "Capability" => "need",
        "Button" => "button",
        name if name.ends_with("Fault") => "fault",
        _ => "value",
    }
}

struct Items<'a>(core::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(item)
            .map(Some)
            .map_err(|fault| fault.at(item.span))
    }
}

struct Members<'a> {
    rest: core::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a Node>,
}

impl<'a> Members<'a> {
    fn new(members: &'a [(Key, Node)]) -> Self {
        Self {
            rest: members.iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(key.name.as_str().into_deserializer())
            .map(Some)
            .map_err(|fault: Fault| fault.at(key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(value) = self.value.take() else {
            return Err(Fault::new("a value was asked for before its key"));
        };
        seed.deserialize(value)
            .map_err(|fault| fault.at(value.span))
    }
}

/// A variant: a word, or a word with content.
struct Variant<'a> {
    word: &'a str,
    noun: &'static str,
    node: &'a Node,
    content: Option<(&'a Key, &'a Node)>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let span = self.content.map_or(self.node.span, |(key, _)| key.span);
        let variant = seed
            .deserialize(self.word.into_deserializer())
            .map_err(|fault: Fault| fault.about(self.noun).at(span))?;
        Ok((variant, self))
    }
}

impl<'a> Variant<'a> {
    fn content(&self) -> Result<&'a Node, Fault> {
        match self.content {
            Some((_, content)) => Ok(content),
            None => {
                let word = self.word;
                Err(
                    Fault::new(format!("`{word}` needs a value; write `{word}: ...`"))
                        .at(self.node.span),
                )
            }
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            None => Ok(()),
            Some((key, content)) if content.is_null() => Err(Fault::new(format!(
                "`{0}` takes no value; write `{0}` without a colon",
                self.word
            ))
            .at(key.span)),
            Some((_, content)) => Err(Fault::new(format!(
                "`{}` takes no value, found {}",
                self.word,
                content.describe()
            ))
            .at(content.span)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let content = self.content()?;
        seed.deserialize(content)
            .map_err(|fault| fault.at(content.span))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.content()?.deserialize_map(visitor)
    }
}
