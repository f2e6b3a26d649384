//! Markings (STIX 2.1 §7.2): a marking only ever adds to the protection.

use std::collections::{BTreeMap, BTreeSet};

use base::{AgencyId, Label, Level, Marking, Play, Releasable, SchemeId, Token};
use interop::stix::marking::{Claims, Reach, Selector};
use interop::stix::{Definitions, Detail, LabelMap, MarkingClaim, StixId, Tlp};

use crate::sample::{IDENTITY, INDICATOR};
use crate::{bundle_of, read, slugs, slugs_of, taken, with};

const WHITE_1: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
const GREEN_1: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
const AMBER_1: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
const RED_1: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
const OTHER: &str = "marking-definition--a932fcc6-e032-476c-826f-cb970a5a1ade";

fn definition(id: &str, rest: &str) -> String {
    format!(
        r#"{{"type":"marking-definition","spec_version":"2.1","id":"{id}",
        "created":"2017-01-20T00:00:00.000Z",{rest}}}"#
    )
}

fn marked(ids: &[&str]) -> String {
    with(INDICATOR, "object_marking_refs", &serde_json::to_string(ids).expect("list"))
}

fn granular(object: &str, markings: &[(&str, &[&str])]) -> String {
    let list: Vec<serde_json::Value> = markings
        .iter()
        .map(|(id, selectors)| serde_json::json!({"marking_ref": id, "selectors": selectors}))
        .collect();
    with(object, "granular_markings", &serde_json::to_string(&list).expect("list"))
}

/// What the markings of an object say when the definitions have been learnt.
fn claims(object: &str, definitions: &[&str]) -> Claims {
    let mut known = Definitions::standard();
    for definition in definitions {
        known.learn(&taken(definition).head);
    }
    known.claims(&taken(object).head)
}

fn part<'c>(claims: &'c Claims, selector: &str) -> &'c MarkingClaim {
    let part = claims.parts.iter().find(|(known, _)| known.as_str() == selector);
    part.expect("the part is marked").1
}

#[test]
fn the_standards_own_definitions_are_known_without_being_sent() {
    for (id, tlp) in [
        (WHITE_1, Tlp::Clear),
        (GREEN_1, Tlp::Green),
        (AMBER_1, Tlp::Amber),
        (RED_1, Tlp::Red),
        (Tlp::Clear.definition_id(), Tlp::Clear),
        (Tlp::Green.definition_id(), Tlp::Green),
        (Tlp::Amber.definition_id(), Tlp::Amber),
        (Tlp::AmberStrict.definition_id(), Tlp::AmberStrict),
        (Tlp::Red.definition_id(), Tlp::Red),
    ] {
        let claim = claims(&marked(&[id]), &[]).whole;
        assert_eq!((claim.tlp, claim.unknown.len()), (Some(tlp), 0), "{id}");
    }
}

#[test]
fn of_several_markings_the_strictest_holds() {
    let claim = claims(&marked(&[GREEN_1, RED_1, WHITE_1]), &[]).whole;
    assert_eq!(claim.tlp, Some(Tlp::Red));
    let amber = claims(&marked(&[AMBER_1, Tlp::AmberStrict.definition_id()]), &[]).whole;
    assert_eq!(amber.tlp, Some(Tlp::AmberStrict));
}

#[test]
fn a_level_is_read_by_what_the_definition_says() {
    for (rest, tlp) in [
        (r#""definition_type":"tlp","definition":{"tlp":"amber"}"#, Tlp::Amber),
        (r#""definition_type":"tlp","definition":{"tlp":"WHITE"}"#, Tlp::Clear),
        (r#""definition_type":"TLP","definition":{"TLP":"TLP:AMBER+STRICT"}"#, Tlp::AmberStrict),
        (
            r#""extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":
            {"extension_type":"property-extension","tlp_2_0":"amber+strict"}}"#,
            Tlp::AmberStrict,
        ),
    ] {
        let definition = definition(OTHER, rest);
        let claim = claims(&marked(&[OTHER]), &[&definition]).whole;
        assert_eq!((claim.tlp, claim.unknown.len()), (Some(tlp), 0), "{rest}");
        assert_eq!(slugs_of(&taken(&definition).remarks), ["stix-tlp"], "{rest}");
    }
    let changed = definition(AMBER_1, r#""definition_type":"tlp","definition":{"tlp":"red"}"#);
    assert_eq!(slugs_of(&taken(&changed).remarks), ["stix-tlp"]);
    assert_eq!(claims(&marked(&[AMBER_1]), &[&changed]).whole.tlp, Some(Tlp::Red));
}

#[test]
fn a_statement_is_shown_and_says_nothing_of_who_may_see() {
    let rest = r#""definition_type":"statement","definition":{"statement":"(c) Station North"}"#;
    let definition = definition(OTHER, rest);
    assert!(taken(&definition).remarks.is_empty());
    let claim = claims(&marked(&[OTHER]), &[&definition]).whole;
    assert!(claim.silent());
    assert_eq!(
        claim.statements.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["(c) Station North"]
    );
}

#[test]
fn what_is_not_understood_is_unknown() {
    for rest in [
        r#""definition_type":"tlp","definition":{"tlp":"purple"}"#,
        r#""definition_type":"tlp","definition":{"colour":"red"}"#,
        r#""definition_type":"tlp","definition":{"tlp":["red"]}"#,
        r#""definition_type":"statement","definition":{"text":"x"}"#,
        r#""definition_type":"ism","definition":{"level":"S"}"#,
        r#""extensions":{"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce":{"a":1}}"#,
        r#""extensions":{}"#,
        r#""definition_type":"tlp","definition":{"tlp":"purple"},
        "extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":
        {"extension_type":"property-extension","tlp_2_0":"clear"}}"#,
        r#""definition_type":"statement","definition":{"statement":"x"},
        "extensions":{"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce":{"a":1}}"#,
    ] {
        let definition = definition(OTHER, rest);
        let object = taken(&definition);
        assert_eq!(slugs_of(&object.remarks), ["stix-marking"], "{rest}");
        let Detail::Marking(read) = &object.head.detail else { panic!("a definition") };
        assert!(!read.understood);
        let claim = claims(&marked(&[OTHER]), &[&definition]).whole;
        assert!(!claim.silent() && claim.unknown.len() == 1, "{rest}");
    }
    assert_eq!(claims(&marked(&[OTHER]), &[]).whole.unknown.len(), 1, "not defined at all");
}

#[test]
fn defining_a_marking_again_never_weakens_it() {
    let white = definition(RED_1, r#""definition_type":"tlp","definition":{"tlp":"white"}"#);
    assert_eq!(claims(&marked(&[RED_1]), &[&white]).whole.tlp, Some(Tlp::Red));
    let red = definition(OTHER, r#""definition_type":"tlp","definition":{"tlp":"red"}"#);
    let green = definition(OTHER, r#""definition_type":"tlp","definition":{"tlp":"green"}"#);
    for order in [[red.as_str(), &green], [green.as_str(), &red]] {
        assert_eq!(claims(&marked(&[OTHER]), &order).whole.tlp, Some(Tlp::Red));
    }
    let statement = |text: &str| {
        let rest =
            format!(r#""definition_type":"statement","definition":{{"statement":"{text}"}}"#);
        definition(OTHER, &rest)
    };
    let both = claims(&marked(&[OTHER]), &[&statement("no reuse"), &statement("reuse")]).whole;
    assert_eq!(both.unknown.len(), 1, "two meanings are none");
    let bad = definition(OTHER, r#""definition_type":"ism","definition":{}"#);
    let mixed = claims(&marked(&[OTHER]), &[&green, &bad]).whole;
    assert_eq!((mixed.tlp, mixed.unknown.len()), (Some(Tlp::Green), 1));
}

#[test]
fn a_definition_may_follow_what_it_marks() {
    let red = definition(OTHER, r#""definition_type":"tlp","definition":{"tlp":"red"}"#);
    let marked = marked(&[OTHER]);
    let text = bundle_of(&[&marked, IDENTITY, &red]);
    let bundle = read(&text);
    let mut definitions = Definitions::standard();
    definitions.learn_bundle(&bundle);
    let first = bundle.objects().next().expect("an object").expect("it is taken");
    assert_eq!(definitions.claims(&first.head).whole.tlp, Some(Tlp::Red));
}

#[test]
fn a_definition_that_is_refused_or_disguised_stays_unknown() {
    let refused = definition(OTHER, r#""definition_type":"tlp","definition":7"#);
    let disguised = definition(OTHER, r#""definition_type":"tlp","definition":{"tlp":"white"}"#)
        .replace("marking-definition\"", "marking\\u002ddefinition\"");
    for definition in [refused, disguised] {
        let text = bundle_of(&[&definition]);
        let mut definitions = Definitions::standard();
        definitions.learn_bundle(&read(&text));
        assert_eq!(definitions.claims(&taken(&marked(&[OTHER])).head).whole.unknown.len(), 1);
    }
}

#[test]
fn a_granular_marking_marks_its_part() {
    let text = granular(INDICATOR, &[(RED_1, &["pattern", "labels.[1]"]), (GREEN_1, &["name"])]);
    let claims = claims(&text, &[]);
    assert!(claims.whole.silent());
    assert_eq!(claims.parts.len(), 3);
    assert_eq!(part(&claims, "pattern").tlp, Some(Tlp::Red));
    assert_eq!(part(&claims, "labels.[1]").tlp, Some(Tlp::Red));
    assert_eq!(part(&claims, "name").tlp, Some(Tlp::Green));
    assert_eq!(claims.ceiling().tlp, Some(Tlp::Red));
}

#[test]
fn a_part_is_never_marked_lower_than_what_it_is_part_of() {
    let text = granular(
        &marked(&[AMBER_1]),
        &[(GREEN_1, &["name", "labels"]), (RED_1, &["labels"]), (WHITE_1, &["labels.[0]"])],
    );
    let claims = claims(&text, &[]);
    assert_eq!(claims.whole.tlp, Some(Tlp::Amber));
    assert_eq!(part(&claims, "name").tlp, Some(Tlp::Amber));
    assert_eq!(part(&claims, "labels.[0]").tlp, Some(Tlp::Red));
}

#[test]
fn a_part_is_not_within_another_whose_name_begins_alike() {
    let object = with(INDICATOR, "name_2", "\"x\"");
    let claims = claims(&granular(&object, &[(RED_1, &["name"]), (GREEN_1, &["name_2"])]), &[]);
    assert_eq!(part(&claims, "name_2").tlp, Some(Tlp::Green));
}

/// The sender meant to mark something; what, cannot be said.
#[test]
fn a_selector_that_names_nothing_marks_the_whole_object() {
    for selector in ["nothing", "labels.[2]", "labels.1", "labels.[x]", "name.[0]", "", ".", "x.y"]
    {
        let text = granular(INDICATOR, &[(RED_1, &["name", selector])]);
        let object = taken(&text);
        assert_eq!(slugs_of(&object.remarks), ["stix-selector"], "{selector}");
        assert!(object.head.granular_markings.iter().any(|g| g.reach == Reach::Whole));
        assert_eq!(claims(&text, &[]).whole.tlp, Some(Tlp::Red), "{selector}");
    }
    let none = granular(INDICATOR, &[(RED_1, &[])]);
    assert_eq!(claims(&none, &[]).whole.tlp, Some(Tlp::Red));
}

#[test]
fn a_selector_reaches_into_lists_and_dictionaries() {
    let text = with(INDICATOR, "x", r#"{"a-b":[{"SHA-256":"d"}]}"#);
    let object = taken(&text);
    let found =
        Selector::find("x.a-b.[0].SHA-256", object.value()).and_then(interop::json::Json::text);
    assert_eq!(found, Some("d"));
}

#[test]
fn a_granular_marking_has_a_definition_or_a_language() {
    let list = |text: &str| with(INDICATOR, "granular_markings", text);
    assert!(
        taken(&list(r#"[{"lang":"de","selectors":["name"]}]"#)).head.granular_markings.is_empty()
    );
    assert_eq!(slugs(&list(r#"[{"selectors":["name"]}]"#)), ["stix-wrong-kind"]);
    assert_eq!(
        slugs(&list(r#"[{"marking_ref":7,"lang":"de","selectors":["name"]}]"#)),
        ["stix-wrong-kind"]
    );
    assert_eq!(slugs(&list(r#"[{"marking_ref":"red","selectors":["name"]}]"#)), ["stix-id"]);
    let tool =
        r#"[{"marking_ref":"tool--a932fcc6-e032-476c-826f-cb970a5a1ade","selectors":["name"]}]"#;
    assert_eq!(slugs(&list(tool)), ["stix-id-type"]);
    assert_eq!(slugs(&list("[7]")), ["stix-wrong-kind"]);
    let both = format!(r#"[{{"marking_ref":"{RED_1}","lang":"de","selectors":["name"]}}]"#);
    assert_eq!(claims(&list(&both), &[]).ceiling().tlp, Some(Tlp::Red));
}

#[test]
fn tlp_is_ordered_and_has_one_text() {
    assert!(Tlp::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    for tlp in Tlp::ALL {
        assert_eq!(tlp.as_str().parse(), Ok(tlp));
        assert_eq!(tlp.as_str().to_ascii_lowercase().trim_start_matches("tlp:").parse(), Ok(tlp));
    }
    assert_eq!("TLP:WHITE".parse(), Ok(Tlp::Clear));
    for text in ["", "TLP:", "AMBER STRICT", "AMBER-STRICT", "TLP:TLP:RED", "BLACK"] {
        assert!(text.parse::<Tlp>().is_err(), "{text}");
    }
}

#[test]
fn the_definitions_that_we_send_are_ones_that_we_take() {
    for tlp in Tlp::ALL {
        let text = tlp.definition();
        let object = taken(&text);
        assert!(object.remarks.is_empty());
        assert_eq!(object.head.id.as_str(), tlp.definition_id());
        assert_eq!(object.head.name.as_deref(), Some(tlp.as_str()));
    }
}

// From claim to label.

fn scheme(name: &str) -> SchemeId {
    SchemeId(Token::new(name).expect("a token"))
}

fn level(level: u8) -> Marking {
    Marking { level: Level(level), ..Marking::default() }
}

fn codes(codes: &[&str]) -> BTreeSet<Token> {
    codes.iter().map(|code| Token::new(*code).expect("a token")).collect()
}

fn tlp_table(tlp: Tlp) -> (SchemeId, Marking) {
    let ranks =
        [(Tlp::Clear, 0), (Tlp::Green, 1), (Tlp::Amber, 2), (Tlp::AmberStrict, 3), (Tlp::Red, 4)];
    let rank = ranks.iter().find(|(known, _)| *known == tlp).expect("every level").1;
    (scheme("TLP"), level(rank))
}

/// A table with a definition that was agreed on with a partner.
struct Agreed;

impl LabelMap for Agreed {
    fn tlp(&self, tlp: Tlp) -> (SchemeId, Marking) {
        tlp_table(tlp)
    }

    fn definition(&self, id: &StixId) -> Option<(SchemeId, Marking)> {
        (id.as_str() == OTHER).then(|| (scheme("NATO"), level(3)))
    }
}

const AGENCY: AgencyId = AgencyId([7; 16]);

fn unmarked() -> Label {
    let marking = Marking { compartments: codes(&["NORTH"]), ..level(2) };
    Label::simple(scheme("NATIONAL"), marking, AGENCY, Play::Live)
}

fn label(object: &str, map: &impl LabelMap) -> BTreeMap<SchemeId, Marking> {
    let label = claims(object, &[]).ceiling().label(map, &unmarked()).expect("a label");
    assert_eq!((label.originators(), label.play()), (&BTreeSet::from([AGENCY]), Play::Live));
    label.markings().clone()
}

#[test]
fn an_unmarked_object_gets_what_the_caller_says() {
    assert_eq!(label(INDICATOR, &tlp_table), *unmarked().markings());
}

#[test]
fn a_level_becomes_what_the_table_says_and_nothing_else() {
    for (id, rank) in
        [(WHITE_1, 0), (AMBER_1, 2), (Tlp::AmberStrict.definition_id(), 3), (RED_1, 4)]
    {
        assert_eq!(
            label(&marked(&[id]), &tlp_table),
            BTreeMap::from([(scheme("TLP"), level(rank))])
        );
    }
}

#[test]
fn an_unknown_marking_becomes_the_strictest_of_the_table_beside_the_default() {
    let expected = BTreeMap::from([
        (scheme("TLP"), level(4)),
        (scheme("NATIONAL"), unmarked().markings()[&scheme("NATIONAL")].clone()),
    ]);
    assert_eq!(label(&marked(&[OTHER]), &tlp_table), expected);
    assert_eq!(label(&marked(&[WHITE_1, OTHER]), &tlp_table), expected);
}

#[test]
fn an_agreed_definition_becomes_what_was_agreed() {
    assert_eq!(label(&marked(&[OTHER]), &Agreed), BTreeMap::from([(scheme("NATO"), level(3))]));
    let both = BTreeMap::from([(scheme("NATO"), level(3)), (scheme("TLP"), level(1))]);
    assert_eq!(label(&marked(&[OTHER, GREEN_1]), &Agreed), both);
}

#[test]
fn two_markings_of_one_scheme_are_joined() {
    let one = Marking {
        level: Level(1),
        compartments: codes(&["SOUTH"]),
        releasable_to: Releasable::Only(codes(&["DEU", "FRA"])),
        caveats: codes(&["EYES"]),
    };
    let other = Marking {
        level: Level(2),
        compartments: codes(&["NORTH"]),
        releasable_to: Releasable::Only(codes(&["FRA", "GBR"])),
        caveats: codes(&["ORCON"]),
    };
    let joined = Marking {
        level: Level(2),
        compartments: codes(&["NORTH", "SOUTH"]),
        releasable_to: Releasable::Only(codes(&["FRA"])),
        caveats: codes(&["EYES", "ORCON"]),
    };
    let join = |table: &Marking, default: &Marking| {
        let map = |_: Tlp| (scheme("NATIONAL"), table.clone());
        let unmarked = Label::simple(scheme("NATIONAL"), default.clone(), AGENCY, Play::Live);
        let claim = claims(&marked(&[OTHER]), &[]).whole;
        claim.label(&map, &unmarked).expect("a label").markings()[&scheme("NATIONAL")].clone()
    };
    assert_eq!(join(&one, &other), joined);
    assert_eq!(join(&other, &one), joined);
    let open = Marking { releasable_to: Releasable::Unrestricted, ..one.clone() };
    assert_eq!(join(&open, &other).releasable_to, other.releasable_to);
    assert_eq!(join(&other, &open).releasable_to, other.releasable_to);
    let nobody = Marking { releasable_to: Releasable::Only(codes(&[])), ..one };
    assert_eq!(join(&nobody, &other).releasable_to, Releasable::Only(codes(&[])));
}
