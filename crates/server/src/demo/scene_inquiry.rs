//! The inquiry: an inspector asks who knew of the alert at an instant, takes the signed bundle, and
//! it is verified by the same code as `muster verify --bundle`.

use std::collections::{BTreeMap, BTreeSet};

use app::inquiries::bundle;
use app::inquiries::findings::{Findings, find};
use app::kernel::question::{Answer, Asked};
use app::kernel::{Fault, Reader};
use base::{AgencyId, RecordId, Time};
use serde_json::json;

use super::cast::Cast;
use super::founding::marking;
use super::record::Record;
use super::world::World;
use crate::layout::verifier_keys;
use crate::verify::check;

/// What the play had come to at the instant.
pub struct Asking {
    pub alert: RecordId,
    /// By the ledger's own time.
    pub instant: Time,
    /// The seats that had answered by then.
    pub answered: Vec<String>,
}

/// Performs the scene; gives the bundle.
///
/// # Errors
/// What an act or a question was refused with that must not be.
pub fn perform(
    cast: &Cast,
    world: &World,
    asking: &Asking,
    record: &mut Record,
) -> Result<Vec<u8>, Fault> {
    let scene = &world.play.inquiry;
    let command = json!({
        "do": "open", "markings": marking(scene.level, &BTreeSet::new()),
        "subject": asking.alert, "instant": asking.instant, "reason": scene.reason
    });
    let desk = cast.act(&world.play.declaration.seat, "inquiry:open", &command);
    record.expect("a duty officer may not inquire", desk.is_err());
    let inquiry = cast.act(&scene.seat, "inquiry:open", &command)?.record;
    let found = ask(cast, &scene.seat, inquiry, |asked| Ok(find(asked)?.findings))?;
    who_knew(cast, world, (asking, &found), record);
    let answer = ask(cast, &scene.seat, inquiry, bundle::answer)?;
    let Answer::File { bytes, .. } = answer else {
        return Err(Fault::bug("a bundle is no file"));
    };
    verified(cast, &bytes, record)?;
    let again = ask(cast, &scene.seat, inquiry, |asked| Ok(find(asked)?.findings))?;
    let own = again.reads.iter().any(|read| {
        read.kind == app::kernel::access::AccessKind::Exported
            && read.person == cast.holder(&scene.seat).ok()
    });
    record.expect("the inspector's own export stands in the access log", own);
    Ok(bytes)
}

fn ask<T>(
    cast: &Cast,
    seat: &str,
    inquiry: RecordId,
    question: impl Fn(&Asked<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let node = cast.node();
    let reader = Reader::new(node, cast.actor(seat)?);
    let query = BTreeMap::new();
    let path = &query;
    question(&Asked { node, reader, id: Some(inquiry), query: &query, path, body: &[], media: "" })
}

/// What is found of one agency: available, acknowledged, and whether a clause was missing.
fn of(found: &Findings, agency: AgencyId) -> (bool, bool, bool) {
    let people = || found.people.iter().filter(|person| person.agency == agency);
    let others = || found.agencies.iter().filter(|other| other.agency == agency);
    let clause = |by: &str| by == "clause";
    (
        people().any(|p| p.available) || others().any(|a| a.available),
        people().any(|p| p.acknowledged.is_some()) || others().any(|a| a.acknowledged.is_some()),
        people().any(|p| p.withheld.as_ref().is_some_and(|w| clause(&w.by)))
            || others().any(|a| a.withheld.as_ref().is_some_and(|w| clause(&w.by))),
    )
}

fn who_knew(
    cast: &Cast,
    world: &World,
    (asking, found): (&Asking, &Findings),
    record: &mut Record,
) {
    let agency = |code: &str| cast.founded().agency(code);
    let answered: BTreeSet<&str> = asking
        .answered
        .iter()
        .filter_map(|seat| world.seat(seat).map(|(agency, _)| agency.code.as_str()))
        .collect();
    let as_played = world.agencies.iter().all(|known| {
        let (_, acknowledged, _) = of(found, agency(&known.code));
        acknowledged == answered.contains(known.code.as_str())
    });
    let count = answered.len();
    let what = format!("the inquiry finds the {count} agencies that had answered, nobody else");
    record.expect(what, as_played);
    let scene = &world.play.declaration;
    let (available, acknowledged, _) = of(found, agency(&scene.deaf));
    let what = format!("{} could read the alert then and had not answered", scene.deaf);
    record.expect(what, available && !acknowledged);
    for code in &scene.unreached {
        let (available, _, clause) = of(found, agency(code));
        let what = format!("from {code} it was withheld for want of a clause");
        record.expect(what, !available && clause);
    }
}

fn verified(cast: &Cast, bytes: &[u8], record: &mut Record) -> Result<(), Fault> {
    let node = cast.node();
    // The file with its keys is named after the host, as the node is up to its last part.
    let name = &node.config().name;
    let host = name.strip_suffix("/muster").unwrap_or(name);
    let trust = verifier_keys(host, node.keys()).map_err(Fault::bug)?;
    let checked = check(bytes, &trust);
    for fault in &checked.faults {
        tracing::error!(%fault, "the bundle does not verify");
    }
    let what = format!("its bundle verifies offline, {} findings proved", checked.proved);
    record.expect(what, checked.faults.is_empty() && checked.proved > 0);
    let mut changed = bytes.to_vec();
    // Rows of open streams have a field of this name, too; in the findings it is a list.
    let needle = b"\"people\":[";
    let place = changed.windows(needle.len()).position(|part| part == needle);
    if let Some(byte) = place.and_then(|place| changed.get_mut(place + 1)) {
        *byte ^= 1;
    }
    let faults = check(&changed, &trust).faults;
    let named = faults.len() == 1 && faults.iter().all(|fault| fault.part == "findings.json");
    record.expect("a changed byte of it is found, and its part is named", named);
    Ok(())
}
