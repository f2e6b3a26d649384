//! Drawings: what people draw on the common picture: points, lines, areas and circles.
//!
//! A drawing lies in nobody's circle, or in that of one operation: then the agencies that are in it
//! read it, under the clauses that let it reach them. A revision replaces all that is drawn; the
//! versions before stay on the record.

use std::collections::BTreeMap;

use base::{Lat, Line, Lon, Marking, OperationId, RecordId, SchemeId};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::kernel::reader::conflict;
use crate::kernel::{
    Action, Capability, Cell, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion,
};
use crate::operations;

pub mod http;

base::id!(/// Names one drawing.
    DrawingId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "drawings",
    noun: "drawing",
    kinds: &["drawing.made/1", "drawing.revised/1", "drawing.withdrawn/1"],
    actions: &[act_of("drawing:make"), act_of("drawing:revise"), act_of("drawing:withdraw")],
    routes: http::ROUTES,
    urgent: false,
    registers: false,
    policy: include_str!("policy.cedar"),
    tables: "",
    act,
    fold,
    index: |_, _| Ok(()),
    register: |_, _| {},
    react: |_| Vec::new(),
};

const fn act_of(name: &'static str) -> Action {
    Action { name, lane: Lane::Normal, class: Class::Own, duty: false, signed: false }
}

/// Features of one drawing.
pub const FEATURES_MAX: usize = 200;
/// Positions of one drawing, over all its features.
pub const POSITIONS_MAX: usize = 4000;
/// LIMIT: metres of a circle's radius.
pub const RADIUS_M_MAX: f64 = 2_000_000.0;

/// What a caller asks; the path of the route may fill a field.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Make {
        title: Line<160>,
        markings: BTreeMap<SchemeId, Marking>,
        features: Vec<Feature>,
        operation: Option<OperationId>,
    },
    Revise(Revised),
    Withdraw(Withdrawn),
}

/// Longitude and latitude in degrees of WGS 84, in this order (RFC 7946, 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position(pub Lon, pub Lat);

/// How the positions of a feature are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One position.
    Point,
    /// Two or more positions, in order.
    Line,
    /// Three or more corners; the last is joined to the first and not said twice.
    Area,
    /// One position and a radius.
    Circle,
}

/// One thing that was drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    pub kind: Shape,
    pub at: Vec<Position>,
    /// Metres, of circles alone.
    pub radius_m: Option<f64>,
    pub text: Option<Line<120>>,
    /// The symbol of a point.
    pub sidc: Option<Sidc>,
}

/// A symbol's identification code: 20 or 30 digits (MIL-STD-2525D, 5.1; APP-6D, annex A).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sidc(String);

impl<'de> Deserialize<'de> for Sidc {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if digits && matches!(code.len(), 20 | 30) {
            return Ok(Self(code));
        }
        Err(serde::de::Error::custom("a symbol's code has 20 or 30 digits"))
    }
}

/// A drawing was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub drawing: DrawingId,
    pub title: Line<160>,
    pub features: Vec<Feature>,
    /// The operation whose agencies it is for.
    pub operation: Option<OperationId>,
}

/// All that a drawing shows was replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revised {
    pub drawing: DrawingId,
    /// Absent where the title stays.
    pub title: Option<Line<160>>,
    pub features: Vec<Feature>,
}

/// A drawing is no longer shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    pub drawing: DrawingId,
    pub reason: Line<160>,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Make { title, markings, features, operation } => {
            check(&features)?;
            let drawing = DrawingId::draw(&mut on.ids);
            let cell = cell_for(operation, markings, on)?;
            let made = Made { drawing, title, features, operation };
            let portion = NewPortion::of(cell, &made)?;
            Ok(vec![NewEntry::new("drawing.made/1", RecordId(drawing.0), portion)])
        }
        Command::Revise(revised) => {
            check(&revised.features)?;
            let record = RecordId(revised.drawing.0);
            let cell = shown_cell(record, on)?;
            Ok(vec![NewEntry::new("drawing.revised/1", record, NewPortion::of(cell, &revised)?)])
        }
        Command::Withdraw(withdrawn) => {
            let record = RecordId(withdrawn.drawing.0);
            let cell = shown_cell(record, on)?;
            let portion = NewPortion::of(cell, &withdrawn)?;
            Ok(vec![NewEntry::new("drawing.withdrawn/1", record, portion)])
        }
    }
}

/// The cell of a new drawing: in the circle of its operation, which it may not tell of below its
/// label.
fn cell_for(
    operation: Option<OperationId>,
    markings: BTreeMap<SchemeId, Marking>,
    on: &Deciding<'_>,
) -> Result<Cell, Fault> {
    let own = on.actor.agency;
    let Some(operation) = operation else { return on.cell(markings, own, None) };
    let circle = on.known(RecordId(operation.0), "operation")?.circle;
    let cell = on.cell(markings, own, circle)?;
    operations::covers(operation, &cell.label, &[own], on)?;
    Ok(cell)
}

/// The cell of a drawing that is shown and that the actor may change.
fn shown_cell(record: RecordId, on: &Deciding<'_>) -> Result<Cell, Fault> {
    let cell = on.base_of(record, "drawing")?;
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some("withdrawn")) {
        return Err(conflict("drawing-withdrawn", "the drawing was withdrawn"));
    }
    Ok(cell)
}

fn check(features: &[Feature]) -> Result<(), Fault> {
    let positions: usize = features.iter().map(|feature| feature.at.len()).sum();
    if features.is_empty() || features.len() > FEATURES_MAX || positions > POSITIONS_MAX {
        let detail = format!(
            "a drawing has 1 to {FEATURES_MAX} features with at most {POSITIONS_MAX} positions"
        );
        return Err(Fault::invalid("drawing-size", detail));
    }
    match features.iter().position(|feature| !stands(feature)) {
        Some(at) => {
            let detail = format!(
                "feature {at}: a point has one position, a line two or more, an area three or \
                 more, a circle one and a radius of up to {RADIUS_M_MAX} m; points have symbols"
            );
            Err(Fault::invalid("invalid-feature", detail))
        }
        None => Ok(()),
    }
}

fn stands(feature: &Feature) -> bool {
    let positions = feature.at.len();
    let enough = match feature.kind {
        Shape::Point | Shape::Circle => positions == 1,
        Shape::Line => positions >= 2,
        Shape::Area => positions >= 3,
    };
    let radius = match (feature.kind, feature.radius_m) {
        (Shape::Circle, Some(metres)) => metres > 0.0 && metres <= RADIUS_M_MAX,
        (Shape::Circle, None) | (_, Some(_)) => false,
        (_, None) => true,
    };
    enough && radius && (feature.sidc.is_none() || feature.kind == Shape::Point)
}

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "drawing.made/1" => {
            layer.state = Some("shown".to_owned());
            let Some(made) = fact.read::<Made>() else { return };
            layer.operation = made.operation;
            layer.set("title", made.title);
            layer.set("features", made.features);
            layer.set("operation", made.operation);
            layer.set("version", 1);
        }
        "drawing.revised/1" => {
            let Some(revised) = fact.read::<Revised>() else { return };
            if let Some(title) = revised.title {
                layer.set("title", title);
            }
            let before = layer.body.get("version").and_then(serde_json::Value::as_u64);
            layer.set("features", revised.features);
            layer.set("version", before.unwrap_or(1).saturating_add(1));
            layer.set("revised_at", fact.acted_at);
        }
        _ => {
            layer.state = Some("withdrawn".to_owned());
            if let Some(withdrawn) = fact.read::<Withdrawn>() {
                layer.set("withdrawn", withdrawn.reason);
            }
        }
    }
}
