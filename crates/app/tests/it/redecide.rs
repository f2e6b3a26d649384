//! Deciding again: given a log, when it is decided again, then each entry is named that differs.

use app::capabilities;
use app::kernel::Capability;
use app::kernel::redecide::{Differs, Redecided, Verdict, redecide};
use serde_json::json;
use testkit::World;
use testkit::world::{Being, marking};

const DESK: Being<'static> =
    Being { level: 4, compartments: &[], roles: &["DUTY", "SIGNATORY", "INSPECTOR"] };

fn world() -> World {
    let world = World::new();
    let agencies = ["POL", "FIRE"].map(|code| world.agency(code));
    let desks = agencies.map(|agency| world.person(agency, &DESK));
    world.charter(&agencies);
    let flows: &[testkit::world::Flow<'_>] =
        &[(&agencies, &agencies, &["alert:read", "circle:read"], 5)];
    let agreement = world.enact(&world.agreement(&agencies, flows), &desks);
    let raise = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "ROUTINE", "title": "title",
        "text": "text", "audience": [desks[1].agency], "options": ["yes"], "place": null
    });
    let alert = world.act(desks[0], "alert:raise", &raise).expect("an alert").record;
    world.clock.advance_s(5);
    let answer = json!({ "do": "acknowledge", "alert": alert, "option": 0, "note": null });
    world.act(desks[1], "alert:acknowledge", &answer).expect("answered");
    let suspend = json!({ "do": "suspend", "agreement": agreement, "reason": "breach" });
    world.act(desks[1], "agreement:suspend", &suspend).expect("suspended");
    world
}

fn decided(world: &World, capabilities: &'static [&'static Capability]) -> Vec<Redecided> {
    let mut all = Vec::new();
    let size = world.node().core().head.size;
    let node = world.node();
    redecide(node.log(), node.keys(), capabilities, size, |one| all.push(one)).expect("decided");
    assert_eq!(all.len() as u64, size);
    all
}

#[test]
fn every_entry_of_an_honest_log_comes_out_the_same() {
    let mut world = world();
    for one in decided(&world, capabilities::ALL) {
        assert_eq!(one.verdict, Verdict::Same, "{} {}", one.sequence, one.kind);
    }
    world.restart();
    let more = json!({
        "do": "add", "agency": base::AgencyId([5; 16]), "name": "More", "code": "MORE",
        "parent": null, "markings": marking(1, &[])
    });
    world.found(base::AgencyId([5; 16]), "agency:add", &more).expect("an agency");
    for one in decided(&world, capabilities::ALL) {
        assert_eq!(one.verdict, Verdict::Same, "{} {} later", one.sequence, one.kind);
    }
}

/// The product without the rules of one capability.
static OTHER: &[&Capability] = &[
    &app::kernel::epoch::CAPABILITY,
    &app::kernel::anchor::CAPABILITY,
    &app::agencies::CAPABILITY,
    &app::people::CAPABILITY,
    &app::circles::CAPABILITY,
    &app::agreements::CAPABILITY,
    &app::alerts::CAPABILITY,
];

#[test]
fn an_entry_that_was_decided_under_other_rules_is_named() {
    let world = world();
    for one in decided(&world, OTHER) {
        let Verdict::Different(differs) = &one.verdict else {
            panic!("{} {} is the same", one.sequence, one.kind)
        };
        assert!(differs.contains(&Differs::Rules));
        assert!(!differs.contains(&Differs::Profile), "people are the same");
    }
}
