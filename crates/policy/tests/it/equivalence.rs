//! Equivalence tables: how they map, and the laws that are tried before anybody signs.

use base::{Level, Marking};
use policy::equivalence::Law;
use policy::{Error, Mapped, Outcome, Row, Table};

use crate::world::{POLICE, label, marking, released, scheme, schemes, tokens};

fn row(level: u8, required: &[&str], to: u8, add: &[&str]) -> Row {
    let outcome = Outcome::Map { level: Level(to), add: tokens(add) };
    Row { level: Level(level), required: tokens(required), outcome }
}

fn refuse(level: u8, required: &[&str], outcome: Outcome) -> Row {
    Row { level: Level(level), required: tokens(required), outcome }
}

fn table(from: &str, to: &str, rows: Vec<Row>) -> Table {
    Table { from: scheme(from), to: scheme(to), rows }
}

fn sound() -> Table {
    table(
        "NAT",
        "NATO",
        vec![
            row(1, &[], 1, &[]),
            row(2, &[], 2, &[]),
            row(3, &[], 3, &[]),
            row(4, &[], 4, &[]),
            row(4, &["KESTREL"], 4, &["ATOMAL"]),
            row(4, &["LANTERN"], 5, &[]),
            refuse(4, &["TIDEWATER"], Outcome::Reject),
            refuse(5, &[], Outcome::NeedsHuman),
        ],
    )
}

fn map(of: &Table, marking: &Marking) -> Mapped<Marking> {
    of.map(marking, schemes().get(&of.to).expect("a scheme"))
}

#[test]
fn rows_that_apply_apply_together() {
    let mapped = |marking: Marking| map(&sound(), &marking);
    assert_eq!(mapped(marking(3, &[])), Mapped::To(marking(3, &[])));
    assert_eq!(mapped(marking(4, &["KESTREL"])), Mapped::To(marking(4, &["ATOMAL"])));
    let both = mapped(marking(4, &["KESTREL", "LANTERN"]));
    assert_eq!(both, Mapped::To(marking(5, &["ATOMAL"])), "the highest level and every code");
}

#[test]
fn no_row_no_flow() {
    let mapped = |marking: Marking| map(&sound(), &marking);
    assert_eq!(mapped(marking(3, &["KESTREL"])), Mapped::Reject, "a code without a row");
    assert_eq!(mapped(marking(4, &["TIDEWATER", "KESTREL"])), Mapped::Reject);
    assert_eq!(mapped(marking(5, &[])), Mapped::NeedsHuman);
    let only_code = table("NAT", "NATO", vec![row(4, &["KESTREL"], 4, &["ATOMAL"])]);
    assert_eq!(map(&only_code, &marking(4, &["KESTREL"])), Mapped::Reject, "a level without a row");
}

#[test]
fn audiences_only_narrow_and_unknown_caveats_need_a_person() {
    let mapped = map(&sound(), &released(2, &["FRA", "POLICE"]));
    assert_eq!(mapped, Mapped::To(released(2, &["FRA"])), "POLICE is no audience of NATO");
    assert_eq!(map(&sound(), &released(2, &["POLICE"])), Mapped::To(released(2, &[])));
    let caveat = |code: &str| Marking { caveats: tokens(&[code]), ..marking(3, &[]) };
    assert_eq!(map(&sound(), &caveat("ORCON")), Mapped::To(caveat("ORCON")));
    assert_eq!(map(&sound(), &caveat("SOURCE")), Mapped::NeedsHuman);
}

#[test]
fn a_label_is_relabelled_in_its_own_marking_only() {
    let (schemes, table) = (schemes(), sound());
    let outcome = |l| table.relabel(&l, &schemes).expect("known");
    let mapped = outcome(label("NAT", marking(4, &["KESTREL"]), &[POLICE]));
    assert_eq!(mapped, Mapped::To(label("NATO", marking(4, &["ATOMAL"]), &[POLICE])));
    let other = label("UK", marking(2, &[]), &[POLICE]);
    assert_eq!(outcome(other.clone()), Mapped::To(other));
}

#[test]
fn a_sound_table_passes_its_laws() {
    let back = table("NATO", "NAT", (1..=4).map(|n| row(n, &[], n, &[])).collect());
    assert!(sound().check(None, &schemes()).is_ok());
    assert!(sound().check(Some(&back), &schemes()).is_ok());
}

#[test]
fn a_table_that_is_not_monotone_is_refused_with_a_counterexample() {
    let lowering = table("NAT", "NATO", vec![row(2, &[], 3, &[]), row(3, &[], 2, &[])]);
    let Err(Error::Equivalence(example)) = lowering.check(None, &schemes()) else {
        panic!("it is refused");
    };
    assert_eq!(example.law, Law::Monotone);
    assert_eq!(
        example.to_string(),
        "equivalence `NAT` to `NATO`: (R) becomes (NC), but the higher (C) becomes only (NR)"
    );
}

#[test]
fn a_round_trip_that_lowers_is_refused_with_a_counterexample() {
    let there = table("NAT", "NATO", vec![row(4, &[], 4, &[]), row(4, &["KESTREL"], 4, &[])]);
    let back = table("NATO", "NAT", vec![row(4, &[], 4, &[])]);
    assert!(there.check(None, &schemes()).is_ok());
    let Err(Error::Equivalence(example)) = there.check(Some(&back), &schemes()) else {
        panic!("it is refused");
    };
    assert_eq!(example.law, Law::RoundTrip);
    assert_eq!(
        example.to_string(),
        "equivalence `NAT` to `NATO`: (S//KST) becomes (NS) and comes back as only (S)"
    );
}

#[test]
fn a_table_that_names_what_is_not_there_is_refused() {
    let tlp = table("TLP", "NAT", vec![row(0, &[], 1, &[])]);
    let twice = table("NAT", "NATO", vec![row(1, &[], 1, &[]), row(1, &[], 2, &[])]);
    for (rule, table) in [
        ("TLP is never mapped to a classification", tlp),
        ("a marking has one row", twice),
        ("a level exists there", table("NAT", "NATO", vec![row(1, &[], 9, &[])])),
        ("a level exists here", table("NAT", "NATO", vec![row(9, &[], 1, &[])])),
        ("a code exists there", table("NAT", "NATO", vec![row(1, &[], 1, &["KESTREL"])])),
        ("a code exists here", table("NAT", "NATO", vec![row(1, &["ATOMAL"], 1, &[])])),
        ("two schemes differ", table("NAT", "NAT", vec![row(1, &[], 1, &[])])),
    ] {
        let outcome = table.check(None, &schemes());
        assert!(matches!(outcome, Err(Error::Table { .. })), "{rule}");
    }
    let empty = table("NAT", "NOWHERE", Vec::new());
    assert!(matches!(empty.check(None, &schemes()), Err(Error::SchemeUnknown(_))));
}
