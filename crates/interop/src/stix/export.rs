//! Bundles out: objects are written as they were received, to the byte.

use crate::json::Json;
use crate::stix::{StixId, StixObject};
use crate::{Fault, limit};

/// The text of one JSON object that may stand in a bundle.
///
/// Its only makers are a reading and a check, so that nothing else can be written into a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectText<'a>(&'a str);

impl<'a> ObjectText<'a> {
    /// Checks a text that comes from elsewhere: one JSON object within the limits.
    ///
    /// # Errors
    /// [`Fault::ObjectBytes`], [`Fault::NotAnObject`] and those of [`Json::parse`].
    pub fn check(text: &'a str) -> Result<Self, Fault> {
        if text.len() > limit::OBJECT_BYTES {
            return Err(Fault::ObjectBytes(text.len()));
        }
        match Json::parse(text)? {
            Json::Object(_) => Ok(Self(text)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
                Err(Fault::NotAnObject)
            }
        }
    }

    /// The text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl<'a> From<&StixObject<'a>> for ObjectText<'a> {
    fn from(object: &StixObject<'a>) -> Self {
        Self(object.raw)
    }
}

/// Writes a bundle, one object a line.
#[derive(Debug)]
pub struct Writer {
    text: String,
    objects: usize,
}

impl Writer {
    /// Begins the bundle with this id.
    ///
    /// # Errors
    /// [`Fault::BundleId`] for the id of anything else.
    pub fn new(id: &StixId) -> Result<Self, Fault> {
        if id.type_name() != "bundle" {
            return Err(Fault::BundleId);
        }
        Ok(Self { text: format!(r#"{{"type":"bundle","id":"{id}","objects":["#), objects: 0 })
    }

    /// Adds an object, byte by byte as it stands.
    ///
    /// # Errors
    /// [`Fault::BundleObjects`] and [`Fault::BundleBytes`] when the bundle would be one that
    /// [`super::Bundle::read`] refuses; it stays as it was.
    pub fn push(&mut self, object: ObjectText<'_>) -> Result<(), Fault> {
        if self.objects >= limit::BUNDLE_OBJECTS {
            return Err(Fault::BundleObjects);
        }
        let bytes = self.text.len() + SEPARATOR.len() + object.0.len() + END.len();
        if bytes > limit::BUNDLE_BYTES {
            return Err(Fault::BundleBytes(bytes));
        }
        self.text.push_str(if self.objects == 0 { FIRST } else { SEPARATOR });
        self.text.push_str(object.0);
        self.objects += 1;
        Ok(())
    }

    /// Ends the bundle.
    pub fn finish(mut self) -> Vec<u8> {
        self.text.push_str(END);
        self.text.into_bytes()
    }
}

const FIRST: &str = "\n";
const SEPARATOR: &str = ",\n";
const END: &str = "\n]}\n";
