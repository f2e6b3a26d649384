//! Keys are made once, kept apart, and destroyed on time, whatever the clock says.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use base::crypto::{Entropy, Secret};
use ledger::portion::CompartmentKeys;
use store::keys::Destroyed;
use store::{Error, Keyring, LogName, Provider};

use crate::on_both;
use crate::world::{Fault, WEEK, World, files, label};

on_both! {
    a_destroyed_key_shreds_the_secrets_of_its_week,
    a_key_that_live_secrets_need_is_held,
    a_clock_set_back_never_uses_a_destroyed_week,
    a_clock_set_forward_destroys_nothing_that_is_needed,
}

fn entropy() -> Entropy {
    Entropy::new(Secret::new([33; 32]))
}

#[test]
fn a_root_key_is_made_once_for_its_owner() {
    let world = World::sqlite();
    let path = world.path("keys/root.key");
    let before = fs::read(&path).expect("a key");
    assert_eq!(before.len(), 32);
    assert_eq!(fs::metadata(&path).expect("a file").mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(world.path("keys")).expect("a file").mode() & 0o777, 0o700);
    let fault = Keyring::create(&world.provider(), &mut entropy()).expect_err("there is one");
    assert!(matches!(&fault, Error::KeyExists(name) if name == "root.key"), "{fault:?}");
    assert_eq!(fs::read(&path).expect("a key"), before);
    assert_eq!(files(&world.path("keys")), [path], "no copy is left");
}

#[test]
fn a_missing_key_and_one_of_a_wrong_length_are_told_apart() {
    let world = World::sqlite();
    let path = world.path("keys/root.key");
    for length in [0, 31, 33, 64] {
        fs::write(&path, vec![1; length]).expect("a file");
        assert!(matches!(Keyring::open(&world.provider()), Err(Error::KeyForm(_))), "{length}");
    }
    fs::remove_file(&path).expect("a file");
    let missing = |name: &str| {
        matches!(Keyring::open(&world.provider()),
        Err(Error::KeyMissing(key)) if key == name)
    };
    assert!(missing("root.key"));
    let systemd = Provider::SystemdCredential {
        credentials: world.path("credentials"),
        shred: world.path("shred"),
    };
    let fault = Keyring::create(&systemd, &mut entropy()).expect_err("no credential");
    assert!(matches!(&fault, Error::KeyMissing(name) if name == "muster.root"), "{fault:?}");
    assert!(!fault.to_string().contains('/'), "{fault}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let world = World::sqlite();
    let path = world.path("keys/root.key");
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        let fault = Keyring::open(&world.provider()).err().expect("others can read it");
        assert!(matches!(fault, Error::KeyExposed(_)), "{mode:o}: {fault:?}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("a mode");
    Keyring::open(&world.provider()).expect("only its owner can read it");
}

#[test]
fn a_credential_opens_the_same_keys_as_a_file() {
    let world = World::sqlite();
    let (credentials, shred) = (world.path("credentials"), world.path("keys/shred"));
    fs::create_dir(&credentials).expect("a directory");
    fs::copy(world.path("keys/root.key"), credentials.join("muster.root")).expect("a file");
    let provider = Provider::SystemdCredential { credentials, shred };
    let keys = Keyring::open(&provider).expect("the keys");
    assert_eq!(keys.provider(), "systemd-credential");
    assert_eq!(world.keys.provider(), "file");
    let key = |keys: &Keyring| keys.portion_key(&label()).expect("a key");
    assert_eq!(key(&keys), key(&world.keys));
}

#[test]
fn a_shred_key_is_made_once_and_read_again() {
    let mut world = World::sqlite();
    let week = Keyring::week(world.at);
    assert!(matches!(world.keys.shred_key(week, None), Err(Error::KeyMissing(_))));
    let made = world.keys.shred_key(week, Some(&mut world.entropy)).expect("a key");
    let other = world.keys.shred_key(week + 1, Some(&mut world.entropy)).expect("a key");
    assert_ne!(made, other);
    assert_eq!(world.keys.shred_key(week, Some(&mut world.entropy)).expect("a key"), made);
    world.reopen_keys();
    assert_eq!(world.keys.shred_key(week, Some(&mut world.entropy)).expect("a key"), made);
    assert_eq!(world.keys.shred_key(week + 1, None).expect("a key"), other);
    let path = world.path(&format!("keys/shred/shred-{week}.key"));
    assert_eq!(fs::metadata(&path).expect("a file").mode() & 0o777, 0o600);

    // It lies wrapped, and bound to its week.
    let kept = fs::read(&path).expect("a key");
    assert!(!kept.windows(32).any(|window| window == made.expose()));
    fs::copy(&path, world.path(&format!("keys/shred/shred-{}.key", week + 2))).expect("a copy");
    assert!(matches!(world.keys.shred_key(week + 2, None), Err(Error::Crypto(_))));
}

#[test]
fn a_shred_key_that_cannot_be_read_is_not_called_destroyed() {
    let mut world = World::sqlite();
    let week = Keyring::week(world.at);
    fs::create_dir(world.path(&format!("keys/shred/shred-{week}.key"))).expect("a directory");
    for make in [false, true] {
        let make = make.then_some(&mut world.entropy);
        assert!(matches!(world.keys.shred_key(week, make), Err(Error::Io { .. })));
    }
}

#[test]
fn a_shred_key_lives_35_days_beyond_its_week() {
    let mut world = World::sqlite();
    let week = Keyring::week(world.at);
    world.keys.shred_key(week, Some(&mut world.entropy)).expect("a key");
    let end = i64::from(week + 1) * WEEK;
    let days_35 = 35 * 24 * 60 * 60 * 1000;
    let at = |ms| base::Time::from_ms(ms).expect("a time");
    let before = world.keys.destroy_shred_keys(at(end + days_35 - 1), None).expect("nothing");
    assert_eq!(before, Destroyed::default());
    world.keys.shred_key(week, None).expect("it is there");
    let after = world.keys.destroy_shred_keys(at(end + days_35), None).expect("destroyed");
    assert_eq!(after, Destroyed { weeks: vec![week], held: Vec::new() });
    for _ in 0..2 {
        assert!(matches!(world.keys.shred_key(week, None), Err(Error::Shredded(w)) if w == week));
        let made = world.keys.shred_key(week, Some(&mut world.entropy));
        assert!(matches!(made, Err(Error::Shredded(_))), "it is never made again");
        world.reopen_keys();
    }
    let left = files(&world.path("keys/shred"));
    assert_eq!(left, [world.path("keys/shred/first")]);
}

#[test]
fn another_process_learns_that_a_key_was_destroyed() {
    let mut world = World::sqlite();
    let week = Keyring::week(world.at);
    world.keys.shred_key(week, Some(&mut world.entropy)).expect("a key");
    let other = Keyring::open(&world.provider()).expect("the keys");
    world.keys.destroy_shred_keys(world.at.plus_ms(6 * WEEK), None).expect("destroyed");
    assert!(matches!(other.shred_key(week, None), Err(Error::Shredded(_))));
}

fn a_destroyed_key_shreds_the_secrets_of_its_week(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"]]);
    // Nobody asks the log whether they are needed.
    world.keys.destroy_shred_keys(world.at.plus_ms(6 * WEEK), None).expect("destroyed");
    let week = Keyring::week(world.at);
    let fault = world.open(LogName::Acts, 0).expect_err("its secrets are shredded");
    assert!(matches!(fault, Fault::Store(Error::Shredded(w)) if w == week), "{fault:?}");
    let entry = world.reader().entries(LogName::Acts, 0, 1).expect("an entry");
    assert_eq!(entry.len(), 1, "the chain still has it");
}

fn a_key_that_live_secrets_need_is_held(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Talk, &[&["a"]]);
    let week = Keyring::week(world.at);
    let later = world.at.plus_ms(20 * WEEK);
    let outcome = log.destroy_shred_keys(&world.keys, later).expect("nothing is destroyed");
    assert_eq!(outcome, Destroyed { weeks: Vec::new(), held: vec![week] });
    assert_eq!(world.open(LogName::Talk, 0).expect("it opens"), ["a"]);
}

fn a_clock_set_back_never_uses_a_destroyed_week(world: &mut World) {
    let week = Keyring::week(world.at);
    world.keys.shred_key(week, Some(&mut world.entropy)).expect("a key");
    world.keys.shred_key(week + 6, Some(&mut world.entropy)).expect("a key");
    world.keys.destroy_shred_keys(world.at.plus_ms(6 * WEEK), None).expect("destroyed");
    world.reopen_keys();

    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["written with a wrong clock"]]);
    let stored = world.reader().secrets(LogName::Acts, 0, 1).expect("secrets").remove(0);
    assert_eq!(stored.week, week + 1, "the first week whose key was not destroyed");
    let right = world.at.plus_ms(12 * WEEK);
    let outcome = log.destroy_shred_keys(&world.keys, right).expect("it is held");
    assert_eq!(outcome.weeks, Vec::<u32>::new());
    assert_eq!(outcome.held, [week + 1, week + 6]);
    assert_eq!(world.open(LogName::Acts, 0).expect("it opens"), ["written with a wrong clock"]);

    // A clock that goes back within the span writes under the key of that week.
    world.at = world.at.plus_ms(3 * WEEK);
    world.commit(&mut log, LogName::Acts, &[&["two"]]);
    assert_eq!(world.open(LogName::Acts, 1).expect("it opens"), ["two"]);
}

fn a_clock_set_forward_destroys_nothing_that_is_needed(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"]]);
    let far = base::Time::MAX;
    log.destroy_shred_keys(&world.keys, far).expect("nothing is destroyed");
    // Even when nothing is live, the weeks to come stay open.
    world.keys.destroy_shred_keys(far, None).expect("what there is goes");
    assert_eq!(world.keys.open_week(world.at), Keyring::week(world.at) + 1);
}
