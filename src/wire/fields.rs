//! The quick way through a request's body is one pass with borrowed strings, and makes no tree.
//!
//! It takes what is right and gives up on everything else without saying why; [`super::body_faults`] then reads the same
//! bytes slowly and finds every fault. A withdrawal is read in about a microsecond.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use super::field::{Field, Form, NUMBERS, TEXTS};

/// `Fields` are a body's fields, as they came.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    /// This is the set of those that are there.
    pub(crate) present: u32,
    texts: [Option<Cow<'a, str>>; TEXTS],
    numbers: [Option<u64>; NUMBERS],
    /// `corrects`
    pub(crate) corrects: Vec<Cow<'a, str>>,
    /// `force`
    pub(crate) force: bool,
    /// `after`
    pub(crate) after: Option<Place>,
    /// `metadata`
    pub(crate) metadata: BTreeMap<String, String>,
}

impl<'a> Fields<'a> {
    /// Reads one JSON object; nothing when it is not one whose fields are known, single, and of their types.
    #[must_use]
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut input = serde_json::Deserializer::from_str(text);
        let fields = input.deserialize_map(Reader).ok()?;
        input.end().is_ok().then_some(fields)
    }

    /// Returns the text of a field.
    #[must_use]
    pub(crate) fn text(&self, field: Field) -> Option<&str> {
        self.texts.get(field as usize).and_then(Option::as_deref)
    }

    /// Returns the number of a field.
    #[must_use]
    pub(crate) fn number(&self, field: Field) -> Option<u64> {
        self.numbers.get(field.number()).copied().flatten()
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key_seed(Key)? {
            if fields.present & field.bit() != 0 {
                return Err(M::Error::custom("twice"));
            }
            fields.present |= field.bit();
            match field.form() {
                Form::Number => {
                    let number = map.next_value()?;
                    if let Some(place) = fields.numbers.get_mut(field.number()) {
                        *place = Some(number);
                    }
                }
                Form::List => fields.corrects = map.next_value_seed(Texts)?,
                Form::Flag => fields.force = map.next_value()?,
                Form::Place => fields.after = Some(map.next_value_seed(PlaceReader)?),
                Form::Pairs => fields.metadata = map.next_value_seed(Pairs)?,
                Form::Text => {
                    let value = map.next_value_seed(Text)?;
                    if let Some(place) = fields.texts.get_mut(field as usize) {
                        *place = Some(value);
                    }
                }
            }
        }
        Ok(fields)
    }
}

/// A `Key` is a key, as the field it names.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Field;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Field, D::Error> {
        input.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
        Field::parse(name).ok_or_else(|| E::custom("unknown"))
    }
}

/// A `Text` is a string, borrowed where it has no escapes.
pub(crate) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Cow<'de, str>, D::Error> {
        input.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A `Place` is a position in the journal, or its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is this position.
    Position(u64),
    /// It is the end of the journal.
    Head,
}

impl Place {
    /// This is the text that stands for the end of the journal.
    pub(crate) const HEAD: &str = "head";
}

/// A `PlaceReader` reads a place.
struct PlaceReader;

impl<'de> DeserializeSeed<'de> for PlaceReader {
    type Value = Place;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Place, D::Error> {
        input.deserialize_any(self)
    }
}

impl Visitor<'_> for PlaceReader {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position or head")
    }

    fn visit_u64<E>(self, position: u64) -> Result<Place, E> {
        Ok(Place::Position(position))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Place, E> {
        if text == Place::HEAD { Ok(Place::Head) } else { Err(E::custom("unknown")) }
    }
}

/// `Texts` is an array of strings.
struct Texts;

impl<'de> DeserializeSeed<'de> for Texts {
    type Value = Vec<Cow<'de, str>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Self::Value, S::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element_seed(Text)? {
            texts.push(text);
        }
        Ok(texts)
    }
}

/// `Pairs` is a flat object of strings, each key once.
struct Pairs;

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = BTreeMap<String, String>;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if pairs.insert(key, value).is_some() {
                return Err(M::Error::custom("twice"));
            }
        }
        Ok(pairs)
    }
}
