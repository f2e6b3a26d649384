//! JSON as it was received: a tree over the text that refuses what two readers could read as two
//! different things.
//!
//! A repeated name is refused (RFC 7493 §2.3): of two `object_marking_refs` one reader takes the
//! first and another the last. So is half a surrogate pair (RFC 7493 §2.1).

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use base::Digest;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserializer, Serialize, Serializer};

use crate::Fault;
use crate::limit;

/// A JSON value that borrows from its text where no escape stands in the way.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// Names and values in the order of the text; no name stands twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads one JSON text (RFC 8259).
    ///
    /// At most [`limit::JSON_DEPTH`] levels and [`limit::JSON_VALUES`] values.
    ///
    /// # Errors
    /// [`Fault::Depth`], [`Fault::Values`], [`Fault::RepeatedName`], and [`Fault::Json`] for a text
    /// that is no JSON.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        let breach = Cell::new(None);
        let values = Cell::new(0);
        let seed = Seed { depth: 0, values: &values, breach: &breach };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let outcome = seed
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        outcome.map_err(|cause| match breach.get() {
            Some(Breach::Depth) => Fault::Depth,
            Some(Breach::Values) => Fault::Values,
            Some(Breach::RepeatedName) => Fault::RepeatedName(cause),
            None => Fault::Json(cause),
        })
    }

    /// The value under `name`; `None` when there is none or this is no object.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.entries().iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Names and values; none when this is no object.
    pub fn entries(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Self::Object(entries) => entries,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The members; none when this is no list.
    pub fn members(&self) -> &[Json<'a>] {
        match self {
            Self::List(members) => members,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => &[],
        }
    }

    /// The text; `None` when this is none.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The truth value; `None` when this is none.
    pub const fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Null | Self::Number(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The whole number, written without fraction; `None` when this is none or outside 64 bits.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The number; `None` when this is none. Whole numbers above 2⁵³ lose their last digits.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The canonical text (RFC 8785), the same for every spelling of one value.
    ///
    /// # Errors
    /// [`Fault::Json`] never for a value that [`Json::parse`] gave.
    pub fn canonical(&self) -> Result<Vec<u8>, Fault> {
        serde_json_canonicalizer::to_vec(self).map_err(Fault::Json)
    }

    /// SHA-256 of the canonical text: equal for values that are equal, however they are spelt.
    ///
    /// # Errors
    /// As [`Json::canonical`].
    pub fn digest(&self) -> Result<Digest, Fault> {
        self.canonical().map(|bytes| base::crypto::sha256(&bytes))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(members) => {
                let mut list = serializer.serialize_seq(Some(members.len()))?;
                for member in members {
                    list.serialize_element(member)?;
                }
                list.end()
            }
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Why the tree was not built, although the text may be JSON.
#[derive(Clone, Copy)]
enum Breach {
    Depth,
    Values,
    RepeatedName,
}

/// What the parts of one text share while the tree is built.
#[derive(Clone, Copy)]
struct Seed<'s> {
    depth: usize,
    values: &'s Cell<usize>,
    breach: &'s Cell<Option<Breach>>,
}

impl Seed<'_> {
    fn refuse<E: serde::de::Error>(self, breach: Breach, reason: &'static str) -> E {
        self.breach.set(Some(breach));
        E::custom(reason)
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= limit::JSON_DEPTH {
            return Err(self.refuse(Breach::Depth, "too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        let count = self.values.get() + 1;
        if count > limit::JSON_VALUES {
            return Err(self.refuse(Breach::Values, "too many values"));
        }
        self.values.set(count);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Json<'de>, E> {
        let number = serde_json::Number::from_f64(number);
        number.map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut members = Vec::new();
        while let Some(member) = access.next_element_seed(inner)? {
            members.push(member);
        }
        Ok(Json::List(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(name) = access.next_key_seed(Name)? {
            entries.push((name, access.next_value_seed(inner)?));
        }
        if repeats(&entries) {
            return Err(self.refuse(Breach::RepeatedName, "a name stands twice"));
        }
        Ok(Json::Object(entries))
    }
}

/// A name of an object, borrowed where it can be.
pub(crate) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Names in an object up to which comparing each with each is faster than sorting.
const FEW: usize = 12;

fn repeats(entries: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if entries.len() <= FEW {
        let mut rest = entries;
        while let Some(((name, _), tail)) = rest.split_first() {
            if tail.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = tail;
        }
        return false;
    }
    let mut names: Vec<&str> = entries.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}
