//! Compiling: what is refused, what an epoch is worth, and when it ends.

use std::collections::BTreeMap;

use base::{AgencyId, Time};
use policy::{
    AgencyTree, Agreement, Class, Clause, Declared, Error, Text, Window, compile, recompile,
};

use crate::world::{
    ARMY, DISTRICT, FIRE, INTEL, POLICE, RULES, action, agreement, at, clause, compile_at,
    declared, epoch, schemes, tree, with_sources,
};

fn refused(rules: &str) -> Error {
    compile_at(1_000, &[], rules).err().expect("a refusal")
}

#[test]
fn rules_compile_under_stable_ids() {
    let signed = agreement(1, vec![clause(2, ARMY, POLICE)]);
    let text = epoch(&[&signed]).to_cedar();
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("// ")).collect();
    let expected = [
        "01010101-0101-0101-0101-010101010101:02020202-0202-0202-0202-020202020202:1",
        "mandatory:NAT",
        "mandatory:NATO",
        "mandatory:TLP",
        "mandatory:UK",
        "mandatory:play",
        "mandatory:schemes",
        "reports/acknowledge",
        "reports/create",
        "reports/not-mobile",
        "reports/read-own",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn a_clause_is_a_rule_that_a_lawyer_can_follow() {
    let signed = agreement(1, vec![clause(2, ARMY, POLICE)]);
    let text = epoch(&[&signed]).to_cedar();
    let rule = text.split("// ").nth(1).expect("the clause");
    insta::assert_snapshot!(rule, @r#"
    01010101-0101-0101-0101-010101010101:02020202-0202-0202-0202-020202020202:1
    permit (principal, action == Action::"report:read", resource)
    when { resource in Agency::"02020202-0202-0202-0202-020202020202" }
    when { principal in Agency::"01010101-0101-0101-0101-010101010101" }
    when { context.purpose == "PROTECTION"
      && !(resource.markings has "NATO")
      && !(resource.markings has "TLP")
      && !(resource.markings has "UK")
      && (if resource.markings has "NAT"
          then resource.markings["NAT"].level <= 4
            && resource.markings["NAT"].compartments.isEmpty()
          else true)
      && !resource.caveats.contains("ORCON") };
    "#);
}

#[test]
fn a_rule_that_does_not_validate_refuses_the_whole() {
    for (rule, text) in [
        ("no Cedar", "permit"),
        ("a template", "@id(\"a\") permit (principal == ?principal, action, resource);"),
    ] {
        let fault = refused(text);
        assert!(matches!(fault, Error::RuleText { .. } | Error::Rule { .. }), "{rule}: {fault:?}");
    }
    for (rule, text) in [
        ("an unknown action", "permit (principal, action == Action::\"report:burn\", resource);"),
        ("an unknown attribute", "permit (principal, action, resource) when { resource.secret };"),
        (
            "an optional attribute",
            "permit (principal, action, resource) when \
            { principal.cleared[\"NAT\"].level > 3 };",
        ),
        ("another type", "permit (principal, action, resource) when { principal.roles == 3 };"),
        ("a rule that never applies", "permit (principal, action, resource) when { false };"),
    ] {
        let fault = refused(&format!("@id(\"a\") {text}"));
        assert!(matches!(fault, Error::Validation { .. }), "{rule}: {fault:?}");
    }
}

#[test]
fn a_rule_has_a_name_of_its_own() {
    let rule = "permit (principal, action, resource);";
    assert!(matches!(refused(rule), Error::Rule { .. }), "no id");
    let twice = format!("@id(\"a\") {rule} @id(\"a\") {rule}");
    assert!(matches!(refused(&twice), Error::Rule { .. }), "one id for two");
    let clause = "01010101-0101-0101-0101-010101010101:02020202-0202-0202-0202-020202020202:1";
    let posing = format!("@id(\"{clause}\") {rule}");
    assert!(matches!(refused(&posing), Error::Rule { .. }), "the name of a clause");
}

#[test]
fn an_agreement_about_an_unknown_action_is_refused() {
    let mut wrong = clause(1, ARMY, POLICE);
    wrong.actions = base::NonEmpty::one(action("report:burn"));
    let outcome = compile_at(1_000, &[&agreement(1, vec![wrong])], RULES);
    assert!(matches!(outcome.err(), Some(Error::Validation { .. })));
}

#[test]
fn actions_are_declared_once_and_existence_never() {
    let with = |extra: &str| {
        let mut actions = declared();
        actions.push(Declared { action: action(extra), class: Class::Read });
        compile(&policy::Sources {
            epoch: 1,
            at: at(0),
            schemes: &schemes(),
            tree: &tree(),
            agreements: &[],
            actions: &actions,
            texts: &[Text { name: "reports", cedar: RULES }],
            boundaries: &[],
        })
    };
    assert!(with("plan:read").is_ok());
    assert!(matches!(with("report:read").err(), Some(Error::Rule { .. })), "twice");
    assert!(matches!(with("report:exists").err(), Some(Error::Rule { .. })), "existence");
    let class = |epoch: &policy::PolicyEpoch, name: &str| epoch.class(&action(name));
    let epoch = epoch(&[]);
    assert_eq!(class(&epoch, "report:exists"), Some(Class::Read));
    assert_eq!(class(&epoch, "alert:exists"), None);
}

#[test]
fn only_what_is_in_force_is_compiled_and_an_epoch_ends_at_the_next_boundary() {
    let mut later = clause(2, FIRE, POLICE);
    later.force = Window { starts_at: at(2_000), ends_at: at(3_000) };
    let force = Window { starts_at: at(500), ends_at: at(5_000) };
    let signed = Agreement { force, ..agreement(1, vec![clause(1, ARMY, POLICE), later]) };
    let count = |ms| {
        let epoch = compile_at(ms, &[&signed], RULES).expect("an epoch");
        (epoch.clauses().count(), epoch.valid_until().ms())
    };
    assert_eq!(count(0), (0, 500));
    assert_eq!(count(500), (1, 2_000));
    assert_eq!(count(2_000), (2, 3_000));
    assert_eq!(count(3_000), (1, 5_000));
    assert_eq!(count(5_000), (0, Time::MAX.ms()));
    let epoch = compile_at(500, &[&signed], RULES).expect("an epoch");
    let decides = [499, 500, 1_999, 2_000].map(|ms| epoch.decides_at(at(ms)));
    assert_eq!(decides, [false, true, true, false], "from the last boundary to the next");
    let epoch = compile_at(1_000, &[&signed], RULES).expect("an epoch");
    assert_eq!((epoch.valid_from(), epoch.valid_until()), (at(500), at(2_000)));
}

#[test]
fn equal_policy_has_an_equal_digest() {
    let (a, b) =
        (agreement(1, vec![clause(1, ARMY, POLICE)]), agreement(2, vec![clause(2, FIRE, ARMY)]));
    assert_eq!(epoch(&[&a]).digest(), epoch(&[&a]).digest());
    assert_ne!(epoch(&[&a]).digest(), epoch(&[&a, &b]).digest());
    assert_ne!(epoch(&[]).digest(), epoch(&[&a]).digest());
    let fewer = compile_at(1_000, &[], "").expect("an epoch");
    assert_ne!(fewer.digest(), epoch(&[]).digest());
}

#[test]
fn an_epoch_compiled_from_the_one_before_is_the_same() {
    let (a, b) =
        (agreement(1, vec![clause(1, ARMY, POLICE)]), agreement(2, vec![clause(2, FIRE, ARMY)]));
    let before = epoch(&[&a]);
    let again = |agreements: &[&Agreement], rules: &str| {
        with_sources(1_000, agreements, rules, |sources| recompile(sources, &before))
    };
    for agreements in [&[&a, &b][..], &[&b], &[]] {
        let next = again(agreements, RULES).expect("an epoch");
        assert_eq!(next.digest(), epoch(agreements).digest());
        assert_eq!(next.to_cedar(), epoch(agreements).to_cedar());
    }
    let changed = agreement(1, vec![Clause { version: 2, ..clause(1, INTEL, POLICE) }]);
    let next = again(&[&changed], RULES).expect("an epoch");
    assert_eq!(next.to_cedar(), epoch(&[&changed]).to_cedar());
    let wrong = "@id(\"a\") permit (principal, action, resource) when { resource.secret };";
    assert!(matches!(again(&[&a], wrong).err(), Some(Error::Validation { .. })), "still strict");
}

#[test]
fn an_agreement_that_may_not_be_signed_is_not_compiled() {
    let stranger = agreement(1, vec![clause(1, DISTRICT, POLICE)]);
    let outcome = compile_at(1_000, &[&stranger], RULES);
    assert!(matches!(outcome.err(), Some(Error::Agreement { .. })), "a grantor who is no party");
}

#[test]
fn one_clause_does_not_stand_twice() {
    let signed = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let outcome = compile_at(1_000, &[&signed, &signed], RULES);
    assert!(matches!(outcome.err(), Some(Error::Rule { .. })));
}

#[test]
fn a_tree_of_agencies_has_no_circle_and_is_not_deep() {
    let agency = |n: u8| AgencyId([n; 16]);
    let circle = BTreeMap::from([(agency(1), agency(2)), (agency(2), agency(1))]);
    assert!(matches!(AgencyTree::new(circle), Err(Error::AgencyTree(_))));
    let chain = |length: u8| (0..length).map(|n| (agency(n), agency(n + 1))).collect();
    assert!(AgencyTree::new(chain(16)).is_ok());
    assert!(AgencyTree::new(chain(17)).is_err());
    let tree = AgencyTree::new(chain(3)).expect("a tree");
    assert!(tree.within(agency(0), agency(3)) && !tree.within(agency(3), agency(0)));
    assert!(tree.same_line(agency(3), agency(0)) && !tree.same_line(agency(0), agency(9)));
}
