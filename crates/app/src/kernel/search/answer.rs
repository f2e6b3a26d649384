//! Answering a search.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use base::crypto::Hasher;
use base::{AgencyId, Label, RecordId, Time};
use serde::Serialize;
use store::search::{Filter, Found, HITS_MAX, Match};

use super::query::{self, Asked as Query};
use super::text::{self, Piece, Wanted};
use super::{agency_number, kind_number};
use crate::kernel::Capability;
use crate::kernel::access::AccessKind;
use crate::kernel::cursor::Cursor;
use crate::kernel::fault::Fault;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::reader::{OpenLayer, Reader, Rendition};

/// Hits of a page, unless it is asked for fewer.
const PAGE: usize = 20;

/// A record that was found, as far as this reader reads it.
#[derive(Serialize)]
struct Hit {
    kind: String,
    id: RecordId,
    agency: AgencyId,
    title: Option<String>,
    state: Option<String>,
    /// The join of the labels that title and snippet are under, and its portion mark.
    label: Label,
    mark: String,
    snippet: Vec<Piece>,
    changed_at: Time,
}

#[derive(Serialize)]
struct OfKind {
    kind: &'static str,
    records: u64,
}

#[derive(Serialize)]
struct OfAgency {
    agency: AgencyId,
    records: u64,
}

/// A page of what was found.
#[derive(Serialize)]
pub struct Hits {
    items: Vec<Hit>,
    /// Records that were found, in all; null while the index is behind.
    total: Option<u64>,
    /// How many of them are of each kind and of each agency, the most first; empty while the index
    /// is behind.
    kinds: Vec<OfKind>,
    agencies: Vec<OfAgency>,
    /// Absent on the last page, and after a thousand hits.
    next: Option<String>,
}

/// Answers `GET /api/search`.
///
/// # Errors
/// `invalid-query`, `invalid-cursor`; `search-building` while there is no index; the store's own.
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let text = asked.query.get("q").map(String::as_str).unwrap_or_default();
    Answer::json(&found(asked, text, None)?)
}

/// Checks that a text is a query.
///
/// # Errors
/// `invalid-query`.
pub fn check(text: &str) -> Result<(), Fault> {
    query::parse(text).map(drop)
}

/// A page of what a query finds for whoever asks, without records of one kind.
///
/// # Errors
/// As [`answer`].
pub fn found(asked: &Asked<'_>, text: &str, without: Option<&str>) -> Result<Hits, Fault> {
    let (node, reader) = (asked.node, &asked.reader);
    let wanted = query::parse(text)?;
    let limit = asked.query.get("limit").map_or(Ok(PAGE), |limit| limit.parse());
    let limit = limit.map_err(|form| {
        Fault::invalid("invalid-query", "`limit` is a number of hits").because(form)
    })?;
    let limit: usize = limit.clamp(1, base::limit::PAGE_RECORDS);
    let shown = shown(asked)?;
    let (index, whole) = node.search().at(reader.core().head.size)?;
    let Some(filter) = filter(reader, node.capabilities(), &wanted, without) else {
        note(reader, text, &[])?;
        return Ok(Hits::none());
    };
    let found = index.search(&wanted.query, &filter, shown + limit + 1)?;
    let more = found.matches.len() > shown + limit && shown + limit < HITS_MAX;
    let mut renditions = Vec::new();
    for hit in found.matches.iter().skip(shown).take(limit) {
        renditions.extend(opened(reader, node.capabilities(), *hit)?);
    }
    note(reader, text, &renditions)?;
    Ok(Hits {
        items: renditions
            .iter()
            .map(|found| hit(reader, found, &wanted))
            .collect::<Result<_, _>>()?,
        total: whole.then_some(found.total),
        kinds: if whole { by_kind(node.capabilities(), &found) } else { Vec::new() },
        agencies: if whole { by_agency(reader, &found) } else { Vec::new() },
        next: if more { Some(reader.cursor((shown + limit) as u64)?) } else { None },
    })
}

/// How much of what a query finds for whoever asks changed after a time; `None` while the index is
/// behind.
///
/// # Errors
/// As [`answer`].
pub fn count_since(
    asked: &Asked<'_>,
    text: &str,
    since: Time,
    without: Option<&str>,
) -> Result<Option<u64>, Fault> {
    let (node, reader) = (asked.node, &asked.reader);
    let mut wanted = query::parse(text)?;
    wanted.after = wanted.after.max(Some(since.plus_ms(1)));
    let (index, whole) = node.search().at(reader.core().head.size)?;
    let Some(filter) = filter(reader, node.capabilities(), &wanted, without) else {
        return Ok(Some(0));
    };
    note(reader, text, &[])?;
    let found = index.search(&wanted.query, &filter, 1)?;
    Ok(whole.then_some(found.total))
}

impl Hits {
    const fn none() -> Self {
        Self {
            items: Vec::new(),
            total: Some(0),
            kinds: Vec::new(),
            agencies: Vec::new(),
            next: None,
        }
    }
}

fn by_kind(capabilities: &'static [&'static Capability], found: &Found) -> Vec<OfKind> {
    let named = |kind: &u32| capabilities.get(usize::try_from(*kind).ok()?).map(|c| c.noun);
    let of = |(kind, records): (&u32, &u64)| Some(OfKind { kind: named(kind)?, records: *records });
    let mut kinds: Vec<OfKind> = found.kinds.iter().filter_map(of).collect();
    kinds.sort_by_key(|of| (Reverse(of.records), of.kind));
    kinds
}

fn by_agency(reader: &Reader<'_>, found: &Found) -> Vec<OfAgency> {
    let register = &reader.core().register;
    let of = |agency: &AgencyId| {
        let records = *found.agencies.get(&agency_number(*agency))?;
        Some(OfAgency { agency: *agency, records })
    };
    let mut agencies: Vec<OfAgency> = register.agencies.keys().filter_map(of).collect();
    let code = |agency: &AgencyId| register.agencies.get(agency).map(|known| known.code.clone());
    agencies.sort_by_key(|of| (Reverse(of.records), code(&of.agency)));
    agencies
}

/// How many hits the pages before this one have shown.
fn shown(asked: &Asked<'_>) -> Result<usize, Fault> {
    let Some(text) = asked.query.get("cursor") else { return Ok(0) };
    let owner = crate::kernel::reader::owner_of(asked.reader.actor());
    let Cursor { sequence, .. } = Cursor::open(text, asked.node.cursor_key(), &owner)?;
    Ok(usize::try_from(sequence).unwrap_or(HITS_MAX).min(HITS_MAX))
}

/// What this reader may read, narrowed by the query and without records of one kind; `None` when
/// nothing can be found.
fn filter(
    reader: &Reader<'_>,
    capabilities: &'static [&'static Capability],
    wanted: &Query,
    without: Option<&str>,
) -> Option<Filter> {
    let mut kinds = BTreeSet::new();
    for kind in &wanted.kinds {
        let named = capabilities.iter().find(|c| c.noun == kind || c.name == kind);
        kinds.extend(named.and_then(|capability| kind_number(capabilities, capability.noun)));
    }
    if kinds.is_empty() && !wanted.kinds.is_empty() {
        return None;
    }
    let mut agency = None;
    if let Some(code) = &wanted.from {
        let known = reader.core().register.agencies.iter();
        let mut named = known.filter(|(_, known)| known.code.as_str() == code);
        agency = Some(agency_number(*named.next()?.0));
    }
    let readable = capabilities.iter().map(|capability| {
        let cells = reader.readable(capability.noun);
        let mut reads = vec![false; cells.max().map_or(0, |most| most as usize + 1)];
        if without == Some(capability.noun) {
            return reads;
        }
        for cell in cells.iter() {
            if let Some(reads) = reads.get_mut(cell as usize) {
                *reads = true;
            }
        }
        reads
    });
    Some(Filter {
        readable: readable.collect(),
        kinds,
        agency,
        from_ms: wanted.after.map(Time::ms),
        to_ms: wanted.before.map(Time::ms),
    })
}

/// A hit, opened by the reader: `None` when it may not be known any more.
fn opened(
    reader: &Reader<'_>,
    capabilities: &'static [&'static Capability],
    hit: Match,
) -> Result<Option<Rendition>, Fault> {
    let Some((id, kind)) = reader.made_by(hit.record)? else { return Ok(None) };
    let Some(capability) = capabilities.iter().find(|c| c.noun == kind) else { return Ok(None) };
    reader.find(capability.noun, id)
}

fn hit(reader: &Reader<'_>, rendition: &Rendition, wanted: &Query) -> Result<Hit, Fault> {
    let phrases = &wanted.query.phrases;
    let beginning = phrases.last().filter(|_| wanted.query.open_end).and_then(|p| p.last());
    let words: HashSet<&str> = phrases.iter().flatten().map(String::as_str).collect();
    let wanted = Wanted { words, beginning: beginning.map(String::as_str) };
    let mut layers = rendition.layers.iter().rev();
    let titled = layers.find_map(|layer| Some((layer, text::title(&layer.body)?)));
    let mut best: Option<(usize, &OpenLayer, Vec<Piece>)> = None;
    for layer in &rendition.layers {
        let mut texts = text::texts(&layer.body);
        texts.retain(|text| titled.is_none_or(|(_, title)| title != text));
        let (different, snippet) = text::snippet(&texts, &wanted);
        if best.as_ref().is_none_or(|(most, ..)| different > *most) {
            best = Some((different, layer, snippet));
        }
    }
    let title_label = titled.map(|(layer, _)| &layer.label);
    let shown = title_label.into_iter().chain(best.as_ref().map(|(_, layer, _)| &layer.label));
    let label = policy::join_all(shown).map_err(Fault::bug)?;
    Ok(Hit {
        kind: rendition.kind.clone(),
        id: rendition.id,
        agency: rendition.agency,
        title: titled.map(|(_, title)| title.to_owned()),
        state: rendition.state.clone(),
        mark: reader.core().policy.schemes().portion(&label).map_err(Fault::bug)?,
        label,
        snippet: best.map(|(_, _, snippet)| snippet).unwrap_or_default(),
        changed_at: rendition.changed_at,
    })
}

fn note(reader: &Reader<'_>, text: &str, found: &[Rendition]) -> Result<(), Fault> {
    let query = Hasher::new("muster/access-query/v1").part(b"search").part(text.as_bytes());
    reader.note(AccessKind::Searched, found, Some(query.finish()))
}
