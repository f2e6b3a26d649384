//! Why and why not, in words, and to those entitled only.

use policy::{Clause, Explanation, Shown, explain};

use crate::world::{
    ARMY, For, INTEL, POLICE, agreement, analyst, clause, epoch, label, marking, name, nat,
    profile, released, tokens,
};

fn told(reader: policy::Attributes, shown: Shown, label: &base::Label) -> Explanation {
    let limited = Clause { training: tokens(&["SOURCES"]), ..clause(2, INTEL, POLICE) };
    let signed = agreement(1, vec![clause(1, ARMY, POLICE), limited]);
    let ask = For::protection("report:read");
    explain(&epoch(&[&signed]), &profile(reader), ask.intent(), (shown, label), &name)
}

#[test]
fn an_allowed_read_names_its_clauses() {
    let label = label("NAT", marking(3, &[]), &[ARMY, POLICE]);
    let told = told(analyst(POLICE, 4), Shown::Label, &label);
    insta::assert_snapshot!(told.to_text(), @"");
}

#[test]
fn a_missing_clause_is_named_by_what_it_would_have_to_say() {
    let label = label("NAT", marking(5, &["KESTREL"]), &[ARMY, INTEL]);
    let told = told(analyst(POLICE, 5), Shown::Label, &label);
    insta::assert_snapshot!(told.to_text(), @"");
}

#[test]
fn a_missing_clearance_is_named() {
    let marking =
        base::Marking { compartments: tokens(&["LANTERN", "TIDEWATER"]), ..released(5, &["DEU"]) };
    let told = told(analyst(POLICE, 4), Shown::Label, &label("NAT", marking, &[POLICE]));
    insta::assert_snapshot!(told.to_text(), @"");
}

#[test]
fn absent_and_withheld_are_explained_alike() {
    for label in [nat(1, POLICE), nat(5, ARMY), label("UK", marking(3, &["STRAP1"]), &[INTEL])] {
        let told = told(analyst(POLICE, 4), Shown::Nothing, &label);
        assert_eq!(told, Explanation::absent());
    }
}
