//! Schemes: what loads, what is refused, and that no two markings look the same.

use std::collections::{BTreeMap, BTreeSet};

use base::{ExerciseId, Label, Level, Marking, Play, Releasable};
use policy::scheme::Sort;
use policy::{Error, Form, Scheme, Schemes, join};
use proptest::prelude::*;

use crate::world::{POLICE, label, marking, nat, released, scheme, schemes, token, tokens};

fn get(id: &str) -> Scheme {
    schemes().get(&scheme(id)).expect("a scheme").clone()
}

fn with_caveats(marking: Marking, caveats: &[&str]) -> Marking {
    Marking { caveats: tokens(caveats), ..marking }
}

#[test]
fn the_shipped_schemes_load() {
    let schemes = schemes();
    let ids: Vec<String> = schemes.iter().map(|scheme| scheme.id().to_string()).collect();
    assert_eq!(ids, ["NAT", "NATO", "TLP", "UK"]);
    assert_eq!(get("NATO").level(Level(5)).expect("a level").name.as_str(), "COSMIC TOP SECRET");
    assert_eq!(get("TLP").file().kind, Sort::Audience);
}

#[test]
fn banners_and_portion_marks_are_written_as_the_scheme_says() {
    let schemes = schemes();
    let written = |id, marking| {
        let label = label(id, marking, &[POLICE]);
        let banner = schemes.banner(&label).expect("a banner");
        (banner, schemes.portion(&label).expect("a portion mark"))
    };
    let pair = |banner: &str, portion: &str| (banner.to_owned(), portion.to_owned());
    let atomal = Marking {
        compartments: tokens(&["ATOMAL", "CRYPTO"]),
        ..with_caveats(released(4, &["FRA", "DEU"]), &["ORCON"])
    };
    assert_eq!(
        written("NATO", atomal),
        pair(
            "NATO SECRET//ATOMAL/CRYPTOSECURITY//REL TO DEU, FRA//ORIGINATOR CONTROLLED",
            "(NS//ATOMAL/CRYPTO//REL TO DEU, FRA//OC)"
        )
    );
    assert_eq!(
        written("NAT", released(4, &["FRA"])),
        pair("SECRET//REL TO FRA", "(S//REL TO FRA)")
    );
    assert_eq!(
        written("UK", with_caveats(marking(1, &[]), &["SENSITIVE"])),
        pair("UK OFFICIAL-SENSITIVE", "(UK O-S)")
    );
    assert_eq!(
        written("UK", released(2, &["GBR"])),
        pair("UK SECRET//UK EYES ONLY", "(UK S//UKEO)")
    );
    assert_eq!(
        written("NAT", released(4, &[])),
        pair("SECRET//REL TO NOBODY", "(S//REL TO NOBODY)")
    );
    assert_eq!(written("TLP", marking(0, &[])), pair("TLP:CLEAR", "(TLP:CLEAR)"));
}

#[test]
fn a_label_of_an_exercise_says_so_first() {
    let markings =
        BTreeMap::from([(scheme("NAT"), marking(4, &[])), (scheme("NATO"), marking(3, &[]))]);
    let play = Play::Exercise(ExerciseId([9; 16]));
    let label = Label::new(markings, BTreeSet::from([POLICE]), play).expect("a label");
    let schemes = schemes();
    assert_eq!(schemes.banner(&label).expect("a banner"), "EXERCISE | SECRET | NATO CONFIDENTIAL");
    let read = schemes.parse_portion("(EXERCISE | S | NC)").expect("markings");
    assert_eq!(&read, label.markings());
}

#[test]
fn a_typed_portion_mark_is_read() {
    let read = |text: &str| schemes().parse_portion(text);
    let expected = BTreeMap::from([(scheme("NAT"), released(4, &["FRA"]))]);
    for text in ["(S//REL TO FRA)", " s // rel to fra ", "(S//REL TO  FRA )"] {
        assert_eq!(read(text).expect(text), expected, "{text}");
    }
    let both = read("(NS//ATOMAL | TLP:AMBER)").expect("two markings");
    assert_eq!(both.keys().map(ToString::to_string).collect::<Vec<_>>(), ["NATO", "TLP"]);
    for wrong in
        ["", "()", "(X)", "(S//FOO)", "(S//REL TO ATLANTIS)", "(S | C)", "(S//KST//KST)", "S//"]
    {
        assert!(matches!(read(wrong), Err(Error::Portion(_))), "{wrong}");
    }
}

#[test]
fn constraints_bind_who_composes_but_not_what_a_join_leaves() {
    let uk = get("UK");
    let wrong = with_caveats(marking(2, &[]), &["SENSITIVE"]);
    assert!(matches!(uk.check(&wrong), Err(Error::Marking { .. })), "SENSITIVE is within OFFICIAL");
    let joined = join(
        &label("UK", with_caveats(marking(1, &[]), &["SENSITIVE"]), &[POLICE]),
        &label("UK", marking(2, &[]), &[POLICE]),
    )
    .expect("a join");
    assert_eq!(schemes().banner(&joined).expect("a banner"), "UK SECRET-SENSITIVE");
    let nat = get("NAT");
    for (marking, rule) in [
        (marking(1, &["KESTREL"]), "a compartment has a lowest level"),
        (marking(4, &["GREYSTONE"]), "a compartment may need another"),
        (marking(4, &["GREYSTONE", "KESTREL", "LANTERN"]), "compartments may exclude each other"),
        (marking(9, &[]), "a level exists"),
        (marking(4, &["NOWHERE"]), "a compartment exists"),
        (with_caveats(marking(4, &[]), &["NOWHERE"]), "a caveat exists"),
        (released(4, &["NOWHERE"]), "an audience exists"),
    ] {
        assert!(nat.check(&marking).is_err(), "{rule}");
    }
    assert!(nat.check(&marking(4, &["GREYSTONE", "KESTREL"])).is_ok());
}

#[test]
fn a_holder_of_an_audience_holds_its_groups() {
    let schemes = schemes();
    let held = schemes.audiences_of(&tokens(&["FRA", "ARMY"]));
    assert_eq!(held, tokens(&["FRA", "NATO", "EU", "ARMY", "FORCES"]));
    assert_eq!(schemes.audiences_of(&tokens(&["GBR"])), tokens(&["GBR", "NATO", "FVEY"]));
    let expanded = get("NATO").expanded(&Releasable::Only(tokens(&["FVEY", "FRA"])));
    assert_eq!(expanded, Releasable::Only(tokens(&["FRA", "AUS", "CAN", "GBR", "NZL", "USA"])));
}

#[test]
fn tlp_values_nest_and_join_to_the_narrower() {
    let schemes = schemes();
    let read = |text: &str| {
        let marking = schemes.parse_portion(text).expect(text).remove(&scheme("TLP"));
        label("TLP", marking.expect("a marking"), &[POLICE])
    };
    let ladder = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"];
    for (low, wide) in ladder.iter().enumerate() {
        for (high, narrow) in ladder.iter().enumerate() {
            let joined = join(&read(wide), &read(narrow)).expect("a join");
            let expected = ladder[low.max(high)];
            assert_eq!(schemes.banner(&joined).expect("a banner"), expected);
        }
    }
    let circles = ladder.map(|value| schemes.needs_circle(&read(value)).expect("known"));
    assert_eq!(circles, [false, false, true, true, true]);
}

#[test]
fn a_banner_has_the_colour_of_its_level_or_phrase() {
    let schemes = schemes();
    assert_eq!(schemes.colour(&nat(4, POLICE)), Some("#c8102e"));
    let red = label("TLP", released(0, &["TLP:RED"]), &[POLICE]);
    assert_eq!(schemes.colour(&red), Some("#ff2b2b"));
}

fn file(body: &str) -> String {
    format!(
        "id = \"X\"\ntitle = \"X\"\nversion = 1\nuri = \"urn:x\"\nkind = \"classification\"\n\
         [[levels]]\nrank = 1\ncode = \"LOW\"\nname = \"LOW X\"\nportion = \"LX\"\n\
         colour = \"#000000\"\n{body}"
    )
}

fn level(rank: u8, code: &str, portion: &str) -> String {
    format!(
        "[[levels]]\nrank = {rank}\ncode = \"{code}\"\nname = \"{code} NAME\"\n\
         portion = \"{portion}\"\ncolour = \"#000000\"\n"
    )
}

#[test]
fn a_file_that_breaks_a_rule_is_refused() {
    let compartment = |rest: &str| {
        format!("[[compartments]]\ncode = \"C\"\nname = \"CEE\"\nportion = \"C\"\n{rest}\n")
    };
    assert!(Schemes::load(&[("x", &file(""))]).is_ok());
    for (rule, body) in [
        ("a rank stands once", level(1, "HIGH", "H")),
        ("a code stands once", level(2, "LOW", "H")),
        ("a portion mark stands for one thing", level(2, "HIGH", "LX")),
        ("a level is known", compartment("level_min = \"NOWHERE\"")),
        ("a compartment is known", compartment("requires = [\"NOWHERE\"]")),
        (
            "a word has no separator",
            "[[caveats]]\ncode = \"A\"\nname = \"A//B\"\nportion = \"A\"".into(),
        ),
        ("a word has capitals", "[[caveats]]\ncode = \"A\"\nname = \"a\"\nportion = \"A\"".into()),
        (
            "one thing has one word",
            compartment("") + "[[caveats]]\ncode = \"A\"\nname = \"CEE\"\nportion = \"A\"",
        ),
        (
            "a member is known",
            "[[groups]]\ncode = \"G\"\nname = \"g\"\nmembers = [\"NOWHERE\"]".into(),
        ),
        (
            "a phrase's codes are known",
            "[[phrases]]\ncodes = [\"NOWHERE\"]\nname = \"P\"\nportion = \"P\"".into(),
        ),
        ("nobody is no audience", "[[audiences]]\ncode = \"NOBODY\"\nname = \"n\"".into()),
    ] {
        let outcome = Schemes::load(&[("x", &file(&body))]);
        assert!(matches!(outcome, Err(Error::SchemeRule { .. })), "{rule}: {outcome:?}");
    }
    assert!(matches!(Schemes::load(&[("x", "id = 3")]), Err(Error::SchemeFile(..))));
    assert!(matches!(Schemes::load(&[("x", &file("unknown = 1"))]), Err(Error::SchemeFile(..))));
}

#[test]
fn two_schemes_that_could_be_confused_are_refused() {
    let other = file("").replace("id = \"X\"", "id = \"Y\"");
    let outcome = Schemes::load(&[("x", &file("")), ("y", &other)]);
    assert!(matches!(outcome, Err(Error::SchemeRule { .. })), "heads differ");
    let audience = |id: &str, level: &str, name: &str| {
        let body = format!("[[audiences]]\ncode = \"POLICE\"\nname = \"{name}\"");
        file(&body)
            .replace("\"X\"", &format!("\"{id}\""))
            .replace("LOW X", level)
            .replace("LX", level)
    };
    let (x, y) = (audience("X", "XA", "here"), audience("Y", "YA", "elsewhere"));
    let outcome = Schemes::load(&[("x", &x), ("y", &y)]);
    assert!(matches!(outcome, Err(Error::SchemeRule { .. })), "an audience means one thing");
    assert!(Schemes::load(&[("x", &x), ("x", &x)]).is_err(), "a scheme stands in one file");
}

fn subset(codes: Vec<&'static str>) -> impl Strategy<Value = BTreeSet<base::Token>> {
    let most = codes.len();
    prop::sample::subsequence(codes, 0..=most).prop_map(|codes| tokens(&codes))
}

/// Any marking that the scheme knows, whether or not it keeps the constraints.
fn any_marking(id: &'static str) -> impl Strategy<Value = Marking> {
    let file = get(id).file().clone();
    let leak = |codes: Vec<String>| -> Vec<&'static str> {
        codes.into_iter().map(|code| -> &'static str { code.leak() }).collect()
    };
    let compartments = leak(file.compartments.iter().map(|c| c.code.to_string()).collect());
    let caveats = leak(file.caveats.iter().map(|c| c.code.to_string()).collect());
    let phrases: Vec<_> = file.phrases.iter().map(|phrase| phrase.codes.clone()).collect();
    let levels: Vec<Level> = file.levels.iter().map(|level| level.rank).collect();
    let free = if file.marking.phrases_only {
        Just(BTreeSet::new()).boxed()
    } else {
        let some = file.audiences.iter().take(3).map(|a| a.code.to_string());
        let groups = file.groups.iter().map(|g| g.code.to_string());
        subset(leak(some.chain(groups).chain(["GBR".into()]).collect())).boxed()
    };
    let worded =
        if phrases.is_empty() { free.clone() } else { prop::sample::select(phrases).boxed() };
    let audience = prop_oneof![
        Just(Releasable::Unrestricted),
        free.prop_map(Releasable::Only),
        worded.prop_map(Releasable::Only),
    ];
    (prop::sample::select(levels), subset(compartments), audience, subset(caveats)).prop_map(
        |(level, compartments, releasable_to, caveats)| Marking {
            level,
            compartments,
            releasable_to,
            caveats,
        },
    )
}

fn any_scheme_and_marking() -> impl Strategy<Value = (&'static str, Marking)> {
    prop::sample::select(vec!["NAT", "NATO", "TLP", "UK"])
        .prop_flat_map(|id| any_marking(id).prop_map(move |marking| (id, marking)))
}

proptest! {
    /// Reading gives back what was written, so two markings are never written alike.
    #[test]
    fn writing_is_injective((id, marking) in any_scheme_and_marking()) {
        let schemes = schemes();
        let scheme = schemes.get(&scheme(id)).expect("a scheme");
        for form in [Form::Banner, Form::Portion] {
            let text = scheme.write(&marking, form).expect("a text");
            prop_assert_eq!(scheme.read(&text, form), Some(marking.clone()), "{}", text);
        }
    }

    /// Across schemes too: each portion mark is read by one scheme only.
    #[test]
    fn a_portion_mark_tells_its_scheme((id, marking) in any_scheme_and_marking()) {
        let schemes = schemes();
        let portion = schemes.portion(&label(id, marking.clone(), &[POLICE])).expect("a text");
        let read = schemes.parse_portion(&portion).expect("markings");
        prop_assert_eq!(read, BTreeMap::from([(scheme(id), marking)]));
        let inner = portion.trim_matches(['(', ')']);
        let readers = schemes.iter().filter(|s| s.read(inner, Form::Portion).is_some());
        prop_assert_eq!(readers.count(), 1);
    }

    #[test]
    fn any_typed_text_is_read_or_refused(text in "[(A-Z/|, ):+-]{0,40}") {
        let _outcome = schemes().parse_portion(&text);
    }
}

#[test]
fn an_unknown_code_is_never_written() {
    let strange = Marking { compartments: BTreeSet::from([token("STRANGE")]), ..marking(4, &[]) };
    assert!(schemes().banner(&label("NAT", strange, &[POLICE])).is_err());
    assert!(schemes().banner(&label("ELSEWHERE", marking(1, &[]), &[POLICE])).is_err());
}
