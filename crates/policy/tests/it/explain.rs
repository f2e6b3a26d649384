//! Why and why not, in words, and to those entitled only.

use policy::{Clause, Explanation, Shown, explain};

use crate::world::{
    ARMY, For, INTEL, POLICE, agreement, analyst, clause, epoch, label, marking, name, nat,
    profile, released, tokens, wrapped,
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
    insta::assert_snapshot!(wrapped(&told.to_text()), @r"
    allowed
      + your clearance covers the label
      + Police consents
        + rule `reports/read-own` permits `report:read`
      + Army consents
        + clause 01010101-0101-0101-0101-010101010101 of `Joint protection`, version
            1, permits `report:read`
    ");
}

#[test]
fn a_missing_clause_is_named_by_what_it_would_have_to_say() {
    let label = label("NAT", marking(5, &["KESTREL"]), &[ARMY, INTEL]);
    let told = told(analyst(POLICE, 5), Shown::Label, &label);
    insta::assert_snapshot!(wrapped(&told.to_text()), @r"
    denied
      + your clearance covers the label
      - no clause of Army permits `report:read` at TOP SECRET//KESTREL to Police
        - clause 01010101-0101-0101-0101-010101010101 of `Joint protection`, version
            1, does not reach this label
      - no clause of Intelligence permits `report:read` at TOP SECRET//KESTREL to Police
        - clause 02020202-0202-0202-0202-020202020202 of `Joint protection`, version
            1, asks for the courses SOURCES, and does not reach this label
    ");
}

#[test]
fn a_missing_clearance_is_named() {
    let marking =
        base::Marking { compartments: tokens(&["LANTERN", "TIDEWATER"]), ..released(5, &["DEU"]) };
    let told = told(analyst(POLICE, 4), Shown::Label, &label("NAT", marking, &[POLICE]));
    insta::assert_snapshot!(wrapped(&told.to_text()), @r"
    denied
      - your clearance does not cover the label
        - it needs TOP SECRET, you hold SECRET
        - you lack LANTERN, TIDEWATER of scheme NAT
        - you are none of those to whom it is releasable under scheme NAT
      + Police consents
        + rule `reports/read-own` permits `report:read`
    ");
}

#[test]
fn absent_and_withheld_are_explained_alike() {
    for label in [nat(1, POLICE), nat(5, ARMY), label("UK", marking(3, &["STRAP1"]), &[INTEL])] {
        let told = told(analyst(POLICE, 4), Shown::Nothing, &label);
        assert_eq!(told, Explanation::absent());
    }
}
