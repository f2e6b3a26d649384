//! Why not, and what would have flowed: intelligence asks why the police read some of its entities
//! and not others, and replays a clause that reaches one level higher before proposing it.

use std::collections::BTreeMap;

use app::agreements::replay;
use app::kernel::question::{Answer, Asked};
use app::kernel::{Fault, Reader, why_not};
use base::RecordId;
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
        let told = ask(cast, &scene.seat, &body, why_not::answer)?;
        let base = &told["layers"][0];
        let opens = reader.knows("entity", entity.id)?;
        agree &= base["reads"] == opens;
        if !opens {
            withheld.push((entity.id, base["obstacles"][0].clone()));
        }
    }
    let what = format!("why not agrees with what the police read of {} entities", page.items.len());
    record.expect(what, agree && !page.items.is_empty());
    let near = |(_, obstacle): &(RecordId, Value)| {
        obstacle["by"] == "clause" && obstacle["near"][0]["lacks"][0]["what"] == "level"
    };
    if world.intel.is_none() {
        let what = "of what is withheld from them the clause is named that ends below it";
        record.expect(what, !withheld.is_empty() && withheld.iter().all(near));
    }
    replayed(cast, scene, (&withheld, world.intel.is_none()), record)
}

/// Replays the clause with its ceiling one level higher.
fn replayed(
    cast: &Cast,
    scene: &Clauses,
    (withheld, shipped): (&[(RecordId, Value)], bool),
    record: &mut Record,
) -> Result<(), Fault> {
    let draft = higher(cast).ok_or_else(Fault::absent)?;
    let body = json!({ "draft": draft, "days": 30 });
    let began = cast.node().now();
    let found = ask(cast, &scene.signatory, &body, replay::answer)?;
    let took_ms = cast.node().now().ms_since(began);
    let turns = |which: &str| found[which].as_array().cloned().unwrap_or_default();
    let entities = turns("starting").into_iter().filter(|turn| turn["kind"] == "entity");
    let count = entities.filter_map(|turn| turn["records"].as_u64()).sum::<u64>();
    let what = format!(
        "with a clause one level higher {count} of {} records would newly reach the police, \
         by a replay of {took_ms} ms",
        found["records"]
    );
    let all = count == withheld.len() as u64;
    record.expect(what, (all || !shipped) && turns("stopping").is_empty());
    let desk = ask(cast, &scene.reader, &body, replay::answer);
    let own = desk.map(|told| told["starting"] == json!([]));
    let what = "to whom it would flow learns by a replay of nothing that it does not read";
    record.expect(what, own?);
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

fn ask(
    cast: &Cast,
    seat: &str,
    body: &Value,
    question: fn(&Asked<'_>) -> Result<Answer, Fault>,
) -> Result<Value, Fault> {
    let node = cast.node();
    let reader = Reader::new(node, cast.actor(seat)?);
    let (query, body) = (BTreeMap::new(), body.to_string());
    match question(&Asked { node, reader, id: None, query: &query, body: body.as_bytes() })? {
        Answer::Json(value) => Ok(value),
        Answer::File { .. } => Err(Fault::bug("an answer is a file")),
    }
}
