//! What a standing query finds, and how much of it is new.

use serde::Serialize;

use super::{NOUN, REMOVED, said};
use crate::kernel::question::{Answer, Asked};
use crate::kernel::search::{self, Hits};
use crate::kernel::{Fault, Page, Rendition};

/// LIMIT: queries whose news are counted in one answer.
const COUNTED_MAX: usize = 50;

#[derive(Serialize)]
struct Found {
    /// Hits that changed since they were last seen; null while the index is behind.
    new: Option<u64>,
    #[serde(flatten)]
    hits: Hits,
}

#[derive(Serialize)]
struct News {
    items: Vec<New>,
}

#[derive(Serialize)]
struct New {
    id: base::RecordId,
    new: Option<u64>,
}

/// Answers `GET /api/queries/{id}/hits`.
///
/// # Errors
/// `absent` for a query that is not one's own; else as `GET /api/search`.
pub fn hits(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let reader = &asked.reader;
    let id = asked.id.ok_or_else(Fault::absent)?;
    let Some(query) = reader.find(NOUN, id)? else {
        reader.denied(id)?;
        return Err(Fault::absent());
    };
    let (text, since) =
        query.layers.iter().find_map(|layer| said(&layer.body)).ok_or_else(Fault::absent)?;
    let hits = search::found(asked, &text, Some(NOUN))?;
    let new = search::count_since(asked, &text, since, Some(NOUN))?;
    Answer::json(&Found { new, hits })
}

/// Answers `GET /api/queries/news`.
///
/// # Errors
/// As `GET /api/search`.
pub fn news(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let page: Page = asked.reader.list(NOUN, None, base::limit::PAGE_RECORDS)?;
    let kept = |query: &&Rendition| query.state.as_deref() != Some(REMOVED);
    let mut items = Vec::new();
    for query in page.items.iter().filter(kept).take(COUNTED_MAX) {
        let said = query.layers.iter().find_map(|layer| said(&layer.body));
        let Some((text, since)) = said else { continue };
        let new = search::count_since(asked, &text, since, Some(NOUN))?;
        items.push(New { id: query.id, new });
    }
    Answer::json(&News { items })
}
