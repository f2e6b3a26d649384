//! The lattice of labels, and who may read.

use std::collections::{BTreeMap, BTreeSet};

use base::label::Cleared;
use base::{Clearance, ExerciseId, Label, Level, Marking, Play, Releasable, Token};
use policy::{Error, Shortfall, high_water, join, join_all, leq, readable, shortfalls};
use proptest::prelude::*;

use crate::world::{
    AGENCIES, ARMY, POLICE, clearance, label, marking, nat, released, scheme, tokens,
};

pub fn codes(from: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<Token>> {
    prop::sample::subsequence(from, 0..=from.len()).prop_map(|codes| tokens(&codes))
}

pub const COMPARTMENTS: &[&str] = &["KESTREL", "TIDEWATER", "LANTERN"];
pub const AUDIENCES: &[&str] = &["FRA", "DEU", "ARMY"];

pub fn any_audience() -> impl Strategy<Value = Releasable> {
    prop_oneof![
        2 => Just(Releasable::Unrestricted),
        3 => codes(AUDIENCES).prop_map(Releasable::Only)
    ]
}

fn any_marking() -> impl Strategy<Value = Marking> {
    let caveats = codes(&["ORCON", "SOURCE"]);
    (1u8..=5, codes(COMPARTMENTS), any_audience(), caveats).prop_map(
        |(level, compartments, releasable_to, caveats)| Marking {
            level: Level(level),
            compartments,
            releasable_to,
            caveats,
        },
    )
}

/// Labels of one play, so that every two join.
fn any_label() -> impl Strategy<Value = Label> {
    let schemes = prop::sample::subsequence(vec!["NAT", "NATO", "UK"], 1..=3);
    let markings = schemes.prop_flat_map(|ids| {
        ids.into_iter()
            .map(|id| any_marking().prop_map(move |marking| (scheme(id), marking)))
            .collect::<Vec<_>>()
    });
    let originators = prop::sample::subsequence(AGENCIES.to_vec(), 1..=3);
    (markings, originators).prop_map(|(markings, originators)| {
        let markings: BTreeMap<_, _> = markings.into_iter().collect();
        Label::new(markings, originators.into_iter().collect(), Play::Live).expect("a label")
    })
}

fn any_clearance() -> impl Strategy<Value = Clearance> {
    let cleared = (1u8..=5, codes(COMPARTMENTS))
        .prop_map(|(level, compartments)| Cleared { level: Level(level), compartments });
    let schemes = prop::collection::btree_map(
        prop::sample::select(vec![scheme("NAT"), scheme("NATO"), scheme("UK")]),
        cleared,
        0..=3,
    );
    (schemes, codes(AUDIENCES)).prop_map(|(schemes, audiences)| Clearance {
        schemes,
        audiences,
        exercises: BTreeSet::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn join_is_commutative(a in any_label(), b in any_label()) {
        prop_assert_eq!(join(&a, &b).expect("a join"), join(&b, &a).expect("a join"));
    }

    #[test]
    fn join_is_associative(a in any_label(), b in any_label(), c in any_label()) {
        let left = join(&join(&a, &b).expect("a join"), &c).expect("a join");
        let right = join(&a, &join(&b, &c).expect("a join")).expect("a join");
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(join_all([&a, &b, &c]).expect("a join"), left);
    }

    #[test]
    fn join_is_idempotent(a in any_label()) {
        prop_assert_eq!(join(&a, &a).expect("a join"), a);
    }

    #[test]
    fn join_is_the_least_upper_bound(a in any_label(), b in any_label(), c in any_label()) {
        let joined = join(&a, &b).expect("a join");
        prop_assert!(leq(&a, &joined) && leq(&b, &joined), "an upper bound");
        let above = join(&joined, &c).expect("a join");
        prop_assert!(leq(&joined, &above));
        if leq(&a, &c) && leq(&b, &c) {
            prop_assert!(leq(&joined, &c), "the least one");
        }
    }

    #[test]
    fn order_and_join_agree(a in any_label(), b in any_label()) {
        prop_assert_eq!(leq(&a, &b), join(&a, &b).expect("a join") == b);
        if leq(&a, &b) && leq(&b, &a) {
            prop_assert_eq!(a, b, "antisymmetric");
        }
    }

    #[test]
    fn order_is_transitive(a in any_label(), b in any_label(), c in any_label()) {
        let (b, c) = (join(&a, &b).expect("b"), join(&join(&a, &b).expect("b"), &c).expect("c"));
        prop_assert!(leq(&a, &b) && leq(&b, &c) && leq(&a, &c));
    }

    #[test]
    fn who_reads_a_label_reads_every_lower_one(
        a in any_label(), b in any_label(), c in any_clearance()
    ) {
        let high = join(&a, &b).expect("a join");
        if readable(&c, &high) {
            prop_assert!(readable(&c, &a) && readable(&c, &b));
        }
        if leq(&a, &b) && readable(&c, &b) {
            prop_assert!(readable(&c, &a));
        }
    }

    #[test]
    fn a_shortfall_is_named_exactly_when_a_label_is_not_readable(
        a in any_label(), c in any_clearance()
    ) {
        prop_assert_eq!(readable(&c, &a), shortfalls(&c, &a).is_empty());
    }

    #[test]
    fn nobody_reads_what_is_releasable_to_nobody(a in any_label(), c in any_clearance()) {
        let nobody = label("NAT", released(1, &[]), &[POLICE]);
        prop_assert!(!readable(&c, &nobody));
        let joined = join(&a, &nobody).expect("a join");
        prop_assert!(!readable(&c, &joined), "nor anything made from it");
    }
}

#[test]
fn none_and_the_empty_set_are_different() {
    let everybody = clearance("NAT", 5, COMPARTMENTS, &["FRA", "DEU"]);
    let stranger = clearance("NAT", 5, COMPARTMENTS, &[]);
    let (open, nobody) = (nat(1, POLICE), label("NAT", released(1, &[]), &[POLICE]));
    assert!(readable(&everybody, &open) && readable(&stranger, &open));
    assert!(!readable(&everybody, &nobody) && !readable(&stranger, &nobody));
    assert!(leq(&open, &nobody) && !leq(&nobody, &open), "nobody is above everybody");
    let disjoint = join(
        &label("NAT", released(1, &["FRA"]), &[POLICE]),
        &label("NAT", released(1, &["DEU"]), &[POLICE]),
    )
    .expect("a join");
    assert_eq!(disjoint, nobody, "an empty intersection is nobody, not everybody");
}

#[test]
fn every_mandatory_rule_bars_alone() {
    let reader = clearance("NAT", 4, &["KESTREL"], &["FRA"]);
    assert!(readable(&reader, &label("NAT", marking(4, &["KESTREL"]), &[POLICE])));
    let exercise = Play::Exercise(ExerciseId([1; 16]));
    let played = Label::simple(scheme("NAT"), marking(1, &[]), POLICE, exercise);
    let nat = || scheme("NAT");
    for (label, expected) in [
        (label("NATO", marking(1, &[]), &[POLICE]), Shortfall::Scheme(scheme("NATO"))),
        (
            nat_label(marking(5, &[])),
            Shortfall::Level { scheme: nat(), needed: Level(5), held: Level(4) },
        ),
        (
            nat_label(marking(4, &["KESTREL", "LANTERN"])),
            Shortfall::Compartments { scheme: nat(), missing: tokens(&["LANTERN"]) },
        ),
        (nat_label(released(1, &["DEU"])), Shortfall::Audience { scheme: nat() }),
        (played.clone(), Shortfall::Play),
    ] {
        assert_eq!(shortfalls(&reader, &label), [expected]);
    }
    let taking_part = Clearance { exercises: BTreeSet::from([ExerciseId([1; 16])]), ..reader };
    assert!(readable(&taking_part, &played));
}

fn nat_label(marking: Marking) -> Label {
    label("NAT", marking, &[POLICE])
}

#[test]
fn a_product_bears_at_least_the_join_of_what_it_cites() {
    let (low, high) = (nat(2, POLICE), label("NAT", marking(4, &["KESTREL"]), &[ARMY]));
    let mark = high_water(&low, [&high]).expect("a join");
    assert_eq!(mark, label("NAT", marking(4, &["KESTREL"]), &[POLICE, ARMY]));
    assert_eq!(high_water(&low, []).expect("a join"), low);
}

#[test]
fn different_plays_do_not_join() {
    let exercise = Play::Exercise(ExerciseId([1; 16]));
    let played = Label::simple(scheme("NAT"), marking(1, &[]), POLICE, exercise);
    assert!(matches!(join(&nat(1, POLICE), &played), Err(Error::Plays)));
    assert!(!leq(&nat(1, POLICE), &played) && !leq(&played, &nat(1, POLICE)));
    assert!(matches!(join_all([]), Err(Error::NothingToJoin)));
}

#[test]
fn a_join_keeps_the_limits_of_a_label() {
    let many = |of: std::ops::Range<u8>| {
        let markings: BTreeMap<_, _> =
            of.map(|n| (scheme(&format!("S{n}")), marking(1, &[]))).collect();
        Label::new(markings, BTreeSet::from([POLICE]), Play::Live).expect("a label")
    };
    assert!(join(&many(0..2), &many(2..4)).is_ok(), "four markings");
    assert!(matches!(join(&many(0..3), &many(2..5)), Err(Error::Label(_))), "five markings");
}
