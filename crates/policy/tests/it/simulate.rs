//! What would have flowed under a draft.

use std::collections::BTreeSet;

use policy::{Conflict, simulate};

use crate::world::{
    ARMY, FIRE, INTEL, POLICE, action, agreement, analyst, clause, epoch, label, marking, nat,
    profile, token,
};

#[test]
fn a_draft_shows_what_would_start_and_stop_and_what_no_clearance_covers() {
    let old = agreement(1, vec![clause(1, ARMY, FIRE)]);
    let draft = agreement(2, vec![clause(2, ARMY, POLICE), clause(3, INTEL, POLICE)]);
    let (before, after) = (epoch(&[&old]), epoch(&[&draft]));
    let readers = [
        profile(analyst(POLICE, 3)),
        profile(analyst(POLICE, 2)),
        profile(analyst(FIRE, 3)),
        profile(analyst(ARMY, 3)),
    ];
    let read = || action("report:read");
    let flows = vec![
        (read(), nat(2, ARMY), 40),
        (read(), nat(3, ARMY), 2),
        (read(), nat(4, ARMY), 5),
        (read(), label("NAT", marking(2, &[]), &[ARMY, INTEL]), 3),
        (read(), nat(2, POLICE), 1_000),
    ];
    let found = simulate(&before, &after, &readers, &token("PROTECTION"), flows);
    let pairs = |changes: &[policy::Change]| -> Vec<_> {
        changes.iter().map(|c| (c.originator, c.reader, c.records)).collect()
    };
    assert_eq!(pairs(&found.starting), [(ARMY, POLICE, 45), (INTEL, POLICE, 3)]);
    assert_eq!(pairs(&found.stopping), [(ARMY, FIRE, 42)]);
    let cited = |n: usize| BTreeSet::from([draft.clause_ref(&draft.clauses[n])]);
    assert_eq!(found.starting[0].clauses, &cited(0) | &cited(1));
    assert_eq!(found.stopping[0].clauses, BTreeSet::from([old.clause_ref(&old.clauses[0])]));
    let conflict = Conflict {
        reader: POLICE,
        action: read(),
        label: nat(4, ARMY),
        records: 5,
        clauses: cited(0),
    };
    assert_eq!(found.conflicts, [conflict], "offered, but nobody there is cleared");
}

#[test]
fn the_same_policy_changes_nothing() {
    let signed = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let flows = (1..=5).map(|level| (action("report:read"), nat(level, ARMY), 1));
    let readers = [profile(analyst(POLICE, 4)), profile(analyst(FIRE, 4))];
    let epochs = (epoch(&[&signed]), epoch(&[&signed]));
    let found = simulate(&epochs.0, &epochs.1, &readers, &token("PROTECTION"), flows);
    assert_eq!(found, policy::Simulation::default());
}
