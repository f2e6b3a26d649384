//! Decisions: no clause, no flow; every originator consents; and what expires is worth nothing.

use std::collections::BTreeSet;

use base::NonEmpty;
use policy::{
    Clause, Discloses, Effect, Error, Grantee, LabelTable, PolicyEpoch, ReadableSets, Reason,
    Roles, Target, decide, decide_act, matrix,
};

use crate::world::{
    ARMY, DISTRICT, FIRE, For, INTEL, POLICE, RULES, action, agreement, analyst, at, ceilings,
    clause, compile_at, epoch, label, marking, nat, profile, token, tokens,
};

fn reads(epoch: &PolicyEpoch, reader: policy::Attributes, label: &base::Label) -> Reason {
    let ask = For::protection("report:read");
    decide(epoch, &profile(reader), ask.intent(), label).reason
}

#[test]
fn no_clause_no_flow() {
    let label = nat(2, ARMY);
    let missing = Reason::NoConsent(BTreeSet::from([ARMY]));
    assert_eq!(reads(&epoch(&[]), analyst(POLICE, 4), &label), missing);
    let signed = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let epoch = epoch(&[&signed]);
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &label), Reason::Permitted);
    assert_eq!(reads(&epoch, analyst(FIRE, 4), &label), missing, "another agency");
}

#[test]
fn a_flow_cites_its_clause() {
    let signed = agreement(1, vec![clause(1, ARMY, POLICE), clause(2, ARMY, FIRE)]);
    let ask = For::protection("report:read");
    let reader = profile(analyst(POLICE, 4));
    let decision = decide(&epoch(&[&signed]), &reader, ask.intent(), &nat(2, ARMY));
    assert_eq!(decision.clauses, [signed.clause_ref(&signed.clauses[0])]);
    assert!(decision.rules.is_empty());
    let own = decide(&epoch(&[&signed]), &reader, ask.intent(), &nat(2, POLICE));
    assert!(own.clauses.is_empty(), "one's own needs no clause");
    assert_eq!(own.rules, ["reports/read-own"]);
}

#[test]
fn a_rule_of_a_capability_reaches_no_further_than_its_own_line() {
    let wide = "@id(\"all\") permit (principal, action == Action::\"report:read\", resource);";
    let epoch = compile_at(1_000, &[], wide).expect("an epoch");
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &nat(2, POLICE)), Reason::Permitted);
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &nat(2, DISTRICT)), Reason::Permitted);
    assert_eq!(reads(&epoch, analyst(DISTRICT, 4), &nat(2, POLICE)), Reason::Permitted);
    let missing = Reason::NoConsent(BTreeSet::from([ARMY]));
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &nat(2, ARMY)), missing);
}

#[test]
fn every_originator_consents() {
    let both = label("NAT", marking(2, &[]), &[ARMY, INTEL]);
    let one = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let missing = Reason::NoConsent(BTreeSet::from([INTEL]));
    assert_eq!(reads(&epoch(&[&one]), analyst(POLICE, 4), &both), missing);
    let two = agreement(2, vec![clause(2, INTEL, POLICE)]);
    assert_eq!(reads(&epoch(&[&one, &two]), analyst(POLICE, 4), &both), Reason::Permitted);
    let own = label("NAT", marking(2, &[]), &[ARMY, POLICE]);
    assert_eq!(
        reads(&epoch(&[]), analyst(POLICE, 4), &own),
        Reason::NoConsent(BTreeSet::from([ARMY]))
    );
}

#[test]
fn an_agreement_never_breaches_clearance() {
    let signed = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let reason = reads(&epoch(&[&signed]), analyst(POLICE, 2), &nat(4, ARMY));
    assert!(matches!(reason, Reason::Mandatory(_)));
}

#[test]
fn every_condition_of_a_clause_is_needed() {
    let wanted = Clause {
        grantees: NonEmpty::one(Grantee {
            agency: POLICE,
            roles: Roles::Only(NonEmpty::one(token("WATCH"))),
        }),
        training: tokens(&["SOURCES"]),
        ..clause(1, ARMY, POLICE)
    };
    let signed = agreement(1, vec![wanted]);
    let epoch = epoch(&[&signed]);
    let reader = || policy::Attributes {
        roles: tokens(&["WATCH"]),
        training: tokens(&["SOURCES"]),
        ..analyst(POLICE, 5)
    };
    let permitted = |reader, label: &base::Label| reads(&epoch, reader, label) == Reason::Permitted;
    assert!(permitted(reader(), &nat(4, ARMY)));
    assert!(!permitted(reader(), &nat(5, ARMY)), "above the ceiling");
    let kestrel = label("NAT", marking(4, &["KESTREL"]), &[ARMY]);
    assert!(!permitted(reader(), &kestrel), "a compartment that is not allowed");
    let orcon = base::Marking { caveats: tokens(&["ORCON"]), ..marking(2, &[]) };
    assert!(!permitted(reader(), &label("NAT", orcon, &[ARMY])), "an excluded caveat");
    assert!(!permitted(
        policy::Attributes { roles: tokens(&["ANALYST"]), ..reader() },
        &nat(4, ARMY)
    ));
    assert!(!permitted(policy::Attributes { training: tokens(&[]), ..reader() }, &nat(4, ARMY)));
    let ask = For::purpose("report:read", "EMERGENCY");
    let other = decide(&epoch, &profile(reader()), ask.intent(), &nat(4, ARMY));
    assert!(!other.allows(), "another purpose");
    let ask = For::protection("entity:read");
    let other = decide(&epoch, &profile(reader()), ask.intent(), &nat(4, ARMY));
    assert!(!other.allows(), "another action");
}

#[test]
fn a_clause_reaches_the_units_of_its_agencies() {
    let signed = agreement(1, vec![clause(1, POLICE, ARMY), clause(2, ARMY, POLICE)]);
    let epoch = epoch(&[&signed]);
    assert_eq!(
        reads(&epoch, analyst(ARMY, 4), &nat(2, DISTRICT)),
        Reason::Permitted,
        "from a unit"
    );
    assert_eq!(reads(&epoch, analyst(DISTRICT, 4), &nat(2, ARMY)), Reason::Permitted, "to a unit");
}

#[test]
fn a_forbid_caps_what_others_permit_and_what_is_ones_own() {
    let cap = Clause {
        effect: Effect::Forbid,
        limits: policy::Limits {
            ceilings: ceilings(&[("NAT", 2, &[])]),
            caveats_excluded: tokens(&[]),
        },
        ..clause(9, ARMY, POLICE)
    };
    let (permit, forbid) = (agreement(1, vec![clause(1, ARMY, POLICE)]), agreement(2, vec![cap]));
    let epoch = epoch(&[&permit, &forbid]);
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &nat(2, ARMY)), Reason::Permitted);
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &nat(3, ARMY)), Reason::Forbidden);
    let ask = For::protection("report:read");
    let decision = decide(&epoch, &profile(analyst(POLICE, 4)), ask.intent(), &nat(3, ARMY));
    assert_eq!(decision.clauses, [forbid.clause_ref(&forbid.clauses[0])], "it cites the forbid");
    let everything = Clause {
        effect: Effect::Forbid,
        limits: policy::Limits { ceilings: ceilings(&[]), caveats_excluded: tokens(&[]) },
        ..clause(9, ARMY, POLICE)
    };
    let never = agreement(3, vec![everything]);
    let epoch = crate::world::epoch(&[&permit, &never]);
    assert_eq!(reads(&epoch, analyst(POLICE, 4), &nat(1, ARMY)), Reason::Forbidden);
    let mobile = policy::Attributes { device: token("MOBILE"), ..analyst(POLICE, 4) };
    let ask = For::protection("entity:read");
    let own = decide(&epoch, &profile(mobile), ask.intent(), &nat(1, POLICE));
    assert_eq!((own.reason, own.rules), (Reason::Forbidden, vec!["reports/not-mobile".into()]));
}

#[test]
fn existence_is_less_than_content() {
    let hit = Clause { discloses: Discloses::Existence, ..clause(1, ARMY, POLICE) };
    let signed = agreement(1, vec![hit, clause(2, INTEL, POLICE)]);
    let epoch = epoch(&[&signed]);
    let reader = profile(analyst(POLICE, 4));
    let (read, exists) = (For::protection("report:read"), For::protection("report:exists"));
    let allows =
        |ask: &For, label: &base::Label| decide(&epoch, &reader, ask.intent(), label).allows();
    assert!(allows(&exists, &nat(2, ARMY)) && !allows(&read, &nat(2, ARMY)));
    assert!(allows(&exists, &nat(2, INTEL)) && allows(&read, &nat(2, INTEL)), "content tells it");
    assert!(allows(&exists, &nat(2, POLICE)), "one's own");
    assert!(!allows(&exists, &nat(2, FIRE)), "no hit without a clause");
}

#[test]
fn what_the_epoch_does_not_know_is_denied() {
    let epoch = epoch(&[]);
    let mut reader = analyst(POLICE, 4);
    let cleared = reader.clearance.schemes.values().next().expect("cleared").clone();
    reader.clearance.schemes.insert(crate::world::scheme("ELSEWHERE"), cleared);
    let strange = label("ELSEWHERE", marking(1, &[]), &[POLICE]);
    assert!(matches!(reads(&epoch, reader, &strange), Reason::Scheme(_)));
    let reader = profile(analyst(POLICE, 4));
    for unknown in ["report:burn", "report:create"] {
        let ask = For::protection(unknown);
        let decision = decide(&epoch, &reader, ask.intent(), &nat(1, POLICE));
        assert_eq!(decision.reason, Reason::Action, "{unknown}");
    }
}

#[test]
fn a_rule_that_fails_denies_and_alarms() {
    // Level arithmetic overflows: strict validation cannot foresee it, and Cedar would skip the
    // rule.
    let rules = r#"
@id("permit") permit (principal, action == Action::"report:read", resource);
@id("overflow") forbid (principal, action == Action::"report:read", resource)
when { resource.markings has "NAT" && resource.markings["NAT"].level * 9223372036854775807 > 0 };
"#;
    let epoch = compile_at(1_000, &[], rules).expect("an epoch");
    let ask = For::protection("report:read");
    let reader = profile(analyst(POLICE, 4));
    let decision = decide(&epoch, &reader, ask.intent(), &nat(2, POLICE));
    assert!(decision.alarm && !decision.allows());
    assert_eq!(decision.reason, Reason::Failed("evaluate reports/overflow".into()));
    let mut table = LabelTable::default();
    let number = table.intern(&nat(2, POLICE)).expect("a number");
    let sets = ReadableSets::default();
    let set = sets.get(&epoch, &reader, ask.intent(), &table, at(1_000)).expect("a set");
    assert_eq!((set.contains(number, at(1_000)), set.alarms()), (false, &[number][..]));
}

fn acts(
    epoch: &PolicyEpoch,
    action: &str,
    reader: policy::Attributes,
    target: Target<'_>,
) -> Reason {
    let ask = For::protection(action);
    decide_act(epoch, &profile(reader), ask.intent(), &target).reason
}

#[test]
fn an_act_needs_a_rule_and_a_clearance() {
    let epoch = epoch(&[]);
    let facts = BTreeSet::new();
    let on = |agency| Target { agency, label: None, state: None, facts: &facts };
    assert_eq!(acts(&epoch, "report:create", analyst(POLICE, 4), on(POLICE)), Reason::Permitted);
    let missing = |agency| Reason::NoConsent(BTreeSet::from([agency]));
    assert_eq!(acts(&epoch, "report:create", analyst(POLICE, 4), on(ARMY)), missing(ARMY));
    let nobody = policy::Attributes { roles: tokens(&[]), ..analyst(POLICE, 4) };
    assert_eq!(acts(&epoch, "report:create", nobody, on(POLICE)), missing(POLICE));
    let high = nat(5, POLICE);
    let target = Target { label: Some(&high), ..on(POLICE) };
    let reason = acts(&epoch, "report:create", analyst(POLICE, 4), target);
    assert!(matches!(reason, Reason::Mandatory(_)));
    assert_eq!(acts(&epoch, "report:read", analyst(POLICE, 4), on(POLICE)), Reason::Action);
}

#[test]
fn an_act_upon_another_agency_needs_a_clause_unless_it_is_joint() {
    let create =
        Clause { actions: NonEmpty::one(action("report:create")), ..clause(1, ARMY, POLICE) };
    let signed = agreement(1, vec![create]);
    let facts = BTreeSet::new();
    let low = nat(2, ARMY);
    let target = Target { agency: ARMY, label: Some(&low), state: None, facts: &facts };
    let epoch = epoch(&[&signed]);
    assert_eq!(acts(&epoch, "report:create", analyst(POLICE, 4), target), Reason::Permitted);
    let open = token("OPEN");
    let addressed = tokens(&["ADDRESSED"]);
    let alert = Target { agency: FIRE, label: None, state: Some(&open), facts: &addressed };
    assert_eq!(acts(&epoch, "alert:acknowledge", analyst(POLICE, 4), alert), Reason::Permitted);
    let closed = Target { state: None, ..alert };
    let reason = acts(&epoch, "alert:acknowledge", analyst(POLICE, 4), closed);
    assert_eq!(reason, Reason::NoConsent(BTreeSet::from([FIRE])));
}

#[test]
fn a_readable_set_grows_with_labels_and_ends_with_its_epoch() {
    let mut signed = agreement(1, vec![clause(1, ARMY, POLICE)]);
    signed.force = policy::Window { starts_at: at(1_000), ends_at: at(2_000) };
    let epoch = epoch(&[&signed]);
    let (sets, mut table) = (ReadableSets::default(), LabelTable::default());
    let ask = For::protection("report:read");
    let reader = profile(analyst(POLICE, 4));
    let first = table.intern(&nat(2, ARMY)).expect("a number");
    let get = |table: &LabelTable, ms| sets.get(&epoch, &reader, ask.intent(), table, at(ms));
    let set = get(&table, 1_000).expect("a set");
    assert!(set.contains(first, at(1_999)) && !set.contains(first, at(2_000)));
    let second = table.intern(&nat(3, ARMY)).expect("a number");
    assert!(!set.contains(second, at(1_000)), "an unseen label is not readable");
    let again = get(&table, 1_000).expect("a set");
    assert!(again.contains(second, at(1_000)) && again.labels_upto() == 2);
    assert!(std::sync::Arc::ptr_eq(&again, &get(&table, 1_500).expect("a set")), "computed once");
    assert!(matches!(get(&table, 2_000), Err(Error::Epoch { .. })));
    assert!(matches!(get(&table, 999), Err(Error::Epoch { .. })), "a clock that went back");
    assert_eq!(table.intern(&nat(2, ARMY)).expect("a number"), first, "interned once");
    let after = compile_at(2_000, &[&signed], RULES).expect("an epoch");
    let set = sets.get(&after, &reader, ask.intent(), &table, at(2_000)).expect("a set");
    assert!(set.bits().is_empty(), "nothing of the old epoch is left");
}

#[test]
fn the_matrix_of_roles_actions_and_labels() {
    let signed = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let epoch = epoch(&[&signed]);
    let readers = [
        ("police analyst", profile(analyst(POLICE, 4))),
        ("police clerk", profile(policy::Attributes { roles: tokens(&[]), ..analyst(POLICE, 2) })),
        ("army analyst", profile(analyst(ARMY, 4))),
    ];
    let readers: Vec<(&str, &policy::Profile)> = readers.iter().map(|(n, p)| (*n, p)).collect();
    let labels = [
        ("POLICE (R)", nat(2, POLICE)),
        ("ARMY (R)", nat(2, ARMY)),
        ("ARMY (S)", nat(4, ARMY)),
        ("ARMY (TS)", nat(5, ARMY)),
    ];
    let labels: Vec<(&str, &base::Label)> = labels.iter().map(|(n, l)| (*n, l)).collect();
    let actions = ["report:read", "entity:read", "report:create", "report:burn"].map(action);
    let actions: Vec<_> = actions.iter().collect();
    let text = matrix(&epoch, &readers, &actions, &labels, &token("PROTECTION"));
    insta::assert_snapshot!(text, @r"
    report:read    | POLICE (R) | ARMY (R) | ARMY (S) | ARMY (TS)
    police analyst | yes        | yes      | yes      | label
    police clerk   | no         | yes      | label    | label
    army analyst   | no         | yes      | yes      | label

    entity:read    | POLICE (R) | ARMY (R) | ARMY (S) | ARMY (TS)
    police analyst | yes        | no       | no       | label
    police clerk   | no         | no       | label    | label
    army analyst   | no         | yes      | yes      | label

    report:create  | POLICE (R) | ARMY (R) | ARMY (S) | ARMY (TS)
    police analyst | yes        | no       | no       | label
    police clerk   | no         | no       | label    | label
    army analyst   | no         | yes      | yes      | label

    report:burn    | POLICE (R) | ARMY (R) | ARMY (S) | ARMY (TS)
    police analyst | –          | –        | –        | –
    police clerk   | –          | –        | –        | –
    army analyst   | –          | –        | –        | –
    ");
}
