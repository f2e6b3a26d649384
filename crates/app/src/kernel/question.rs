//! Questions: routes that answer something other than a list or a record of one kind.
//!
//! INVARIANT: what a question answers passes the same gates as every exit: the route's own action,
//! then the readable set or the oversight of whoever asks, and a row of the access log.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::RecordId;

use super::fault::Fault;
use super::node::Node;
use super::reader::Reader;

/// What a question is asked with.
pub struct Asked<'a> {
    pub node: &'a Arc<Node>,
    pub reader: Reader<'a>,
    /// The id in the path; `None` when there is none or it is no id.
    pub id: Option<RecordId>,
    pub query: &'a BTreeMap<String, String>,
    /// Every part of the path that has a name.
    pub path: &'a BTreeMap<String, String>,
    /// What was sent with it, and the type of an upload; both empty unless it was posted.
    pub body: &'a [u8],
    pub media: &'a str,
}

impl Asked<'_> {
    /// Reads the body of a question that was posted.
    ///
    /// # Errors
    /// `invalid-command` with the place and the reason when it has another form.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(self.body)
            .map_err(|cause| Fault::invalid("invalid-command", format!("question: {cause}")))
    }
}

/// What is answered.
pub enum Answer {
    Json(serde_json::Value),
    /// Something was taken.
    Created(serde_json::Value),
    /// A file to be kept, with the name that it gets.
    File {
        name: String,
        media: &'static str,
        bytes: Vec<u8>,
    },
}

impl Answer {
    /// Answers a value as JSON.
    ///
    /// # Errors
    /// A bug when it cannot be written.
    pub fn json(value: &impl serde::Serialize) -> Result<Self, Fault> {
        serde_json::to_value(value).map(Self::Json).map_err(Fault::bug)
    }
}

/// A function that answers.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub answer: fn(&Asked<'_>) -> Result<Answer, Fault>,
    /// The parameters that its address may carry.
    pub query: &'static [&'static str],
}

impl Question {
    /// A question without parameters.
    pub const fn new(answer: fn(&Asked<'_>) -> Result<Answer, Fault>) -> Self {
        Self { answer, query: &[] }
    }
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.answer, other.answer)
    }
}

impl Eq for Question {}
