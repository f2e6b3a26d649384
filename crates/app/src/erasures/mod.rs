//! Erasures: content is destroyed on a basis that two people of its originator vouch for.
//!
//! The secret of each portion goes, so that every copy of the record is unreadable; the chain stays
//! whole and shows for ever that something was erased, by whom, on what basis. Nobody erases what
//! they may not read, and nothing that rights, floors or proofs rest on can be erased.

use base::{Label, Line, RecordId};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::erasure::{KIND, Ordered, Target};
use crate::kernel::floor::{self, LayerId};
use crate::kernel::reader::conflict;
use crate::kernel::view::{LayerRow, RecordRow};
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

pub mod http;
pub mod view;

base::id!(/// Names one erasure, from its request on.
    ErasureId);

/// The kinds of records whose content can be erased. People, agreements, floors and whatever else
/// a decision or a proof rests on are not among them.
pub const ERASABLE: &[&str] =
    &["alert", "report", "declaration", "operation", "entity", "handover"];

/// LIMIT: portions that one order names; what is left needs another approval.
const PIECES_MAX: usize = 1024;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "erasures",
    noun: "erasure",
    kinds: &["erasure.requested/1", "erasure.declined/1", KIND],
    actions: &[
        action("erasure:request", false),
        action("erasure:approve", true),
        action("erasure:decline", false),
    ],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: view::TABLES,
    act,
    fold,
    index: view::index,
    register: |_, _| {},
    react: |_| Vec::new(),
};

const fn action(name: &'static str, signed: bool) -> Action {
    Action { name, lane: Lane::Normal, class: Class::Own, duty: false, signed }
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Request {
        record: RecordId,
        /// The `id` of one layer; absent for all layers that the approver may read.
        #[serde(default)]
        layer: Option<LayerId>,
        basis: Line<160>,
    },
    Approve {
        erasure: ErasureId,
    },
    Decline {
        erasure: ErasureId,
        reason: Line<160>,
    },
}

/// Somebody asked that content be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    pub erasure: ErasureId,
    pub record: RecordId,
    pub layer: Option<LayerId>,
    /// The kind of the record: `alert`.
    pub noun: Line<40>,
    /// A code of law or of a retention clause; it stays for ever and never describes content.
    pub basis: Line<160>,
}

/// The request was declined, or taken back by whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    pub erasure: ErasureId,
    pub reason: Line<160>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Request { record, layer, basis } => request(on, record, layer, basis),
        Command::Approve { erasure } => approve(on, erasure),
        Command::Decline { erasure, reason } => {
            let cell = on.base_of(RecordId(erasure.0), CAPABILITY.noun)?;
            open(on, erasure)?;
            let portion = NewPortion::of(cell, &Declined { erasure, reason })?;
            Ok(vec![NewEntry::new("erasure.declined/1", RecordId(erasure.0), portion)])
        }
    }
}

fn request(
    on: &mut Deciding<'_>,
    record: RecordId,
    layer: Option<LayerId>,
    basis: Line<160>,
) -> Result<Vec<NewEntry>, Fault> {
    let row = on.views.record(record)?.ok_or_else(Fault::absent)?;
    on.base_of_row(&row)?;
    erasable(&row)?;
    let chosen = chosen(on, record, &row, layer)?;
    if pieces(on, record, &chosen)?.is_empty() {
        return Err(conflict("erased", "nothing of it is left that could be erased"));
    }
    let base = chosen.first().ok_or_else(Fault::absent)?;
    let erasure = ErasureId::draw(&mut on.ids);
    let noun = Line::new(&row.kind).map_err(Fault::bug)?;
    let fact = Requested { erasure, record, layer, noun, basis };
    let portion = NewPortion::of(cell_of(on, base)?, &fact)?;
    Ok(vec![NewEntry::new("erasure.requested/1", RecordId(erasure.0), portion)])
}

/// Orders the destruction of what was asked for, as far as the approver may read it.
fn approve(on: &mut Deciding<'_>, erasure: ErasureId) -> Result<Vec<NewEntry>, Fault> {
    let base = on.base_of(RecordId(erasure.0), CAPABILITY.noun)?;
    let asked = open(on, erasure)?;
    if asked.asked_by.is_none() || asked.asked_by == on.actor.person {
        let detail = "whoever asks for an erasure does not approve it";
        return Err(Fault::new(base::Kind::Denied, "own-request", detail));
    }
    let row = on.views.record(asked.record)?.ok_or_else(Fault::absent)?;
    on.base_of_row(&row)?;
    erasable(&row)?;
    let chosen = chosen(on, asked.record, &row, asked.layer)?;
    let pieces = pieces(on, asked.record, &chosen)?;
    if pieces.is_empty() {
        return Err(conflict("erased", "nothing of it is left that could be erased"));
    }
    let mut portions = Vec::new();
    for layer in &chosen {
        let of_layer = pieces.iter().filter(|(cell, _)| *cell == layer.cell);
        let pieces: Vec<Target> = of_layer.map(|(_, target)| target.clone()).collect();
        // The first portion is the base of the entry, whatever is left to erase there.
        if !pieces.is_empty() || portions.is_empty() {
            let cell = if portions.is_empty() { base.clone() } else { cell_of(on, layer)? };
            let order = Ordered { basis: asked.basis.clone(), pieces };
            portions.push(NewPortion::of(cell, &order)?);
        }
    }
    let record = RecordId(erasure.0);
    let (kind, class) = (KIND, LeafClass::Erasure);
    Ok(vec![NewEntry { kind, class, record, portions, clauses: Vec::new(), valid_at: None }])
}

/// A request that was neither declined nor carried out.
fn open(on: &Deciding<'_>, erasure: ErasureId) -> Result<view::ErasureRow, Fault> {
    let row = view::load(on.views, erasure)?.ok_or_else(Fault::absent)?;
    if row.declined {
        return Err(conflict("declined", "the request was declined"));
    }
    Ok(row)
}

fn erasable(row: &RecordRow) -> Result<(), Fault> {
    if ERASABLE.contains(&row.kind.as_str()) {
        return Ok(());
    }
    let detail = format!("a record of the kind `{}` carries rights or proofs", row.kind);
    Err(Fault::new(base::Kind::Denied, "not-erasable", detail))
}

/// The layers meant that the actor may read, the base first.
fn chosen(
    on: &Deciding<'_>,
    record: RecordId,
    row: &RecordRow,
    layer: Option<LayerId>,
) -> Result<Vec<LayerRow>, Fault> {
    let mut layers = on.views.layers(record)?;
    layers.retain(|layer| on.reads(&row.kind, layer.cell) && on.reads(&row.kind, layer.gate));
    layers.sort_by_key(|layer| (layer.cell != row.base, layer.cell));
    let Some(id) = layer else { return Ok(layers) };
    let one = floor::layer_of(record, &layers, on.cells, id).cloned();
    Ok(vec![one.ok_or_else(Fault::absent)?])
}

/// The label and circle that readers of a layer need.
fn cell_of(on: &Deciding<'_>, layer: &LayerRow) -> Result<Cell, Fault> {
    let label = |cell| on.cells.label_of(cell).ok_or_else(|| Fault::bug("a cell has no label"));
    let label: Label = policy::join(label(layer.cell)?, label(layer.gate)?).map_err(Fault::bug)?;
    let circle = |cell| on.cells.row(cell).and_then(|row| row.circle);
    Ok(Cell { label, circle: circle(layer.gate).or_else(|| circle(layer.cell)) })
}

/// What is left to erase in these layers, oldest first, at most [`PIECES_MAX`].
fn pieces(
    on: &Deciding<'_>,
    record: RecordId,
    layers: &[LayerRow],
) -> Result<Vec<(u32, Target)>, Fault> {
    let mut targets: Vec<(u32, Target)> = Vec::new();
    let mut left = on.views.pieces(record)?;
    left.retain(|piece| !piece.erased && layers.iter().any(|layer| layer.cell == piece.cell));
    for piece in left.iter().take(PIECES_MAX) {
        let (cell, sequence) = (piece.cell, piece.sequence);
        let same = |(c, target): &&mut (u32, Target)| *c == cell && target.sequence == sequence;
        if let Some((_, target)) = targets.iter_mut().find(same) {
            target.slots.push(piece.slot);
            continue;
        }
        let (_, entry) =
            on.views.entry_at(sequence)?.ok_or_else(|| Fault::bug("a portion has no entry"))?;
        targets.push((cell, Target { entry, sequence, slots: vec![piece.slot] }));
    }
    Ok(targets)
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    if let Some(requested) = fact.read::<Requested>() {
        layer.state = Some("requested".to_owned());
        layer.set("record", requested.record);
        layer.set("layer", requested.layer);
        layer.set("noun", requested.noun);
        layer.set("basis", requested.basis);
        layer.set("requested_by", fact.person());
        layer.set("requested_at", fact.acted_at);
    }
    if let Some(declined) = fact.read::<Declined>() {
        layer.state = Some("declined".to_owned());
        layer.set("reason", declined.reason);
        layer.set("declined_by", fact.person());
    }
    if let Some(ordered) = fact.read::<Ordered>() {
        layer.state = Some("erased".to_owned());
        layer.set("basis", ordered.basis.clone());
        layer.set("approved_by", fact.person());
        layer.set("erased_at", fact.acted_at);
        let before = layer.body.get("portions").and_then(serde_json::Value::as_u64).unwrap_or(0);
        layer.set("portions", before + ordered.places().count() as u64);
        // Copies hold the secrets under keys of their week, which die 35 days after its end.
        layer.set("copies_until", fact.acted_at.plus_ms(COPIES_MS));
    }
}

/// A week, and the 35 days after which its key is destroyed: by then no copy, backup or free page
/// can be opened either.
const COPIES_MS: i64 = (7 + 35) * 24 * 60 * 60 * 1000;
