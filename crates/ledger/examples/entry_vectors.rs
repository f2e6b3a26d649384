//! Writes `vectors/entry.json`: entries made from fixed seeds, with every value between.
//!
//! The file is frozen with the first release. Run this again only to add entries, and see in the
//! difference that none changed: `cargo run -p ledger --example entry_vectors`.

#[path = "../tests/it/entry_form.rs"]
mod entry_form;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base::crypto::{Hasher, Secret};
use base::{
    AgencyId, AuthorityId, CircleId, ClauseId, DeviceId, Digest, EntryId, ExerciseId, Ids, Label,
    LedgerId, Level, Marking, PersonId, Play, RecordId, Releasable, SchemeId, SeatId, ServiceId,
    SessionId, Time, Token,
};
use entry_form::{
    ActorForm, AuthenticationForm, ClauseForm, Hex, ImportedForm, Inputs, LocalForm, Outcome,
    PortionForm, PurposeForm, SharedForm, Vector, Vectors, compute,
};

const ABOUT: [&str; 4] = [
    "Muster entry vectors, version 1. Formats: crates/ledger/src/leaf.rs, header.rs, portion.rs.",
    "Bytes are hexadecimal. H is SHA-256 over: u8 length of the domain, the domain, each part",
    "behind its length as u64 big-endian. crates/ledger/tests/verify_entry.py checks this file",
    "with the standard library of Python alone. An entry, once here, never changes.",
];

fn main() -> Outcome<()> {
    let inputs: [(&str, Inputs); 5] = [
        ("an act of the system with no portion", minimal()?),
        ("a signed act of a person, every field present", full()?),
        ("an act of a service in an exercise, nine portions", exercise()?),
        ("an imported entry under two schemes, released to nobody", imported()?),
        ("an erasure, thirty-three portions", erasure()?),
    ];
    let mut entries = Vec::new();
    for (name, mut inputs) in inputs {
        place(&mut inputs);
        let expected = compute(&inputs)?;
        entries.push(Vector { name: name.to_owned(), inputs, expected });
    }
    let about = ABOUT.into_iter().map(str::to_owned).collect();
    let mut json = serde_json::to_string_pretty(&Vectors { about, entries })?;
    json.push('\n');
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/entry.json"), json)?;
    Ok(())
}

fn digest(seed: u8, name: &str) -> Digest {
    Hasher::new("muster/vector/v1").part(&[seed]).part(name.as_bytes()).finish()
}

fn hex(seed: u8, name: &str) -> Hex {
    Hex(digest(seed, name).0.to_vec())
}

/// Gives each portion a slot, a secret and the key of its label, and the other slots padding.
fn place(inputs: &mut Inputs) {
    let enough = |padded: &u8| usize::from(*padded) >= inputs.portions.len();
    let padded = [8, 16, 32].into_iter().find(enough).unwrap_or(64);
    let header = inputs.header_secret.0.clone();
    let draw = |name: &str, n: &[u8]| {
        Hasher::new("muster/vector/v1").part(&header).part(name.as_bytes()).part(n).finish()
    };
    let mut slot = 3;
    for portion in &mut inputs.portions {
        portion.slot = slot;
        portion.secret = Hex(draw("secret", &[slot]).0.to_vec());
        portion.compartment_key = Hex(draw("key", &portion.label.digest().0).0.to_vec());
        // Steps of an odd number visit every slot once, as the number of slots is a power of two.
        slot = (slot + 5) % padded;
    }
    let free = usize::from(padded) - inputs.portions.len();
    inputs.padding = (0..=u8::MAX).take(free).map(|n| draw("padding", &[n])).collect();
}

fn codes(names: &[&str]) -> Outcome<BTreeSet<Token>> {
    names.iter().map(|name| Ok(Token::new(*name)?)).collect()
}

/// The smallest entry; each of the others changes it.
fn minimal() -> Outcome<Inputs> {
    base_inputs(1)
}

fn base_inputs(seed: u8) -> Outcome<Inputs> {
    let mut ids = Ids::new(Secret::new([seed; 32]));
    Ok(Inputs {
        header_key: hex(seed, "header key"),
        header_secret: hex(seed, "header secret"),
        class: 0,
        at: Time::from_ms(0)?,
        shared: SharedForm {
            ledger: LedgerId::draw(&mut ids),
            entry: EntryId::draw(&mut ids),
            kind: "timer.fired/1".to_owned(),
            record: RecordId::draw(&mut ids),
            actor: ActorForm::System,
            agency: AgencyId::draw(&mut ids),
            on_behalf_of: None,
            exercise: None,
            acted_at: Time::from_ms(0)?,
            valid_at: None,
            imported: None,
        },
        local: LocalForm {
            seat: None,
            device: None,
            cause: None,
            purpose: PurposeForm::Administration,
            authority: None,
            basis: None,
            version: 0,
            idempotency: digest(seed, "idempotency"),
            command: digest(seed, "command"),
            policy_epoch: 0,
            policy: digest(seed, "policy"),
            profile: digest(seed, "profile"),
            clauses: Vec::new(),
            authentication: None,
            base: digest(seed, "base"),
            circle: None,
        },
        portions: Vec::new(),
        padding: Vec::new(),
        signature: None,
    })
}

fn full() -> Outcome<Inputs> {
    let mut ids = Ids::new(Secret::new([102; 32]));
    let mut inputs = base_inputs(2)?;
    inputs.at = "2026-11-22T19:30:45.123Z".parse()?;
    inputs.shared.kind = String::from("alert.raised/1");
    inputs.shared.actor = ActorForm::Person(PersonId::draw(&mut ids));
    inputs.shared.on_behalf_of = Some(PersonId::draw(&mut ids));
    inputs.shared.acted_at = "2026-11-22T19:30:44.000Z".parse()?;
    inputs.shared.valid_at = Some("2026-11-22T18:00:00.000Z".parse()?);
    let (secret, open) = (nato(&mut ids, Level(4))?, nato(&mut ids, Level(1))?);
    let circle = Some(CircleId::draw(&mut ids));
    inputs.local = LocalForm {
        seat: Some(SeatId::draw(&mut ids)),
        device: Some(DeviceId::draw(&mut ids)),
        cause: Some(EntryId::draw(&mut ids)),
        purpose: PurposeForm::Emergency,
        authority: Some(AuthorityId::draw(&mut ids)),
        basis: Some(RecordId::draw(&mut ids)),
        version: 70_000,
        policy_epoch: 300,
        clauses: vec![
            ClauseForm { clause: ClauseId::draw(&mut ids), version: 1 },
            ClauseForm { clause: ClauseId::draw(&mut ids), version: u32::MAX },
        ],
        authentication: Some(AuthenticationForm {
            session: SessionId::draw(&mut ids),
            method: 1,
            verified_at: "2026-11-22T19:28:00.000Z".parse()?,
        }),
        base: open.digest(),
        circle,
        ..inputs.local
    };
    inputs.portions = vec![
        text(&secret, circle, "Suspected source: “Véhicule 7”, two persons."),
        text(&open, None, "Road closed until further notice."),
        portion(&secret, None, "alert.place/1", &[0, 255, 16, 32]),
    ];
    inputs.signature = Some(Hex((0..=70).collect()));
    Ok(inputs)
}

fn exercise() -> Outcome<Inputs> {
    let mut ids = Ids::new(Secret::new([103; 32]));
    let mut inputs = base_inputs(3)?;
    let exercise = ExerciseId::draw(&mut ids);
    inputs.at = Time::MAX;
    inputs.shared.kind = String::from("inject.delivered/65535");
    inputs.shared.actor = ActorForm::Service(ServiceId::draw(&mut ids));
    inputs.shared.exercise = Some(exercise);
    inputs.local.purpose = PurposeForm::Training;
    inputs.local.version = u64::MAX;
    let marking = Marking { level: Level(0), ..Marking::default() };
    let scheme = SchemeId(Token::new("TLP")?);
    let originator = AgencyId::draw(&mut ids);
    let label = Label::simple(scheme, marking, originator, Play::Exercise(exercise));
    inputs.local.base = label.digest();
    inputs.portions = (1..=9).map(|n| text(&label, None, &format!("Inject {n}."))).collect();
    Ok(inputs)
}

fn imported() -> Outcome<Inputs> {
    let mut ids = Ids::new(Secret::new([104; 32]));
    let mut inputs = base_inputs(4)?;
    inputs.shared.kind = String::from("report.imported/2");
    inputs.shared.imported = Some(ImportedForm {
        ledger: LedgerId::draw(&mut ids),
        entry: EntryId::draw(&mut ids),
        leaf: digest(4, "leaf of another ledger"),
    });
    inputs.local.purpose = PurposeForm::Intelligence;
    let nobody = Marking {
        level: Level(5),
        compartments: codes(&["BALK", "ORCON/3"])?,
        releasable_to: Releasable::Only(BTreeSet::new()),
        caveats: codes(&["EYES ONLY"])?,
    };
    let markings = BTreeMap::from([
        (SchemeId(Token::new("UK")?), nobody),
        (SchemeId(Token::new("EU")?), Marking { level: Level(2), ..Marking::default() }),
    ]);
    let originators = (0..3).map(|_| AgencyId::draw(&mut ids)).collect();
    let label = Label::new(markings, originators, Play::Live)?;
    inputs.local.base = label.digest();
    inputs.portions = vec![text(&label, None, ""), text(&label, None, "Original kept.")];
    Ok(inputs)
}

fn erasure() -> Outcome<Inputs> {
    let mut ids = Ids::new(Secret::new([105; 32]));
    let mut inputs = base_inputs(5)?;
    inputs.class = 3;
    inputs.shared.kind = String::from("portion.erased/1");
    inputs.shared.actor = ActorForm::Person(PersonId::draw(&mut ids));
    inputs.local.purpose = PurposeForm::Inspection;
    let label = nato(&mut ids, Level(2))?;
    inputs.local.base = label.digest();
    inputs.portions = (0..33).map(|n| text(&label, None, &n.to_string())).collect();
    inputs.signature = Some(Hex(vec![1; 64]));
    Ok(inputs)
}

fn nato(ids: &mut Ids, level: Level) -> Outcome<Label> {
    let marking = Marking {
        level,
        compartments: BTreeSet::new(),
        releasable_to: Releasable::Only(codes(&["DEU", "FRA"])?),
        caveats: BTreeSet::new(),
    };
    let scheme = SchemeId(Token::new("NATO")?);
    Ok(Label::simple(scheme, marking, AgencyId::draw(ids), Play::Live))
}

fn text(label: &Label, circle: Option<CircleId>, body: &str) -> PortionForm {
    portion(label, circle, "text/markdown; charset=utf-8", body.as_bytes())
}

/// A portion whose slot and keys [`place`] gives.
fn portion(label: &Label, circle: Option<CircleId>, media: &str, body: &[u8]) -> PortionForm {
    PortionForm {
        slot: 0,
        secret: Hex(Vec::new()),
        compartment_key: Hex(Vec::new()),
        label: label.clone(),
        circle,
        media: media.to_owned(),
        body: Hex(body.to_vec()),
    }
}
