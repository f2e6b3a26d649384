//! A backup of either backend is restored to either, whole or not at all.

use std::fs;
use std::path::Path;

use base::Time;
use base::crypto::{Entropy, Secret};
use store::backup::{MANIFEST, verify};
use store::log::Erase;
use store::{
    Blobs, Data, Error, Log, LogName, Place, State, StateRow, StateTable, backup, restore,
};

use crate::on_both;
use crate::world::{World, client, files, same_content};

on_both! {
    a_backup_is_restored_to_sqlite,
    a_backup_is_restored_to_postgresql,
    a_changed_byte_is_named,
    a_changed_manifest_is_refused,
    a_backup_never_covers_what_is_there,
    a_restore_never_covers_what_is_there,
    keys_and_views_are_not_in_a_backup,
    every_entry_of_a_backup_of_a_busy_node_has_its_secrets,
}

/// Fills all that a backup covers: logs, state, blobs, and secrets without entries.
fn fill(world: &mut World) -> Vec<(store::Blob, Vec<u8>)> {
    let mut log = world.lead();
    for name in LogName::ALL {
        for _ in 0..3 {
            world.commit(&mut log, name, &[&["a", "b"], &["c"]]);
        }
    }
    let erased = world.slot_of(LogName::Acts, 1, "c");
    let head = log.head(LogName::Acts).expect("a head");
    let mut batch = world.batch(LogName::Acts, &head, &[&["an order"]]);
    batch.erased = vec![erased];
    log.commit(&batch).expect("a batch is committed");
    // A batch that fails leaves secrets behind on SQLite.
    let mut failed = world.batch(LogName::Acts, &batch.after, &[&["never"]]);
    failed.receipts.clone_from(&batch.receipts);
    log.commit(&failed).expect_err("a receipt that was given already");
    let state = State::open(&world.place).expect("state");
    for table in StateTable::ALL {
        let row = StateRow {
            key: table.name().as_bytes().to_vec(),
            value: vec![1, 2, 3],
            expires_at: Time::MAX,
        };
        state.put(table, &row).expect("it is put");
    }
    let blobs = Blobs::open(&world.covered().blobs, 1 << 20).expect("blobs");
    let contents: [Vec<u8>; 3] = [vec![], vec![1; 10], vec![2; 70_000]];
    let put = |content: Vec<u8>| {
        let blob = blobs.put(content.as_slice(), &mut world.entropy).expect("it is put");
        (blob, content)
    };
    contents.map(put).into()
}

/// Checks that a node has all that another had when it was backed up.
fn compare(from: &World, to: &World, put: &[(store::Blob, Vec<u8>)], sizes: &[store::Size]) {
    // Leading it sweeps nothing more: restoring did.
    let mut log = to.lead();
    let mut of_from = from.lead();
    for size in sizes {
        of_from.sweep(size.log, size.entries).expect("swept");
        assert_eq!(log.sweep(size.log, size.entries).expect("nothing left"), 0);
    }
    same_content(from, to, sizes);
    for size in sizes {
        let key = base::crypto::sha256(format!("key of {}/2", size.log.name()).as_bytes());
        let both = [&mut log, &mut of_from].map(|log| log.receipts(&[key]).expect("a receipt"));
        assert_eq!((both[0].len(), &both[0]), (1, &both[1]));
    }
    for table in StateTable::ALL {
        let [one, two] = [from, to].map(|world| {
            let state = State::open(&world.place).expect("state");
            state.list(table, Time::MIN, 10).expect("a list")
        });
        assert_eq!((one.len(), &one), (1, &two));
    }
    let blobs = Blobs::open(&to.covered().blobs, 1 << 20).expect("blobs");
    for (blob, content) in put {
        let got = blobs.get(blob.address, &blob.secret).expect("it is got");
        assert_eq!(got, *content);
    }
    assert_eq!(blobs.addresses().expect("a list").len(), put.len());
    drop((log, of_from));
}

fn round_trip(world: &mut World, mut other: World) {
    let put = fill(world);
    let target = world.path("backup");
    let manifest = backup(&world.covered(), &target).expect("a backup");
    assert_eq!(verify(&target).expect("it is whole"), manifest);
    assert_eq!(restore(&target, &other.covered()).expect("restored"), manifest);
    compare(world, &other, &put, &manifest.logs);
    // With the node's keys it opens, and goes on.
    other.keys = store::Keyring::open(&world.provider()).expect("the keys");
    assert_eq!(other.open(LogName::Acts, 0).expect("it opens").len(), 2);
    assert_eq!(other.open(LogName::Acts, 1).expect("it opens"), Vec::<String>::new());
    let mut log = other.lead();
    other.entropy = Entropy::new(Secret::new([77; 32]));
    let head = other.commit(&mut log, LogName::Acts, &[&["after the restore"]]);
    assert_eq!(other.open(LogName::Acts, head.size - 1).expect("it opens"), ["after the restore"]);
}

fn a_backup_is_restored_to_sqlite(world: &mut World) {
    round_trip(world, World::sqlite());
}

fn a_backup_is_restored_to_postgresql(world: &mut World) {
    round_trip(world, World::postgres());
}

fn a_changed_byte_is_named(world: &mut World) {
    fill(world);
    let target = world.path("backup");
    let manifest = backup(&world.covered(), &target).expect("a backup");
    let other = World::sqlite();
    assert_eq!(manifest.files.len(), 6);
    for file in &manifest.files {
        let path = target.join(&file.name);
        let whole = fs::read(&path).expect("a file");
        let mut bytes = whole.clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        let mut longer = whole.clone();
        longer.push(0);
        for bytes in [bytes, longer, whole[..whole.len() - 1].to_vec()] {
            fs::write(&path, bytes).expect("it is changed");
            refused(&target, &other.covered(), &file.name);
        }
        fs::remove_file(&path).expect("it is removed");
        refused(&target, &other.covered(), &file.name);
        fs::write(&path, whole).expect("it is put right");
    }
    restore(&target, &other.covered()).expect("it is whole again");
}

/// Restores where a leader was until now: PostgreSQL may not have noticed yet that it ended.
fn restore_soon(backup: &Path, into: &Data) -> Result<store::Manifest, Error> {
    for _ in 0..1000 {
        match restore(backup, into) {
            Err(Error::NotLeader) => std::thread::yield_now(),
            outcome => return outcome,
        }
    }
    Err(Error::NotLeader)
}

fn refused(backup: &Path, into: &Data, name: &str) {
    let fault = restore(backup, into).expect_err("it was changed");
    assert!(matches!(&fault, Error::Changed(path) if path == Path::new(name)), "{fault:?}");
    assert!(fault.to_string().contains(name), "{fault}");
    let Place::Sqlite { directory } = &into.place else { panic!("a directory") };
    assert!(!directory.exists(), "nothing was written");
    assert!(!into.blobs.exists(), "nothing was written");
}

fn a_changed_manifest_is_refused(world: &mut World) {
    drop(world.lead());
    let target = world.path("backup");
    backup(&world.covered(), &target).expect("a backup");
    let path = target.join(MANIFEST);
    let text = fs::read_to_string(&path).expect("a manifest");
    let other = World::sqlite();
    let mut changes = vec![String::new(), text.replacen("acts 0", "acts 1", 1), format!("{text}x")];
    changes.push(text.lines().skip(1).collect::<Vec<_>>().join("\n"));
    // Names that lead elsewhere, with a digest that is right.
    for name in ["../log.db", "/etc/passwd", "blobs/../log.db", "root.key", "log.db", ""] {
        let line = format!("file {} 0 {name}\n", "0".repeat(64));
        let (lines, _end) = text.rsplit_once("end ").expect("an end");
        let body = format!("{lines}{line}");
        changes.push(format!("{body}end {}\n", base::crypto::sha256(body.as_bytes())));
    }
    for changed in changes {
        fs::write(&path, &changed).expect("it is changed");
        let fault = restore(&target, &other.covered()).expect_err("it was changed");
        assert!(matches!(fault, Error::Form("manifest of a backup")), "{changed}: {fault:?}");
    }
    fs::remove_file(&path).expect("it is removed");
    assert!(matches!(restore(&target, &other.covered()), Err(Error::Io { .. })));
}

fn a_backup_never_covers_what_is_there(world: &mut World) {
    drop(world.lead());
    let target = world.path("backup");
    fs::create_dir(&target).expect("a directory");
    backup(&world.covered(), &target).expect("an empty directory");
    let before = fs::read(target.join(MANIFEST)).expect("a manifest");
    let again = backup(&world.covered(), &target).expect_err("there is one");
    assert!(matches!(again, Error::NotEmpty(path) if path == target));
    assert_eq!(fs::read(target.join(MANIFEST)).expect("a manifest"), before);
}

fn a_restore_never_covers_what_is_there(world: &mut World) {
    fill(world);
    let target = world.path("backup");
    backup(&world.covered(), &target).expect("a backup");
    // Neither a node that has entries,
    let (mut sqlite, mut postgres) = (World::sqlite(), World::postgres());
    for other in [&mut sqlite, &mut postgres] {
        let mut log = other.lead();
        let head = other.commit(&mut log, LogName::Access, &[&["mine"]]);
        drop(log);
        let fault = restore_soon(&target, &other.covered()).expect_err("it has an entry");
        assert!(matches!(fault, Error::NotEmpty(_)), "{fault:?}");
        assert_eq!(other.reader().head(LogName::Access).expect("a head"), head);
        assert_eq!(other.open(LogName::Access, 0).expect("it opens"), ["mine"]);
    }
    // nor one that is running.
    let running = World::postgres();
    let log = running.lead();
    assert!(matches!(restore(&target, &running.covered()), Err(Error::NotLeader)));
    drop(log);
}

fn keys_and_views_are_not_in_a_backup(world: &mut World) {
    fill(world);
    if let Some(data) = world.data() {
        for name in ["views.db", "root.key", "lock2"] {
            fs::write(data.join(name), b"not for others").expect("a file");
        }
    }
    let target = world.path("backup");
    backup(&world.covered(), &target).expect("a backup");
    let mut names: Vec<String> = files(&target)
        .iter()
        .map(|path| path.strip_prefix(&target).expect("below it").display().to_string())
        .filter(|name| !name.starts_with("blobs/"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["log.db", "manifest", "secrets.db", "state.db"]);
    let root = fs::read(world.path("keys/root.key")).expect("a key");
    assert!(!crate::world::stand_in_files(&target, &root));
}

/// Writes and erases while backups are taken: no copy may lack a secret that its log does not order
/// to be erased.
fn every_entry_of_a_backup_of_a_busy_node_has_its_secrets(world: &mut World) {
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["0"]]);
    let data = world.covered();
    let (backups, path) = (4, world.path("backups"));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let taking = scope.spawn(|| {
            for n in 0..backups {
                backup(&data, &path.join(n.to_string())).expect("a backup");
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        // Entry n orders the erasure of the only portion of entry n − 1.
        let mut n = 0;
        while !done.load(std::sync::atomic::Ordering::Relaxed) && !taking.is_finished() {
            n += 1;
            let head = log.head(LogName::Acts).expect("a head");
            let mut batch = world.batch(LogName::Acts, &head, &[&[&n.to_string()]]);
            let last = world.reader().secrets(LogName::Acts, n - 1, 1).expect("secrets").remove(0);
            let slot = last.secrets[0].0;
            batch.erased = vec![Erase { log: LogName::Acts, sequence: n - 1, slot }];
            log.commit(&batch).expect("a batch is committed");
        }
    });
    for n in 0..backups {
        let other = World::sqlite();
        let manifest = restore(&path.join(n.to_string()), &other.covered()).expect("restored");
        let size = manifest.logs[0].entries;
        let all = u32::try_from(size).expect("few entries") + 1;
        let secrets = other.reader().secrets(LogName::Acts, 0, all).expect("secrets");
        assert_eq!(secrets.len() as u64, size);
        let last = secrets.last().expect("an entry");
        assert_eq!(last.secrets.len(), 2, "no later entry orders to erase it");
    }
}

#[test]
fn an_epoch_of_before_the_restore_does_not_fit_after_it() {
    let mut world = World::sqlite();
    fill(&mut world);
    let target = world.path("backup");
    backup(&world.covered(), &target).expect("a backup");
    let other = World::postgres();
    for _ in 0..5 {
        drop(other.lead());
    }
    restore_soon(&target, &other.covered()).expect("restored");
    let Place::Postgres { url } = &other.place else { panic!("a database") };
    let row = client(url).query_one("SELECT min(epoch) FROM muster.head", &[]).expect("SQL");
    assert_eq!(row.get::<_, i64>(0), 5);
    assert_eq!(other.lead().head(LogName::Acts).expect("a head").epoch, 6);
}

#[test]
fn a_damaged_node_gives_no_backup() {
    let mut world = World::sqlite();
    fill(&mut world);
    let path = world.data().expect("a directory").join("log.db");
    let mut bytes = fs::read(&path).expect("a file");
    // The first two pages are the header and the heads, which are read in any case.
    for byte in bytes.iter_mut().skip(2 * 4096) {
        *byte = 0x5a;
    }
    fs::write(&path, bytes).expect("it is damaged");
    let target = world.path("backup");
    let fault = backup(&world.covered(), &target).expect_err("a page is damaged");
    assert!(matches!(fault, Error::Corrupt { .. }), "{fault:?}");
    assert!(!target.join(MANIFEST).exists(), "it is no backup");
}

#[test]
fn a_damaged_blob_is_named() {
    let mut world = World::sqlite();
    let put = fill(&mut world);
    let address = put[2].0.address;
    let blobs = files(&world.covered().blobs);
    let path = blobs.iter().find(|path| path.ends_with(address.to_string())).expect("a file");
    let mut bytes = fs::read(path).expect("a file");
    bytes[100] ^= 1;
    fs::write(path, bytes).expect("it is damaged");
    let fault = backup(&world.covered(), &world.path("backup")).expect_err("a blob is damaged");
    assert!(matches!(fault, Error::BlobChanged(named) if named == address), "{fault:?}");
}

#[test]
fn a_node_without_state_and_blobs_is_backed_up() {
    let mut world = World::sqlite();
    let mut log = world.lead();
    world.commit(&mut log, LogName::Acts, &[&["a"]]);
    drop(log);
    let data = Data::directory(world.data().expect("a directory"));
    let target = world.path("backup");
    let manifest = backup(&data, &target).expect("a backup");
    assert_eq!(manifest.files.len(), 3);
    let into = Data::directory(&world.path("elsewhere"));
    restore(&target, &into).expect("restored");
    Log::lead(&into.place).expect("the lead");
    State::open(&into.place).expect("state");
}
