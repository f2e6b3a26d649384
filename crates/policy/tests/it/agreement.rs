//! Agreements: what may be signed, how it reads, and the names of clauses.

use base::{ClauseId, Level, NonEmpty, Time};
use policy::{
    Action, Agreement, Clause, ClauseRef, Discloses, Effect, Error, Grantee, Limits, Outcome,
    Roles, Row, Table, Window, agreement_prose, next_boundary, prose,
};

use crate::world::{
    ARMY, DISTRICT, FIRE, INTEL, POLICE, action, agreement, at, ceilings, clause, name, scheme,
    schemes, token, tokens, wrapped,
};

fn refused(agreement: &Agreement) -> String {
    agreement.check(&schemes()).expect_err("a refusal").to_string()
}

fn with(change: impl FnOnce(&mut Clause)) -> Agreement {
    let mut clause = clause(1, ARMY, POLICE);
    change(&mut clause);
    agreement(1, vec![clause])
}

#[test]
fn a_sound_agreement_may_be_signed() {
    agreement(1, vec![clause(1, ARMY, POLICE), clause(2, POLICE, FIRE)])
        .check(&schemes())
        .expect("it may be signed");
}

#[test]
fn an_agreement_that_contradicts_itself_is_refused() {
    let window = Window { starts_at: at(5), ends_at: at(5) };
    let ends = Agreement { force: window, ..agreement(1, Vec::new()) };
    assert!(refused(&ends).contains("ends before it starts"));
    assert!(refused(&with(|c| c.force = window)).contains("ends before it starts"));
    let twice = agreement(1, vec![clause(1, ARMY, POLICE), clause(1, FIRE, POLICE)]);
    assert!(refused(&twice).contains("stands twice"));
    assert!(refused(&with(|c| c.grantors = NonEmpty::one(DISTRICT))).contains("no party"));
    let stranger = |c: &mut Clause| {
        c.grantees = NonEmpty::one(Grantee { agency: DISTRICT, roles: Roles::Any });
    };
    assert!(refused(&with(stranger)).contains("no party"));
    assert!(refused(&with(|c| c.purposes = NonEmpty::one(token("GAIN")))).contains("purpose"));
    let nothing = |c: &mut Clause| c.limits.ceilings.clear();
    assert!(refused(&with(nothing)).contains("permits nothing"));
    let hit = |c: &mut Clause| c.actions = NonEmpty::one(action("report:exists"));
    assert!(refused(&with(hit)).contains("existence"));
}

#[test]
fn a_limit_names_only_what_its_scheme_has() {
    for (rule, of) in [
        ("not known", ceilings(&[("NOWHERE", 1, &[])])),
        ("no level", ceilings(&[("NAT", 9, &[])])),
        ("no compartment", ceilings(&[("NAT", 4, &["ATOMAL"])])),
    ] {
        assert!(refused(&with(|c| c.limits.ceilings = of)).contains(rule), "{rule}");
    }
    let caveat = |c: &mut Clause| c.limits.caveats_excluded = tokens(&["NOWHERE"]);
    assert!(refused(&with(caveat)).contains("of no scheme"));
}

#[test]
fn an_agreement_has_at_most_its_limit_of_clauses() {
    let clauses = |count: usize| {
        let id = |n: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(n as u64).to_be_bytes());
            ClauseId(id)
        };
        (0..count).map(|n| Clause { id: id(n), ..clause(1, ARMY, POLICE) }).collect()
    };
    let most = policy::CLAUSES_PER_AGREEMENT;
    assert!(agreement(1, clauses(most)).check(&schemes()).is_ok());
    assert!(refused(&agreement(1, clauses(most + 1))).contains("more than 200 clauses"));
}

#[test]
fn a_table_that_breaks_a_law_is_not_signed() {
    let outcome = |to| Outcome::Map { level: Level(to), add: tokens(&[]) };
    let row = |level, to| Row { level: Level(level), required: tokens(&[]), outcome: outcome(to) };
    let table = |from: &str, to: &str, rows| Table { from: scheme(from), to: scheme(to), rows };
    let there = table("NAT", "NATO", vec![row(3, 2)]);
    let back = table("NATO", "NAT", vec![row(2, 2)]);
    let alone = Agreement { equivalences: vec![there.clone()], ..agreement(1, Vec::new()) };
    assert!(alone.check(&schemes()).is_ok());
    let both = Agreement { equivalences: vec![there, back], ..agreement(1, Vec::new()) };
    assert!(refused(&both).contains("comes back as only (R)"));
}

#[test]
fn an_empty_audience_cannot_be_written_down() {
    let json = serde_json::to_value(agreement(1, vec![clause(1, ARMY, POLICE)])).expect("JSON");
    assert!(serde_json::from_value::<Agreement>(json.clone()).is_ok());
    for path in ["grantors", "grantees", "actions", "purposes"] {
        let mut empty = json.clone();
        empty["clauses"][0][path] = serde_json::json!([]);
        assert!(serde_json::from_value::<Agreement>(empty).is_err(), "{path}");
    }
    let mut roles = json;
    roles["clauses"][0]["grantees"][0]["roles"] = serde_json::json!({ "only": [] });
    assert!(serde_json::from_value::<Agreement>(roles).is_err(), "roles");
}

#[test]
fn a_clause_reads_as_it_decides() {
    let clause = Clause {
        grantors: NonEmpty::new(vec![INTEL, ARMY]).expect("grantors"),
        grantees: NonEmpty::new(vec![
            Grantee {
                agency: POLICE,
                roles: Roles::Only(
                    NonEmpty::new(vec![token("WATCH"), token("ANALYST")]).expect("roles"),
                ),
            },
            Grantee { agency: FIRE, roles: Roles::Any },
        ])
        .expect("grantees"),
        actions: NonEmpty::new(vec![action("report:read"), action("entity:read")])
            .expect("actions"),
        limits: Limits {
            ceilings: ceilings(&[("NAT", 4, &["KESTREL", "LANTERN"]), ("NATO", 3, &[])]),
            caveats_excluded: tokens(&["ORCON"]),
        },
        training: tokens(&["SOURCES"]),
        force: Window { starts_at: at(0), ends_at: at(86_400_000) },
        ..clause(1, ARMY, POLICE)
    };
    insta::assert_snapshot!(wrapped(&prose(&clause, &schemes(), &name)), @r"
    Clause 01010101-0101-0101-0101-010101010101 (version 1). From
        1970-01-01T00:00:00.000Z until 1970-01-02T00:00:00.000Z, Police in the role
        of `ANALYST` or `WATCH` and everybody of Fire may `entity:read` and
        `report:read` upon what originates with Army and Intelligence. This covers up
        to SECRET with no compartment but `KESTREL` and `LANTERN`; up to NATO
        CONFIDENTIAL without compartment; nothing marked `ORCON`, for the purpose of
        `PROTECTION`; the reader must have passed `SOURCES`.
    ");
    let hit = Clause { effect: Effect::Forbid, discloses: Discloses::Existence, ..clause };
    insta::assert_snapshot!(wrapped(&prose(&hit, &schemes(), &name)), @r"
    Clause 01010101-0101-0101-0101-010101010101 (version 1). From
        1970-01-01T00:00:00.000Z until 1970-01-02T00:00:00.000Z, Police in the role
        of `ANALYST` or `WATCH` and everybody of Fire may never learn that something
        exists, and nothing of its content, under `entity:read` and `report:read`
        upon what originates with Army and Intelligence. Whatever other clauses
        permit, this spares only up to SECRET with no compartment but `KESTREL` and
        `LANTERN`; up to NATO CONFIDENTIAL without compartment; nothing marked
        `ORCON`, for the purpose of `PROTECTION`; the reader must have passed
        `SOURCES`.
    ");
}

#[test]
fn an_agreement_reads_from_title_to_retention() {
    let rows = vec![
        Row {
            level: Level(4),
            required: tokens(&["KESTREL"]),
            outcome: Outcome::Map { level: Level(4), add: tokens(&["ATOMAL"]) },
        },
        Row { level: Level(5), required: tokens(&[]), outcome: Outcome::NeedsHuman },
    ];
    let table = Table { from: scheme("NAT"), to: scheme("NATO"), rows };
    let agreement = Agreement {
        equivalences: vec![table],
        force: Window { starts_at: at(0), ends_at: at(86_400_000) },
        ..agreement(1, vec![clause(1, ARMY, POLICE)])
    };
    insta::assert_snapshot!(wrapped(&agreement_prose(&agreement, &schemes(), &name)), @r"
    Joint protection (version 1), agreement 01010101-0101-0101-0101-010101010101.
    Between Police, Army, Intelligence and Fire, on the basis of Security Act,
        section 12, for the purpose of `EMERGENCY` or `PROTECTION`, from
        1970-01-01T00:00:00.000Z until 1970-01-02T00:00:00.000Z.
    Clause 01010101-0101-0101-0101-010101010101 (version 1). From
        1970-01-01T00:00:00.000Z until 9999-12-31T23:59:59.999Z, everybody of Police
        may `report:read` upon what originates with Army. This covers up to SECRET
        without compartment; nothing marked `ORCON`, for the purpose of `PROTECTION`;
        no course is required.
    Equivalence of NAT with NATO: SECRET with `KESTREL` is NATO SECRET with `ATOMAL`;
        TOP SECRET is marked anew by a person.
    A grantee erases what it received within 365 days. Nothing is handed on without
        the originator's consent.
    ");
}

#[test]
fn the_canonical_bytes_are_frozen() {
    // A vector: signatures are over these bytes, so they never change.
    let agreement = agreement(1, vec![clause(1, ARMY, POLICE)]);
    let digest = agreement.digest().to_string();
    assert_eq!(digest, "a6fc149063fc7175b86b28d76d064e51cabe41038529e5d6cf4450a416809aae");
}

#[test]
fn a_clause_is_named_by_agreement_clause_and_version() {
    let agreement = agreement(1, vec![clause(2, ARMY, POLICE)]);
    let named = agreement.clause_ref(&agreement.clauses[0]);
    let text = "01010101-0101-0101-0101-010101010101:02020202-0202-0202-0202-020202020202:1";
    assert_eq!(named.to_string(), text);
    assert_eq!(text.parse::<ClauseRef>().expect("a name"), named);
    for wrong in ["", "mandatory:NAT", "reports/read-own", &text.replace(":1", ":01")] {
        assert!(wrong.parse::<ClauseRef>().is_err(), "{wrong}");
    }
}

#[test]
fn an_action_is_a_noun_and_a_verb() {
    assert_eq!(action("report:read").existence(), action("report:exists"));
    for wrong in ["", "report", "report:", ":read", "Report:read", "a:b:c", "report:re\"ad", "1:a"]
    {
        assert!(matches!(Action::new(wrong), Err(Error::Action(_))), "{wrong}");
    }
    assert!(Action::new(format!("a:{}", "b".repeat(62))).is_ok());
    assert!(Action::new(format!("a:{}", "b".repeat(63))).is_err());
}

#[test]
fn the_next_boundary_is_the_first_of_all() {
    let mut clause = clause(1, ARMY, POLICE);
    clause.force = Window { starts_at: at(300), ends_at: at(400) };
    let force = Window { starts_at: at(100), ends_at: at(500) };
    let agreement = Agreement { force, ..agreement(1, vec![clause]) };
    let next = |now| next_boundary(at(now), &[&agreement], &[at(50), at(350)]);
    let times: Vec<i64> = [0, 50, 100, 300, 350, 400].map(|now| next(now).ms()).into();
    assert_eq!(times, [50, 100, 300, 350, 400, 500]);
    assert_eq!(next(500), Time::MAX);
}
