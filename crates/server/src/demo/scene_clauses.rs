//! Why not, and what would have flowed: intelligence asks why the police read some of its entities
//! and not others, and replays a clause that reaches one level higher before proposing it.

use std::collections::BTreeMap;

use app::agreements::replay;
use app::kernel::near::Lack;
use app::kernel::question::Asked;
use app::kernel::why_not::{self, Told};
use app::kernel::{Fault, Reader};
use policy::Agreement;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::Cast;
use super::record::Record;
use super::world::World;

/// Who asks, and about whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clauses {
    seat: String,
    /// Who may propose for the same agency.
    signatory: String,
    /// Whose agency the clause gives to.
    reader: String,
}

impl Clauses {
    /// The seats that it names.
    pub fn seats(&self) -> [&String; 3] {
        [&self.seat, &self.signatory, &self.reader]
    }
}

/// The action that the clause is about.
const READ: &str = "entity:read";

/// Performs the scene, after that of the entities.
///
/// # Errors
/// What a question was refused with that must not be.
pub fn perform(cast: &Cast, world: &World, record: &mut Record) -> Result<(), Fault> {
    let scene = &world.play.clauses;
    let reader = Reader::new(cast.node(), cast.actor(&scene.reader)?);
    let agency = reader.actor().agency;
    let held = Reader::new(cast.node(), cast.actor(&scene.seat)?);
    let page = held.list("entity", None, base::limit::PAGE_RECORDS)?;
    let (mut agree, mut withheld) = (true, Vec::new());
    for entity in &page.items {
        let body = json!({ "record": { "kind": "entity", "id": entity.id }, "agency": agency });
        let told = ask(cast, &scene.seat, &body, why_not::find)?.layers.into_iter().next();
        let told = told.ok_or_else(Fault::absent)?;
        let opens = reader.knows("entity", entity.id)?;
        agree &= told.reads == opens;
        if !opens {
            withheld.push(told);
        }
    }
    let what = format!("why not agrees with what the police read of {} entities", page.items.len());
    record.expect(what, agree && !page.items.is_empty());
    if world.intel.is_none() {
        let what = "of what is withheld from them the clause is named that ends below it";
        record.expect(what, !withheld.is_empty() && withheld.iter().all(ends_below));
    }
    let withheld = world.intel.is_none().then_some(withheld.len());
    replayed(cast, scene, withheld, record)
}

/// Whether a clause comes near and ends at a lower level.
fn ends_below(told: &Told) -> bool {
    let near = told.obstacles.iter().flat_map(|obstacle| &obstacle.near);
    near.flat_map(|near| &near.lacks).any(|lack| matches!(lack, Lack::Level { .. }))
}

/// Replays the clause with its ceiling one level higher.
fn replayed(
    cast: &Cast,
    scene: &Clauses,
    withheld: Option<usize>,
    record: &mut Record,
) -> Result<(), Fault> {
    let draft = higher(cast).ok_or_else(Fault::absent)?;
    let body = json!({ "draft": draft, "days": 30 });
    let began = cast.node().now();
    let found = ask(cast, &scene.signatory, &body, replay::find)?;
    let took_ms = cast.node().now().ms_since(began);
    let entities = found.starting.iter().filter(|turn| turn.kind == "entity");
    let count: u64 = entities.map(|turn| turn.records).sum();
    let what = format!(
        "with a clause one level higher {count} of {} records would newly reach the police, \
         by a replay of {took_ms} ms",
        found.records
    );
    // What another file holds may lie higher still.
    let all = withheld.is_none_or(|withheld| count == withheld as u64);
    record.expect(what, all && found.stopping.is_empty());
    let told = ask(cast, &scene.reader, &body, replay::find)?;
    let what = "to whom it would flow learns by a replay of nothing that it does not read";
    record.expect(what, told.starting.is_empty());
    Ok(())
}

/// The next version of the agreement that lets entities flow, one level higher.
fn higher(cast: &Cast) -> Option<Agreement> {
    let core = cast.node().core();
    let known = core.register.agreements.values().filter_map(|known| known.in_force.clone());
    let gives = |clause: &policy::Clause| clause.actions.iter().any(|a| a.as_str() == READ);
    let mut draft = known.into_iter().find(|text| text.clauses.iter().any(gives))?;
    draft.version += 1;
    for clause in draft.clauses.iter_mut().filter(|clause| gives(clause)) {
        clause.version = draft.version;
        for ceiling in clause.limits.ceilings.values_mut() {
            ceiling.level.0 += 1;
        }
    }
    Some(draft)
}

fn ask<T>(
    cast: &Cast,
    seat: &str,
    body: &Value,
    question: fn(&Asked<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let node = cast.node();
    let reader = Reader::new(node, cast.actor(seat)?);
    let (query, body) = (BTreeMap::new(), body.to_string());
    let (path, body) = (&query, body.as_bytes());
    question(&Asked { node, reader, id: None, query: &query, path, body, media: "" })
}
