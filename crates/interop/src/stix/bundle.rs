//! Bundles: many objects in one JSON text, each kept as its own text (STIX 2.1 §8).

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use base::Digest;
use base::crypto::sha256;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Json, Name};
use crate::stix::head::{Class, Detail, Head};
use crate::stix::rules::Findings;
use crate::stix::{StixId, Timestamp, id, marking, rules};
use crate::{Fault, limit};

/// A bundle whose frame has been read and whose objects have not.
///
/// It borrows the input. Objects are read one at a time, so that only one of them is in memory as
/// more than its text.
#[derive(Debug)]
pub struct Bundle<'a> {
    id: Option<StixId>,
    objects: Vec<&'a RawValue>,
    remarks: Vec<Fault>,
}

impl<'a> Bundle<'a> {
    /// Reads the frame of a bundle: at most [`limit::BUNDLE_BYTES`] with at most
    /// [`limit::BUNDLE_OBJECTS`].
    ///
    /// A byte order mark before the text is passed over (RFC 8259 §8.1).
    ///
    /// # Errors
    /// [`Fault::BundleBytes`], [`Fault::BundleObjects`], [`Fault::Utf8`], [`Fault::Json`],
    /// [`Fault::RepeatedName`], [`Fault::NotABundle`]: where a text is no JSON, nobody can say
    /// where an object begins and ends.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.len() > limit::BUNDLE_BYTES {
            return Err(Fault::BundleBytes(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(Fault::Utf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let breach = Cell::new(Breach::None);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let outcome = deserializer
            .deserialize_map(Frame { breach: &breach })
            .and_then(|parts| deserializer.end().map(|()| parts));
        let parts = outcome.map_err(|cause| match breach.get() {
            Breach::Objects => Fault::BundleObjects,
            Breach::RepeatedName => Fault::RepeatedName(cause),
            // The cause of a wrong kind of value would quote the value.
            Breach::None if cause.is_data() => Fault::NotABundle,
            Breach::None => Fault::Json(cause),
        })?;
        if parts.type_name.and_then(text_of).as_deref() != Some("bundle") {
            return Err(Fault::NotABundle);
        }
        let id = parts.id.and_then(text_of).and_then(|id| id.parse::<StixId>().ok());
        let id = id.filter(|id| id.type_name() == "bundle");
        let remarks = if id.is_some() { Vec::new() } else { vec![Fault::BundleId] };
        Ok(Self { id, objects: parts.objects, remarks })
    }

    /// The id of the bundle, which nothing else refers to; `None` when it has not its form.
    pub const fn id(&self) -> Option<&StixId> {
        self.id.as_ref()
    }

    /// How many objects the bundle has, read or not.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether the bundle has no object, which the standard allows.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What a person may want to know of the frame.
    pub fn remarks(&self) -> &[Fault] {
        &self.remarks
    }

    /// Reads the objects in their order, each taken or refused by itself.
    ///
    /// Of two objects with one id and version the first is taken.
    pub fn objects(&self) -> Objects<'_, 'a> {
        Objects { rest: self.objects.iter().enumerate(), taken: HashMap::new() }
    }

    /// Reads the marking definitions alone.
    ///
    /// A type that is spelt with escapes is not found, so that what it would define stays unknown.
    pub fn definitions(&self) -> impl Iterator<Item = StixObject<'a>> {
        let likely = self.objects.iter().map(|raw| raw.get()).filter(|raw| {
            raw.len() <= limit::OBJECT_BYTES && raw.contains("\"marking-definition\"")
        });
        likely
            .filter_map(|raw| StixObject::read(raw).ok())
            .filter(|object| matches!(object.head.detail, Detail::Marking(_)))
    }
}

/// One object: its head, and its text as it was received.
#[derive(Debug)]
pub struct StixObject<'a> {
    /// Position in the bundle, from 0.
    pub index: usize,
    pub head: Head,
    /// The text, from `{` to `}`, to the byte.
    pub raw: &'a str,
    /// SHA-256 of [`StixObject::raw`].
    pub digest: Digest,
    /// What a person may want to know; the object is taken all the same.
    pub remarks: Vec<Fault>,
    value: Json<'a>,
}

/// An object that is not taken, with all that is known of why.
#[derive(Debug)]
pub struct Refusal {
    /// Position in the bundle, from 0.
    pub index: usize,
    /// The id, when it could be read.
    pub id: Option<StixId>,
    /// At least one and at most [`limit::FAULTS_PER_OBJECT`].
    pub faults: Vec<Fault>,
}

impl<'a> StixObject<'a> {
    /// Reads one object that stands by itself, with nothing but spaces around it.
    ///
    /// # Errors
    /// [`Refusal`] with every fault that was found.
    pub fn read(text: &'a str) -> Result<Self, Refusal> {
        Self::read_at(0, text.trim_matches([' ', '\t', '\n', '\r']))
    }

    fn read_at(index: usize, raw: &'a str) -> Result<Self, Refusal> {
        let refuse = |id, faults| Refusal { index, id, faults };
        if raw.len() > limit::OBJECT_BYTES {
            return Err(refuse(None, vec![Fault::ObjectBytes(raw.len())]));
        }
        let value = Json::parse(raw).map_err(|fault| refuse(None, vec![fault]))?;
        let id = identify(&value).map_err(|fault| refuse(None, vec![fault]))?;
        let mut findings = Findings::default();
        rules::check(&value, id.type_name(), &mut findings);
        let granular = marking::read_granular(&value, &mut findings);
        if !findings.refused.is_empty() {
            return Err(refuse(Some(id), findings.refused));
        }
        let head = Head::read(&value, id, granular);
        remark(&head, &value, &mut findings);
        let digest = sha256(raw.as_bytes());
        Ok(Self { index, head, raw, digest, remarks: findings.remarked, value })
    }

    /// The whole object as a value: unknown properties and extensions are in it.
    pub const fn value(&self) -> &Json<'a> {
        &self.value
    }

    /// SHA-256 of the canonical JSON: equal for one content however it is spelt.
    ///
    /// # Errors
    /// [`Fault::Json`] never for an object that was read.
    pub fn value_digest(&self) -> Result<Digest, Fault> {
        self.value.digest()
    }

    /// The objects that this one names in a property of its own, with the property (STIX 2.1 §3.3).
    pub fn references(&self) -> impl Iterator<Item = (&str, StixId)> {
        let named = self
            .value
            .entries()
            .iter()
            .filter(|(name, _)| name.ends_with("_ref") || name.ends_with("_refs"));
        named.flat_map(|(name, value)| {
            let texts =
                value.text().into_iter().chain(value.members().iter().filter_map(Json::text));
            texts.filter_map(|text| text.parse().ok()).map(|id| (name.as_ref(), id))
        })
    }
}

/// Reads type and id, on which everything else depends.
fn identify(value: &Json<'_>) -> Result<StixId, Fault> {
    if !matches!(value, Json::Object(_)) {
        return Err(Fault::NotAnObject);
    }
    let type_name = value.get("type").ok_or(Fault::Missing("type"))?.text();
    let type_name = type_name.filter(|name| id::is_type_name(name)).ok_or(Fault::TypeName)?;
    let text = value.get("id").ok_or(Fault::Missing("id"))?.text().ok_or(Fault::Id("id"))?;
    let id: StixId = text.parse().map_err(|_form| Fault::Id("id"))?;
    if id.type_name() == type_name { Ok(id) } else { Err(Fault::IdType("id")) }
}

fn remark(head: &Head, value: &Json<'_>, findings: &mut Findings) {
    if let Detail::Marking(definition) = &head.detail
        && let Some(fault) = definition.remark(&head.id)
    {
        findings.push(fault);
    }
    // Version 4 is allowed, and says nothing that could be checked.
    if head.class == Class::Observable && head.id.version() == 5 {
        match id::observable_id(value) {
            Ok(expected) if expected.as_ref() == Some(&head.id) => {}
            Ok(_) => findings.push(Fault::ObservableId),
            Err(fault) => findings.push(fault),
        }
    }
}

/// The objects of a bundle, read in their order.
pub struct Objects<'b, 'a> {
    rest: std::iter::Enumerate<std::slice::Iter<'b, &'a RawValue>>,
    taken: HashMap<Version, (usize, &'a str)>,
}

/// What is one version of one object (STIX 2.1 §3.6).
type Version = (StixId, Option<Timestamp>);

impl<'a> Iterator for Objects<'_, 'a> {
    type Item = Result<StixObject<'a>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let (index, raw) = self.rest.next()?;
        Some(StixObject::read_at(index, raw.get()).and_then(|object| self.take(object)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl<'a> Objects<'_, 'a> {
    fn take(&mut self, object: StixObject<'a>) -> Result<StixObject<'a>, Refusal> {
        let version = (object.head.id.clone(), object.head.modified);
        match self.taken.entry(version) {
            Entry::Vacant(place) => {
                place.insert((object.index, object.raw));
                Ok(object)
            }
            Entry::Occupied(place) => {
                let (first, raw) = *place.get();
                let same = raw == object.raw || same_value(raw, &object.value);
                let fault =
                    if same { Fault::Repeated { first } } else { Fault::Conflict { first } };
                let id = Some(object.head.id);
                Err(Refusal { index: object.index, id, faults: vec![fault] })
            }
        }
    }
}

fn same_value(raw: &str, other: &Json<'_>) -> bool {
    let canonical = Json::parse(raw).and_then(|value| value.canonical());
    matches!((canonical, other.canonical()), (Ok(a), Ok(b)) if a == b)
}

fn text_of(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// Why the frame was not read, although the text may be JSON.
#[derive(Clone, Copy)]
enum Breach {
    None,
    Objects,
    RepeatedName,
}

/// The members of a bundle; those of other names are passed over, as the standard has no others.
#[derive(Default)]
struct Parts<'a> {
    type_name: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    objects: Vec<&'a RawValue>,
}

#[derive(Clone, Copy)]
struct Frame<'s> {
    breach: &'s Cell<Breach>,
}

impl<'de> Visitor<'de> for Frame<'_> {
    type Value = Parts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bundle")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Parts<'de>, A::Error> {
        let mut parts = Parts::default();
        let mut seen = false;
        while let Some(name) = access.next_key_seed(Name)? {
            let repeated = match name.as_ref() {
                "type" => parts.type_name.replace(access.next_value()?).is_some(),
                "id" => parts.id.replace(access.next_value()?).is_some(),
                "objects" => {
                    parts.objects = access.next_value_seed(List { breach: self.breach })?;
                    std::mem::replace(&mut seen, true)
                }
                _ => {
                    access.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if repeated {
                self.breach.set(Breach::RepeatedName);
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(parts)
    }
}

/// The list of objects, each as its text.
struct List<'s> {
    breach: &'s Cell<Breach>,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut objects = Vec::new();
        while let Some(raw) = access.next_element::<&'de RawValue>()? {
            if objects.len() >= limit::BUNDLE_OBJECTS {
                self.breach.set(Breach::Objects);
                return Err(A::Error::custom("too many objects"));
            }
            objects.push(raw);
        }
        Ok(objects)
    }
}
