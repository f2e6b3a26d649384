//! What is related to an entity: in both directions, and only by what the reader may read whole.
//!
//! A relationship is shown when it, and everything that it names, may be read. What may not be read
//! is neither counted nor marked as missing.

use base::{RecordId, Time};
use serde::Serialize;

use super::view;
use crate::kernel::access::AccessKind;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::view::Views;
use crate::kernel::{Fault, Rendition};

/// LIMIT: relationships that one answer shows.
const SHOWN_MAX: usize = 200;
/// LIMIT: relationships that are looked at together; hidden ones do not shorten an answer.
const LOOKED_AT: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    /// The entity is the source.
    Out,
    /// The entity is the target, or named besides.
    In,
}

/// One relationship and its other end.
#[derive(Serialize)]
struct Related {
    direction: Direction,
    /// `uses`, `targets`, `sighting`.
    kind: String,
    relationship: RecordId,
    relationship_mark: String,
    entity: RecordId,
    #[serde(rename = "type")]
    type_name: String,
    title: String,
    mark: String,
    modified: Option<Time>,
}

#[derive(Serialize)]
struct Answered {
    items: Vec<Related>,
    /// Whether there are more than are shown.
    more: bool,
}

/// A relationship that may be shown.
struct Found {
    relationship: RecordId,
    other: RecordId,
    direction: Direction,
}

/// Answers what is related to an entity.
///
/// # Errors
/// `absent` when the entity does not exist or may not be known to exist; the store's own fault.
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let reader = &asked.reader;
    let subject = asked.id.ok_or_else(Fault::absent)?;
    // The same answer, and the same row of the access log, as for asking for the entity itself.
    if reader.find("entity", subject)?.is_none() {
        reader.denied(subject)?;
        return Err(Fault::absent());
    }
    let readable = |views: Views<'_>, record: RecordId| {
        let cells = reader.readable("entity");
        let row = views.record(record)?;
        Ok::<_, Fault>(row.is_some_and(|row| row.kind == "entity" && row.readable(&cells)))
    };
    let found = asked.node.views().with(|views| find(views, subject, &readable))?;
    let more = found.len() > SHOWN_MAX;
    let mut items = Vec::new();
    let mut opened: Vec<Rendition> = Vec::new();
    for found in found.into_iter().take(SHOWN_MAX) {
        let relationship = reader.find("entity", found.relationship)?;
        let other = reader.find("entity", found.other)?;
        if let (Some(relationship), Some(other)) = (relationship, other) {
            items.push(related(&found, &relationship, &other));
            opened.extend([relationship, other]);
        }
    }
    let query = base::crypto::Hasher::new("muster/access-query/v1")
        .part(b"entity related")
        .part(&subject.0)
        .finish();
    reader.note(AccessKind::Listed, &opened, Some(query))?;
    Answer::json(&Answered { items, more })
}

/// The readable relationships of a record, at most one more than is shown.
fn find(
    views: Views<'_>,
    subject: RecordId,
    readable: &impl Fn(Views<'_>, RecordId) -> Result<bool, Fault>,
) -> Result<Vec<Found>, Fault> {
    let mut found = Vec::new();
    let Some(name) = view::name(views, subject)? else { return Ok(found) };
    let mut after = RecordId([0; 16]);
    loop {
        let some = view::ending(views, &name, after, LOOKED_AT)?;
        let Some(last) = some.last() else { return Ok(found) };
        after = *last;
        for relationship in some {
            if !readable(views, relationship)? {
                continue;
            }
            if let Some((other, direction)) = other_end(views, relationship, &name, readable)? {
                found.push(Found { relationship, other, direction });
            }
            if found.len() > SHOWN_MAX {
                return Ok(found);
            }
        }
    }
}

/// The other end of a relationship; `None` when anything that it names may not be read.
fn other_end(
    views: Views<'_>,
    relationship: RecordId,
    own: &[u8; 32],
    readable: &impl Fn(Views<'_>, RecordId) -> Result<bool, Fault>,
) -> Result<Option<(RecordId, Direction)>, Fault> {
    let mut other = None;
    let mut direction = Direction::In;
    for (side, name) in view::ends(views, relationship)? {
        let mut end = None;
        for record in view::named(views, &name)? {
            if readable(views, record)? {
                end = Some(record);
                break;
            }
        }
        let Some(end) = end else { return Ok(None) };
        if name == *own && side == 0 {
            direction = Direction::Out;
        }
        let first_other = name != *own && other.is_none();
        if first_other {
            other = Some(end);
        }
    }
    Ok(other.map(|other| (other, direction)))
}

fn related(found: &Found, relationship: &Rendition, other: &Rendition) -> Related {
    let newest = |rendition: &Rendition, field: &str| {
        let layers = rendition.layers.iter();
        let shown = layers.max_by(|a, b| text(a, "modified").cmp(&text(b, "modified")));
        shown.map(|layer| text(layer, field)).unwrap_or_default()
    };
    let kind = relationship
        .layers
        .iter()
        .find_map(|layer| layer.body.get("relationship")?.get("kind")?.as_str().map(str::to_owned));
    Related {
        direction: found.direction,
        kind: kind.unwrap_or_default(),
        relationship: found.relationship,
        relationship_mark: relationship.banner.clone(),
        entity: found.other,
        type_name: newest(other, "type"),
        title: newest(other, "title"),
        mark: other.banner.clone(),
        modified: newest(other, "modified").parse().ok(),
    }
}

fn text(layer: &crate::kernel::reader::OpenLayer, field: &str) -> String {
    layer.body.get(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}
