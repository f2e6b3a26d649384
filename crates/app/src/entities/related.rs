//! What is related to an entity, as far as whoever asks may read it.

use base::RecordId;
use serde::Serialize;

use super::{CAPABILITY, view};
use crate::kernel::access::AccessKind;
use crate::kernel::fault::Fault;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::reader::Rendition;

/// LIMIT: relations given at once.
const RELATIONS: usize = 200;
/// LIMIT: relations looked at; many may lie above the reader.
const LOOKED_AT: u32 = 2000;

/// An object, and the relationship that names it, in short.
#[derive(Serialize)]
struct Related {
    /// The relationship, sighting or report.
    by: Short,
    /// Whether the entity is its source; null when it has none.
    source: Option<bool>,
    /// The other ends that the reader may read.
    ends: Vec<Short>,
}

#[derive(Serialize)]
struct Short {
    id: RecordId,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    mark: String,
}

/// Answers with the relationships of an entity and their other ends.
///
/// # Errors
/// `absent` when the entity may not be known; the store's own fault.
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let (node, reader) = (asked.node, &asked.reader);
    let id = asked.id.ok_or_else(Fault::absent)?;
    let entity = reader.find(CAPABILITY.noun, id)?.ok_or_else(Fault::absent)?;
    let own = text(&entity, "stix_id");
    let named = node
        .views()
        .with(|views| view::links(views, &view::identity(views, entity.agency, &own), LOOKED_AT))?;
    let (mut related, mut read) = (Vec::new(), vec![entity.clone()]);
    for by in named {
        if related.len() == RELATIONS {
            break;
        }
        let Some(by) = reader.find(CAPABILITY.noun, by)? else { continue };
        let relationship = newest(&by, "relationship");
        let end = |name: &str| Some(relationship.as_ref()?.get(name)?.as_str()?.to_owned());
        let source = end("source");
        let mut ends = Vec::new();
        for other in [source.clone(), end("target")].into_iter().flatten() {
            if other == own {
                continue;
            }
            let rows = node
                .views()
                .with(|views| view::rows(views, &view::identity(views, by.agency, &other)))?;
            for row in rows {
                if let Some(found) = reader.find(CAPABILITY.noun, RecordId(row.entity.0))? {
                    ends.push(short(&found));
                    read.push(found);
                    break;
                }
            }
        }
        related.push(Related { by: short(&by), source: source.map(|id| id == own), ends });
        read.push(by);
    }
    reader.note(AccessKind::Listed, &read, None)?;
    Answer::json(&serde_json::json!({ "items": related }))
}

/// A field of the newest readable layer that has it.
fn newest(rendition: &Rendition, field: &str) -> Option<serde_json::Value> {
    rendition.layers.iter().rev().find_map(|layer| layer.body.get(field).cloned())
}

fn text(rendition: &Rendition, field: &str) -> String {
    newest(rendition, field).and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

fn short(rendition: &Rendition) -> Short {
    Short {
        id: rendition.id,
        kind: text(rendition, "type"),
        title: text(rendition, "title"),
        mark: rendition.layers.last().map(|layer| layer.mark.clone()).unwrap_or_default(),
    }
}
