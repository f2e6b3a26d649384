//! Readable sets, direct decisions, the whole set and the oracle agree; rights are monotone.

use std::collections::{BTreeMap, BTreeSet};

use base::label::Cleared;
use base::{Clearance, ExerciseId, Label, Level, Marking, NonEmpty, Play, Token};
use policy::{
    Agreement, Attributes, Ceiling, Clause, Discloses, Effect, Grantee, LabelTable, Limits,
    PolicyEpoch, Profile, ReadableSets, Readers, Roles, Window, covering, decide, decide_whole,
    leq, reach,
};
use proptest::prelude::*;

use crate::dominance::{AUDIENCES, any_audience, codes};
use crate::oracle::Question;
use crate::world::{
    AGENCIES, ARMY, FIRE, For, INTEL, POLICE, RULES, action, agreement, at, compile_at, profile,
    scheme, token,
};

const COMPARTMENTS: &[&str] = &["KESTREL", "LANTERN"];
const NATO_COMPARTMENTS: &[&str] = &["ATOMAL"];
const ROLES: &[&str] = &["ANALYST", "WATCH"];
const COURSES: &[&str] = &["SOURCES"];
const NOW_MS: i64 = 50;
const EXERCISE: ExerciseId = ExerciseId([77; 16]);

fn compartments(id: &'static str) -> &'static [&'static str] {
    if id == "NAT" { COMPARTMENTS } else { NATO_COMPARTMENTS }
}

fn some_schemes() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![3 => Just(vec!["NAT"]), 1 => Just(vec!["NATO"]), 2 => Just(vec!["NAT", "NATO"])]
}

fn window() -> impl Strategy<Value = Window> {
    let span = |from, to| Window { starts_at: at(from), ends_at: at(to) };
    prop_oneof![6 => Just(span(0, 100)), 1 => Just(span(0, NOW_MS)), 1 => Just(span(NOW_MS, 60)),
        1 => Just(span(60, 100))]
}

fn any_label() -> impl Strategy<Value = Label> {
    let marking = |id: &'static str| {
        let caveats = codes(&["ORCON"]);
        (1u8..=5, codes(compartments(id)), any_audience(), caveats).prop_map(
            move |(level, compartments, releasable_to, caveats)| {
                let level = Level(level);
                (scheme(id), Marking { level, compartments, releasable_to, caveats })
            },
        )
    };
    let markings =
        some_schemes().prop_flat_map(move |ids| ids.into_iter().map(marking).collect::<Vec<_>>());
    let originators = prop::sample::subsequence(AGENCIES.to_vec(), 1..=2);
    let play = prop_oneof![4 => Just(Play::Live), 1 => Just(Play::Exercise(EXERCISE))];
    (markings, originators, play).prop_map(|(markings, originators, play)| {
        let markings: BTreeMap<_, _> = markings.into_iter().collect();
        Label::new(markings, originators.into_iter().collect(), play).expect("a label")
    })
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    let cleared = |id: &'static str| {
        (3u8..=5, codes(compartments(id))).prop_map(move |(level, compartments)| {
            (scheme(id), Cleared { level: Level(level), compartments })
        })
    };
    let schemes =
        some_schemes().prop_flat_map(move |ids| ids.into_iter().map(cleared).collect::<Vec<_>>());
    let exercises = prop_oneof![Just(BTreeSet::new()), Just(BTreeSet::from([EXERCISE]))];
    let device = prop::sample::select(vec!["DESK", "MOBILE"]);
    let held = (schemes, codes(AUDIENCES), exercises);
    (prop::sample::select(AGENCIES.to_vec()), held, codes(ROLES), codes(COURSES), device).prop_map(
        |(agency, (schemes, audiences, exercises), roles, training, device)| Attributes {
            agency,
            clearance: Clearance { schemes: schemes.into_iter().collect(), audiences, exercises },
            roles,
            training,
            device: token(device),
        },
    )
}

fn some<T: Clone + std::fmt::Debug + 'static>(from: Vec<T>) -> impl Strategy<Value = NonEmpty<T>> {
    let most = from.len();
    prop::sample::subsequence(from, 1..=most).prop_map(|some| NonEmpty::new(some).expect("some"))
}

fn reversed<T: Clone>(list: &NonEmpty<T>) -> NonEmpty<T> {
    NonEmpty::new(list.iter().rev().cloned().collect()).expect("some")
}

fn any_grantee() -> impl Strategy<Value = Grantee> {
    let roles = prop_oneof![
        2 => Just(Roles::Any),
        1 => some(ROLES.iter().map(|role| token(role)).collect()).prop_map(Roles::Only)
    ];
    (prop::sample::select(vec![POLICE, ARMY, INTEL, FIRE]), roles)
        .prop_map(|(agency, roles)| Grantee { agency, roles })
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let ceiling = |id: &'static str| {
        (2u8..=5, codes(compartments(id))).prop_map(move |(level, compartments)| {
            (scheme(id), Ceiling { level: Level(level), compartments })
        })
    };
    let ceilings =
        some_schemes().prop_flat_map(move |ids| ids.into_iter().map(ceiling).collect::<Vec<_>>());
    (ceilings, codes(&["ORCON"])).prop_map(|(ceilings, caveats_excluded)| Limits {
        ceilings: ceilings.into_iter().collect(),
        caveats_excluded,
    })
}

fn any_clause() -> impl Strategy<Value = Clause> {
    let scope = (
        some(vec![POLICE, ARMY, INTEL, FIRE]),
        prop::collection::vec(any_grantee(), 1..=3),
        prop_oneof![4 => Just(Effect::Permit), 1 => Just(Effect::Forbid)],
        some(vec![action("report:read"), action("entity:read")]),
        prop_oneof![3 => Just(Discloses::Content), 1 => Just(Discloses::Existence)],
    );
    let purposes = some(vec![token("PROTECTION"), token("EMERGENCY")]);
    let training = prop_oneof![3 => Just(BTreeSet::new()), 1 => codes(COURSES)];
    (scope, any_limits(), purposes, training, window()).prop_map(
        |((grantors, grantees, effect, actions, discloses), limits, purposes, training, force)| {
            Clause {
                id: base::ClauseId([0; 16]),
                version: 3,
                grantors,
                grantees: NonEmpty::new(grantees).expect("grantees"),
                effect,
                actions,
                discloses,
                limits,
                purposes,
                training,
                force,
            }
        },
    )
}

/// Agreements whose clauses and selves have ids of their own.
fn any_agreements() -> impl Strategy<Value = Vec<Agreement>> {
    let one = (prop::collection::vec(any_clause(), 1..=3), window());
    prop::collection::vec(one, 0..=3).prop_map(|all| {
        (1u8..)
            .zip(all)
            .map(|(n, (mut clauses, force))| {
                for (m, clause) in (1u8..).zip(&mut clauses) {
                    clause.id = base::ClauseId([m * 16 + n; 16]);
                }
                Agreement { force, ..agreement(n, clauses) }
            })
            .collect()
    })
}

#[derive(Clone, Debug)]
struct World {
    agreements: Vec<Agreement>,
    labels: Vec<Label>,
    readers: Vec<Attributes>,
    purpose: Token,
}

fn any_world() -> impl Strategy<Value = World> {
    let purpose = prop::sample::select(vec![token("PROTECTION"), token("EMERGENCY")]);
    let labels = prop::collection::vec(any_label(), 1..=6);
    let readers = prop::collection::vec(any_attributes(), 1..=2);
    (any_agreements(), labels, readers, purpose).prop_map(
        |(agreements, labels, readers, purpose)| World { agreements, labels, readers, purpose },
    )
}

impl World {
    fn epoch(&self) -> PolicyEpoch {
        let schemes = crate::world::schemes();
        for agreement in &self.agreements {
            agreement.check(&schemes).expect("an agreement that may be signed");
        }
        let agreements: Vec<&Agreement> = self.agreements.iter().collect();
        compile_at(NOW_MS, &agreements, RULES).expect("an epoch")
    }

    fn asks(&self) -> Vec<(For, &'static str, bool)> {
        [("report", "read"), ("report", "exists"), ("entity", "read")]
            .map(|(noun, verb)| {
                let ask = For::purpose(&format!("{noun}:{verb}"), self.purpose.as_str());
                (ask, noun, verb == "exists")
            })
            .into()
    }

    fn question<'a>(
        &'a self,
        ask: &(For, &'a str, bool),
        reader: &'a Attributes,
        label: &'a Label,
    ) -> Question<'a> {
        Question {
            agreements: &self.agreements,
            at: at(NOW_MS),
            reader,
            noun: ask.1,
            existence: ask.2,
            purpose: &self.purpose,
            label,
        }
    }

    fn check_reader(&self, epoch: &PolicyEpoch, reader: &Attributes) -> Result<(), TestCaseError> {
        let profile: Profile = profile(reader.clone());
        for ask in self.asks() {
            let intent = ask.0.intent();
            let mut table = LabelTable::default();
            let sets = ReadableSets::default();
            let half = self.labels.len() / 2;
            for (n, label) in self.labels.iter().enumerate() {
                table.intern(label).expect("a number");
                if n == half {
                    sets.get(epoch, &profile, intent, &table, at(NOW_MS)).expect("a set");
                }
            }
            let set = sets.get(epoch, &profile, intent, &table, at(NOW_MS)).expect("a set");
            for label in &self.labels {
                let question = self.question(&ask, reader, label);
                let expected = question.allowed();
                let decision = decide(epoch, &profile, intent, label);
                prop_assert_eq!(decision.allows(), expected, "the oracle: {:?}", decision);
                prop_assert!(!decision.alarm);
                let whole = decide_whole(epoch, &profile, intent, label);
                prop_assert_eq!(whole.allows(), expected, "the whole set: {:?}", whole);
                if expected {
                    prop_assert_eq!(&whole.clauses, &decision.clauses);
                }
                let number = table.number(&label.digest()).expect("a number");
                prop_assert_eq!(set.contains(number, at(NOW_MS)), expected, "the readable set");
            }
        }
        Ok(())
    }
}

proptest! {
    /// label ∈ R ≡ direct decision ≡ decision with the whole set ≡ the oracle.
    #[test]
    fn every_way_of_deciding_agrees_with_the_reference(world in any_world()) {
        let epoch = world.epoch();
        for reader in &world.readers {
            world.check_reader(&epoch, reader)?;
        }
    }
}

proptest! {
    /// Whoever reads, reach lets their agency through; and it describes one who reads.
    #[test]
    fn reach_agrees_with_the_readers_there_could_be(world in any_world()) {
        let epoch = world.epoch();
        for reader in &world.readers {
            let (agency, device) = (reader.agency, &reader.device);
            let of = Readers { agency, device, roles: &reader.roles };
            for (ask, _, existence) in world.asks().iter().filter(|ask| !ask.2) {
                prop_assert!(!existence);
                for pair in world.labels.windows(2).chain(world.labels.chunks(1)) {
                    let labels: Vec<&Label> = pair.iter().collect();
                    let found = reach(&epoch, of, ask.intent(), &labels).expect("an answer");
                    let reads = |profile: &Profile| {
                        let asked = labels.iter();
                        asked.clone().all(|of| decide(&epoch, profile, ask.intent(), of).allows())
                    };
                    if reads(&profile(reader.clone())) {
                        prop_assert_eq!(&found.refused, &None);
                    }
                    let described = Attributes {
                        clearance: covering(labels.iter().copied()),
                        roles: found.roles.clone(),
                        training: found.training.clone(),
                        ..reader.clone()
                    };
                    if found.refused.is_none() {
                        prop_assert!(reads(&profile(described)), "{:?}", found);
                        prop_assert!(!found.clauses.is_empty() || !found.rules.is_empty());
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// Who may read a label may read every lower one, agreements included (held on the oracle,
    /// which the test above ties to the code).
    #[test]
    fn rights_are_monotone(world in any_world()) {
        for reader in &world.readers {
            for ask in world.asks() {
                for high in &world.labels {
                    let low = world.labels.iter().filter(|low| leq(low, high));
                    for low in low {
                        if world.question(&ask, reader, high).allowed() {
                            prop_assert!(world.question(&ask, reader, low).allowed());
                        }
                    }
                }
            }
        }
    }
}

proptest! {
    /// The canonical bytes do not depend on the order in which sets were written, and differ
    /// otherwise.
    #[test]
    fn the_digest_of_an_agreement_is_that_of_its_meaning(
        clause in any_clause(), other in any_clause()
    ) {
        let mut turned = clause.clone();
        turned.grantors = reversed(&clause.grantors);
        turned.grantees = reversed(&clause.grantees);
        turned.actions = reversed(&clause.actions);
        let digest = |clause: &Clause| agreement(1, vec![clause.clone()]).digest();
        prop_assert_eq!(digest(&clause), digest(&turned));
        let schemes = crate::world::schemes();
        let prose = |clause: &Clause| policy::prose(clause, &schemes, &crate::world::name);
        prop_assert_eq!(prose(&clause), prose(&turned));
        prop_assert_eq!(
            digest(&clause) == digest(&other), prose(&clause) == prose(&other),
            "what is decided differently reads differently"
        );
        let json = serde_json::to_string(&agreement(1, vec![clause.clone()])).expect("JSON");
        let back: Agreement = serde_json::from_str(&json).expect("an agreement");
        prop_assert_eq!(back.digest(), digest(&clause));
    }
}
