//! Measures policy: one figure a line. Run with `cargo run --release -p policy --example
//! bench_policy`.
//!
//! Every clause names the reader's agency, so slicing by agency and action helps nothing; the last
//! figures show what it does when the clauses are spread over twenty agencies.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints its figures"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::label::Cleared;
use base::{
    AgencyId, AgreementId, ClauseId, Clearance, Label, Level, Line, Marking, NonEmpty, Play,
    Releasable, SchemeId, Time, Token,
};
use policy::{
    Action, AgencyTree, Agreement, Attributes, Ceiling, Class, Clause, Declared, Discloses, Effect,
    Error, Grantee, Intent, LabelTable, Limits, Onward, PolicyEpoch, Profile, ReadableSets, Roles,
    Schemes, Sources, Text, Window, compile, decide, join, leq, readable, recompile,
};

const LABELS: u16 = 300;
const AGENCIES: u8 = 20;
const RULES: &str = r#"
@id("read-own") permit (principal, action == Action::"report:read", resource)
when { resource in principal.agency && principal.roles.contains("ANALYST") };
@id("not-mobile") forbid (principal, action == Action::"report:read", resource)
when { principal.device == "MOBILE" };
"#;

fn token(text: &str) -> Result<Token, Error> {
    Ok(Token::new(text)?)
}

fn agency(n: u8) -> AgencyId {
    AgencyId([n; 16])
}

fn id(n: usize) -> [u8; 16] {
    u128::try_from(n).unwrap_or(0).to_be_bytes()
}

/// Clause `n`: from one of twenty agencies, up to one of five levels.
fn clause(n: usize, to: AgencyId) -> Result<Clause, Error> {
    let small = u8::try_from(n % 250).unwrap_or(0);
    let compartments = BTreeSet::from([token("KESTREL")?, token("LANTERN")?]);
    let ceiling = Ceiling { level: Level(1 + small % 5), compartments };
    Ok(Clause {
        id: ClauseId(id(n)),
        version: 1,
        grantors: NonEmpty::one(agency(100 + small % AGENCIES)),
        grantees: NonEmpty::one(Grantee { agency: to, roles: Roles::Any }),
        effect: Effect::Permit,
        actions: NonEmpty::one(Action::new("report:read")?),
        discloses: Discloses::Content,
        limits: Limits {
            ceilings: BTreeMap::from([(SchemeId(token("NAT")?), ceiling)]),
            caveats_excluded: BTreeSet::from([token("ORCON")?]),
        },
        purposes: NonEmpty::one(token("PROTECTION")?),
        training: BTreeSet::new(),
        force: Window { starts_at: Time::MIN, ends_at: Time::MAX },
    })
}

fn agreement(clauses: Vec<Clause>) -> Result<Agreement, Error> {
    Ok(Agreement {
        id: AgreementId([9; 16]),
        version: 1,
        title: Line::new("Benchmark")?,
        parties: NonEmpty::one(agency(1)),
        legal_basis: Line::new("none")?,
        purposes: NonEmpty::one(token("PROTECTION")?),
        force: Window { starts_at: Time::MIN, ends_at: Time::MAX },
        clauses,
        equivalences: Vec::new(),
        retention_days_max: None,
        onward: Onward::Forbidden,
    })
}

/// The clauses over so many grantees, the first of which is the reader's agency.
fn clauses(count: usize, grantees: u8) -> Result<Vec<Clause>, Error> {
    let to = |n: usize| agency(1 + u8::try_from(n / 7 % usize::from(grantees)).unwrap_or(0));
    (0..count).map(|n| clause(n, to(n))).collect()
}

fn epoch(clauses: Vec<Clause>, before: Option<&PolicyEpoch>) -> Result<PolicyEpoch, Error> {
    let read = Declared { action: Action::new("report:read")?, class: Class::Read };
    let sources = Sources {
        epoch: 1,
        at: Time::MIN,
        schemes: &Arc::new(Schemes::shipped()?),
        tree: &AgencyTree::default(),
        agreements: &[&agreement(clauses)?],
        actions: &[read],
        texts: &[Text { name: "reports", cedar: RULES }],
        boundaries: &[],
    };
    match before {
        None => compile(&sources),
        Some(before) => recompile(&sources, before),
    }
}

/// Three hundred labels that the reader is cleared for, of twenty originators: five levels with
/// four sets of compartments, three of caveats and five of audiences.
fn labels() -> Result<Vec<Label>, Error> {
    let compartments = [&[][..], &["KESTREL"], &["LANTERN"], &["KESTREL", "LANTERN"]];
    let caveats = [&[][..], &["ORCON"], &["SOURCE"]];
    let audiences = [&["FRA"][..], &["FRA", "DEU"], &["POLICE"], &["POLICE", "FIRE"]];
    let codes = |codes: &[&str]| codes.iter().map(|code| token(code)).collect::<Result<_, Error>>();
    let mut labels = Vec::new();
    for n in 0..LABELS {
        let small = u8::try_from(n % 240).unwrap_or(0);
        let pick = |from: &[&[&str]], step: u16| {
            let at = usize::from(n / step) % from.len();
            codes(from.get(at).copied().unwrap_or_default())
        };
        let released = match n / 60 {
            0 => Releasable::Unrestricted,
            _ => Releasable::Only(codes(
                audiences.get(usize::from(n / 60) - 1).copied().unwrap_or_default(),
            )?),
        };
        let marking = Marking {
            level: Level(1 + small % 5),
            compartments: pick(&compartments, 5)?,
            releasable_to: released,
            caveats: pick(&caveats, 20)?,
        };
        let mut originators = BTreeSet::from([agency(100 + small % AGENCIES)]);
        if n % 3 == 0 {
            originators.insert(agency(100 + (small / 3) % AGENCIES));
        }
        let markings = BTreeMap::from([(SchemeId(token("NAT")?), marking)]);
        labels.push(Label::new(markings, originators, Play::Live)?);
    }
    Ok(labels)
}

fn reader() -> Result<Profile, Error> {
    let compartments = ["KESTREL", "LANTERN", "TIDEWATER", "GREYSTONE"].map(token);
    let compartments = compartments.into_iter().collect::<Result<BTreeSet<_>, Error>>()?;
    let cleared = Cleared { level: Level(5), compartments };
    Profile::new(Attributes {
        agency: agency(1),
        clearance: Clearance {
            schemes: BTreeMap::from([(SchemeId(token("NAT")?), cleared)]),
            audiences: BTreeSet::from([token("FRA")?, token("POLICE")?]),
            exercises: BTreeSet::new(),
        },
        roles: BTreeSet::from([token("ANALYST")?]),
        training: BTreeSet::new(),
        device: token("DESK")?,
    })
}

/// The shortest of `rounds` timings of one call: what it costs on a quiet machine.
fn least(rounds: usize, mut call: impl FnMut()) -> Duration {
    let one = |_| {
        let start = Instant::now();
        call();
        start.elapsed()
    };
    (0..rounds).map(one).min().unwrap_or_default()
}

fn measure(count: usize, grantees: u8) -> Result<(), Error> {
    let (labels, reader) = (labels()?, reader()?);
    let (action, purpose) = (Action::new("report:read")?, token("PROTECTION")?);
    let intent = Intent { action: &action, purpose: &purpose };
    let about = format!("{count} clauses over {grantees} grantees");
    let clauses = clauses(count, grantees)?;
    let once = least(5, || {
        black_box(epoch(clauses.clone(), None).is_ok());
    });
    println!("compile, {about}: {:.1} ms", once.as_secs_f64() * 1e3);
    let epoch = epoch(clauses.clone(), None)?;
    let more: Vec<Clause> = clauses.into_iter().chain([clause(count, agency(1))?]).collect();
    let again = least(5, || {
        black_box(crate::epoch(more.clone(), Some(&epoch)).is_ok());
    });
    println!("compile with one clause more, {about}: {:.1} ms", again.as_secs_f64() * 1e3);
    let each = least(20, || {
        for label in &labels {
            black_box(decide(&epoch, &reader, intent, label));
        }
    }) / u32::from(LABELS);
    println!("decision, {about}: {:.1} µs", each.as_secs_f64() * 1e6);
    let mut table = LabelTable::default();
    let start = Instant::now();
    for label in &labels {
        table.intern(label)?;
    }
    let interned = start.elapsed();
    println!("intern {} labels: {:.2} ms", table.len(), interned.as_secs_f64() * 1e3);
    let mut readable = 0;
    let miss = least(20, || {
        let sets = ReadableSets::default();
        let set = sets.get(&epoch, &reader, intent, &table, Time::MIN);
        readable = set.map_or(0, |set| set.bits().len());
    });
    println!(
        "readable-set miss, {} labels, {about}: {:.2} ms ({readable} readable)",
        table.len(),
        miss.as_secs_f64() * 1e3
    );
    let sets = ReadableSets::default();
    sets.get(&epoch, &reader, intent, &table, Time::MIN)?;
    let hit = least(200, || {
        black_box(sets.get(&epoch, &reader, intent, &table, Time::MIN).is_ok());
    });
    println!("readable-set hit, {about}: {} ns", hit.as_nanos());
    Ok(())
}

fn main() -> Result<(), Error> {
    let (labels, reader) = (labels()?, reader()?);
    let clearance = &reader.attributes().clearance;
    let count = u32::from(LABELS);
    let each = least(200, || {
        for label in &labels {
            black_box(readable(clearance, label));
        }
    }) / count;
    println!("dominance of one label: {} ns", each.as_nanos());
    let each = least(200, || {
        for pair in labels.windows(2) {
            if let [a, b] = pair {
                black_box(leq(a, b));
            }
        }
    }) / count;
    println!("order of two labels: {} ns", each.as_nanos());
    let each = least(50, || {
        for pair in labels.windows(2) {
            if let [a, b] = pair {
                black_box(join(a, b).is_ok());
            }
        }
    }) / count;
    println!("join of two labels: {} ns", each.as_nanos());
    for (clauses, grantees) in [(5, 1), (50, 1), (200, 1), (1_000, 20)] {
        measure(clauses, grantees)?;
    }
    Ok(())
}
