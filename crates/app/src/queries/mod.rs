//! Standing queries: what somebody keeps looking for, and how much of it is new.
//!
//! A query lies in a circle of its owner alone. What it finds is searched anew each time it is
//! asked: keeping a query gives no reading, and nobody else learns of it.

use std::collections::BTreeMap;

use base::{CircleId, Line, Marking, NonEmpty, RecordId, SchemeId, Time};
use policy::Class;
use serde::{Deserialize, Serialize};

use crate::circles;
use crate::kernel::reader::conflict;
use crate::kernel::register::Member;
use crate::kernel::{
    Action, Capability, Deciding, Fact, Fault, Lane, Layer, NewEntry, NewPortion, search,
};

mod find;
pub mod http;

base::id!(/// Names one standing query.
    QueryId);

/// The capability.
pub const CAPABILITY: Capability = Capability {
    name: "queries",
    noun: NOUN,
    kinds: &["query.kept/1", "query.seen/1", "query.removed/1"],
    actions: &[
        act_of("query:keep"),
        act_of("query:see"),
        act_of("query:remove"),
        act_of("query:ask"),
    ],
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

const NOUN: &str = "query";

/// What a caller asks; the path of the route may fill a field.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Keep { name: Line<80>, query: Line<800>, markings: BTreeMap<SchemeId, Marking> },
    See(Named),
    Remove(Named),
}

/// A query is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub query: QueryId,
    pub name: Line<80>,
    /// In the language of the search box (`docs/search.md`), at most 200 characters.
    pub text: Line<800>,
}

/// What it found was seen, or it is kept no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub query: QueryId,
}

fn act(command: &[u8], on: &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    match on.parse(command)? {
        Command::Keep { name, query: text, markings } => {
            search::check(text.as_str())?;
            let Some(person) = on.actor.person else {
                let detail = "a standing query is a person's own";
                return Err(Fault::new(base::Kind::Denied, "denied", detail));
            };
            let query = QueryId::draw(&mut on.ids);
            let circle = CircleId::draw(&mut on.ids);
            let cell = on.cell(markings, on.actor.agency, Some(circle))?;
            let formed = circles::Formed {
                circle,
                purpose: Line::new("query").map_err(Fault::bug)?,
                members: NonEmpty::one(Member::Person(person)),
            };
            let formed = circles::form(cell.clone(), &formed)?;
            let portion = NewPortion::of(cell, &Kept { query, name, text })?;
            let kept = NewEntry::new("query.kept/1", RecordId(query.0), portion);
            Ok(vec![formed, kept])
        }
        Command::See(named) => change("query.seen/1", &named, on),
        Command::Remove(named) => change("query.removed/1", &named, on),
    }
}

fn change(kind: &'static str, named: &Named, on: &Deciding<'_>) -> Result<Vec<NewEntry>, Fault> {
    let record = RecordId(named.query.0);
    let cell = on.base_of(record, NOUN)?;
    let layers = on.views.layers(record)?;
    if layers.iter().any(|layer| layer.columns.state.as_deref() == Some(REMOVED)) {
        return Err(conflict("query-removed", "the query is kept no more"));
    }
    Ok(vec![NewEntry::new(kind, record, NewPortion::of(cell, named)?)])
}

const REMOVED: &str = "removed";

fn fold(fact: &Fact<'_>, layer: &mut Layer) {
    match fact.kind {
        "query.kept/1" => {
            layer.state = Some("kept".to_owned());
            if let Some(kept) = fact.read::<Kept>() {
                layer.set("name", kept.name);
                layer.set("query", kept.text);
                layer.set("kept_at", fact.acted_at);
            }
        }
        "query.seen/1" => {
            if fact.read::<Named>().is_some() {
                layer.set("seen_at", fact.acted_at);
            }
        }
        _ => {
            layer.state = Some(REMOVED.to_owned());
            if fact.read::<Named>().is_some() {
                layer.set("removed_at", fact.acted_at);
            }
        }
    }
}

/// The text of a query and since when what it finds is new; absent where they were erased.
fn said(body: &serde_json::Map<String, serde_json::Value>) -> Option<(String, Time)> {
    let text = body.get("query")?.as_str()?.to_owned();
    let since = body.get("seen_at").or_else(|| body.get("kept_at"))?;
    Some((text, since.as_str()?.parse().ok()?))
}
