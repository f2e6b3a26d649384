//! Spillages: a wrong label or a wrong recipient is contained in one act.
//!
//! Containing raises a floor below a record or one layer of it: every version, at any time asked
//! for, is read from now on by those alone who may read what the label was raised to; open screens
//! lose it at once. Whoever finds content above their own head raises it all the same.

use std::collections::{BTreeMap, BTreeSet};

use base::{AgencyId, CircleId, Label, Line, Marking, NonEmpty, RecordId, SchemeId};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::circles;
use crate::kernel::floor::{self, LayerId, Target};
use crate::kernel::register::Member;
use crate::kernel::view::RecordRow;
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};

pub mod http;

base::id!(/// Names one spillage.
    SpillageId);

/// LIMIT: agencies that may be named to keep what was spilled.
const KEEP_MAX: usize = 64;

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "spillages",
    noun: "spillage",
    kinds: &[floor::KIND],
    actions: &[Action {
        name: "spillage:contain",
        lane: Lane::Alert,
        class: Class::Own,
        duty: false,
        signed: false,
    }],
    routes: http::ROUTES,
    urgent: true,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: |_, _| {},
    react: |_| Vec::new(),
};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Contain(Box<Contain>),
}

/// What a caller asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contain {
    record: RecordId,
    /// The `id` of one layer; absent for the record with all layers.
    #[serde(default)]
    layer: Option<LayerId>,
    /// What the label is raised to: joined with what it was.
    markings: BTreeMap<SchemeId, Marking>,
    /// The agencies that keep it, beside its originators; absent when all who had it keep it.
    #[serde(default)]
    keep: Option<Vec<AgencyId>>,
    reason: Line<160>,
}

/// A label was raised. The label and circle of its own portion are the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contained {
    pub spillage: SpillageId,
    pub target: Target,
    /// The kind of the record: `alert`.
    pub noun: Line<40>,
    pub reason: Line<160>,
    /// Who keeps it; absent when the circle was not narrowed.
    pub keep: Option<BTreeSet<AgencyId>>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let Command::Contain(asked) = on.parse(command)?;
    let row = on.views.record(asked.record)?.ok_or_else(Fault::absent)?;
    let own = on.base_of_row(&row)?;
    let (content, gate) = raised(on, &asked, &row)?;
    let before = floor_of(on, content, gate)?;
    let label = raised_label(on, &asked, &before, &own)?;
    let narrowed = on.cells.row(gate).filter(|_| gate != content).and_then(|row| row.circle);
    let keep = kept(on, &asked, &own, narrowed)?;
    if keep.is_none() && label == before.label {
        return Ok(Vec::new());
    }
    let spillage = SpillageId::draw(&mut on.ids);
    let mut entries = Vec::new();
    let circle = match &keep {
        None => narrowed,
        Some(keep) => {
            let circle = CircleId::draw(&mut on.ids);
            let members: Vec<Member> = keep.iter().copied().map(Member::Agency).collect();
            let members = NonEmpty::new(members).map_err(Fault::bug)?;
            let purpose = Line::new(circles::FIXED).map_err(Fault::bug)?;
            let cell = Cell { label: before.label.clone(), circle: Some(circle) };
            entries.push(circles::form(cell, &circles::Formed { circle, purpose, members })?);
            Some(circle)
        }
    };
    let fact = Contained {
        spillage,
        target: Target { record: asked.record, layer: asked.layer },
        noun: Line::new(&row.kind).map_err(Fault::bug)?,
        reason: asked.reason,
        keep,
    };
    let portion = NewPortion::of(Cell { label, circle }, &fact)?;
    entries.push(NewEntry::new(floor::KIND, RecordId(spillage.0), portion));
    Ok(entries)
}

/// The cell of what is raised and the cell that stands before it now.
fn raised(on: &Deciding<'_>, asked: &Contain, row: &RecordRow) -> Result<(u32, u32), Fault> {
    let Some(id) = asked.layer else { return Ok(floor::before_of(row, None)) };
    let layers = on.views.layers(asked.record)?;
    let layer = floor::layer_of(asked.record, &layers, on.cells, id);
    let known =
        layer.filter(|layer| on.reads(&row.kind, layer.cell) && on.reads(&row.kind, layer.gate));
    let layer = known.ok_or_else(Fault::absent)?;
    Ok(floor::before_of(row, Some(layer).filter(|layer| layer.cell != row.base)))
}

/// The label that readers need by now.
fn floor_of(on: &Deciding<'_>, content: u32, gate: u32) -> Result<Cell, Fault> {
    let label = |cell| on.cells.label_of(cell).ok_or_else(|| Fault::bug("a cell has no label"));
    let label = policy::join(label(content)?, label(gate)?).map_err(Fault::bug)?;
    Ok(Cell { label, circle: on.cells.row(gate).and_then(|row| row.circle) })
}

fn raised_label(
    on: &Deciding<'_>,
    asked: &Contain,
    before: &Cell,
    own: &Cell,
) -> Result<Label, Fault> {
    let originators = own.label.originators().clone();
    let wanted = Label::new(asked.markings.clone(), originators, before.label.play())
        .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()))?;
    on.policy.check_label(&wanted)?;
    let label = policy::join(&before.label, &wanted)
        .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()))?;
    on.policy.check_label(&label)?;
    Ok(label)
}

/// Who keeps it: the agencies named, its originators, and of an earlier narrowing none but those.
fn kept(
    on: &Deciding<'_>,
    asked: &Contain,
    own: &Cell,
    narrowed: Option<CircleId>,
) -> Result<Option<BTreeSet<AgencyId>>, Fault> {
    let Some(keep) = &asked.keep else { return Ok(None) };
    if keep.len() > KEEP_MAX {
        let detail = format!("{} agencies keep it; at most {KEEP_MAX}", keep.len());
        return Err(Fault::invalid("keep-too-large", detail));
    }
    if let Some(unknown) = keep.iter().find(|id| !on.register.agencies.contains_key(*id)) {
        let detail = format!("{unknown} is no agency of this node");
        return Err(Fault::invalid("unknown-agency", detail));
    }
    let mut kept: BTreeSet<AgencyId> =
        keep.iter().chain(own.label.originators()).copied().collect();
    if let Some(circle) = narrowed {
        let before = on.register.circles.get(&circle).ok_or_else(Fault::absent)?;
        kept.retain(|agency| before.contains(&Member::Agency(*agency)));
    }
    Ok(Some(kept))
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    layer.state = Some("contained".to_owned());
    let Some(contained) = fact.read::<Contained>() else { return };
    layer.set("record", contained.target.record);
    layer.set("layer", contained.target.layer);
    layer.set("noun", contained.noun);
    layer.set("reason", contained.reason);
    layer.set("keep", contained.keep);
    layer.set("contained_at", fact.acted_at);
    layer.set("by", fact.person());
}
