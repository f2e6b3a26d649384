//! Verification names what is faulty: every part, by one flipped byte each.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};

use crate::child::{Directory, Running, Said, run};

/// A log that a play has written, with its keys.
fn played(directory: &Directory) -> String {
    let data = directory.join("played");
    let said = run(&["demo", "--once", "--data", &data, "--speed", "100"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    data
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for file in fs::read_dir(from).expect("a directory") {
        let file = file.expect("a file");
        let target = to.join(file.file_name());
        if file.path().is_dir() {
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).expect("a copy");
        }
    }
}

/// The same node once more, to be damaged.
fn another(data: &str, name: &str) -> String {
    let target = format!("{data}-{name}");
    copy(Path::new(data), Path::new(&target));
    copy(Path::new(&format!("{data}-keys")), Path::new(&format!("{target}-keys")));
    target
}

fn verify(data: &str, more: &[&str]) -> Said {
    run(&[&["verify", "--data", data], more].concat())
}

/// Changes bytes of a blob in one row of a table.
fn change(file: &str, table: &str, column: &str, at: &str, edit: impl FnOnce(&mut Vec<u8>)) {
    let connection = Connection::open(file).expect("a database");
    let read = format!("SELECT {column} FROM {table} WHERE {at}");
    let mut bytes: Vec<u8> = connection.query_row(&read, [], |r| r.get(0)).expect("a row");
    edit(&mut bytes);
    let write = format!("UPDATE {table} SET {column} = $1 WHERE {at}");
    assert_eq!(connection.execute(&write, params![bytes]).expect("a change"), 1);
}

struct Damage {
    name: &'static str,
    file: &'static str,
    table: &'static str,
    column: &'static str,
    at: &'static str,
    byte: usize,
    /// What verification with the keys must say, one of them.
    named: &'static [&'static str],
    /// Whether it is found without any key too.
    found_without_keys: bool,
}

const LOG: &str = "store/log.db";
const SECRETS: &str = "store/secrets.db";

const DAMAGES: &[Damage] = &[
    Damage {
        name: "leaf-time",
        file: LOG,
        table: "entry",
        column: "leaf",
        at: "place = 100",
        byte: 27,
        named: &["acts entry 100: leaf"],
        found_without_keys: true,
    },
    Damage {
        name: "leaf-header",
        file: LOG,
        table: "entry",
        column: "leaf",
        at: "place = 101",
        byte: 30,
        named: &["acts entry 101: leaf"],
        found_without_keys: true,
    },
    Damage {
        name: "header",
        file: LOG,
        table: "entry",
        column: "header",
        at: "place = 102",
        byte: 40,
        named: &["acts entry 102: header"],
        found_without_keys: false,
    },
    Damage {
        name: "commitments",
        file: LOG,
        table: "entry",
        column: "commitments",
        at: "place = 103",
        byte: 5,
        named: &["acts entry 103: commitments"],
        found_without_keys: true,
    },
    Damage {
        name: "portion",
        file: LOG,
        table: "entry",
        column: "portions",
        at: "place = 104",
        byte: 60,
        named: &["acts entry 104: portion "],
        found_without_keys: false,
    },
    Damage {
        name: "signature",
        file: LOG,
        table: "entry",
        column: "signature",
        at: "place = (SELECT max(place) FROM entry WHERE signature IS NOT NULL)",
        byte: 70,
        named: &[": signature: "],
        found_without_keys: false,
    },
    Damage {
        name: "secret",
        file: SECRETS,
        table: "secret",
        column: "wrapped",
        at: "place = 105",
        byte: 30,
        named: &["acts entry 105: secret "],
        found_without_keys: false,
    },
    Damage {
        name: "tile",
        file: LOG,
        table: "tile",
        column: "hashes",
        at: "log = 0 AND level = 0 AND number = 0",
        byte: 4000,
        named: &["acts: tile 0/0"],
        found_without_keys: true,
    },
    Damage {
        name: "head-note-root",
        file: LOG,
        table: "head",
        column: "note",
        at: "log = 0",
        byte: 40,
        named: &["acts: head"],
        found_without_keys: true,
    },
    Damage {
        name: "head-root",
        file: LOG,
        table: "head",
        column: "root",
        at: "log = 0",
        byte: 0,
        named: &["acts: head"],
        found_without_keys: true,
    },
    Damage {
        name: "head-frontier",
        file: LOG,
        table: "head",
        column: "frontier",
        at: "log = 0",
        byte: 20,
        named: &["acts: head"],
        found_without_keys: true,
    },
    Damage {
        name: "access-portion",
        file: LOG,
        table: "entry",
        column: "portions",
        at: "place = (SELECT max(place) FROM entry)",
        byte: 60,
        named: &["access entry ", ": portion "],
        found_without_keys: false,
    },
    Damage {
        name: "access-leaf",
        file: LOG,
        table: "entry",
        column: "leaf",
        at: "place = (SELECT max(place) FROM entry)",
        byte: 30,
        named: &["access entry ", ": leaf"],
        found_without_keys: true,
    },
    Damage {
        name: "access-secret",
        file: SECRETS,
        table: "secret",
        column: "wrapped",
        at: "place = (SELECT max(place) FROM secret)",
        byte: 30,
        named: &["access entry ", ": secret "],
        found_without_keys: false,
    },
    Damage {
        name: "access-head",
        file: LOG,
        table: "head",
        column: "note",
        at: "log = 1",
        byte: 40,
        named: &["access: head"],
        found_without_keys: true,
    },
    Damage {
        name: "checkpoint",
        file: LOG,
        table: "checkpoint",
        column: "note",
        at: "place = (SELECT min(place) FROM checkpoint)",
        byte: 4000,
        named: &["acts: checkpoint "],
        found_without_keys: true,
    },
];

#[test]
fn each_flipped_byte_is_named() {
    let directory = Directory::new();
    let data = played(&directory);
    let keys = format!("{data}-keys");
    let said = verify(&data, &["--keys", &keys, "--views"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("nothing is faulty"), "{}", said.out);
    assert_eq!(verify(&data, &[]).code, Some(0));
    for damage in DAMAGES {
        let data = another(&data, damage.name);
        let file = format!("{data}/{}", damage.file);
        change(&file, damage.table, damage.column, damage.at, |bytes| {
            bytes[damage.byte] ^= 0x01;
        });
        let said = verify(&data, &["--keys", &format!("{data}-keys")]);
        assert_eq!(said.code, Some(1), "{}: {said:?}", damage.name);
        for named in damage.named {
            assert!(said.out.contains(named), "{}: {}", damage.name, said.out);
        }
        let without = verify(&data, &[]).code;
        let wanted = i32::from(damage.found_without_keys);
        assert_eq!(without, Some(wanted), "{} without keys", damage.name);
        fs::remove_dir_all(&data).expect("a directory");
    }
    a_log_that_another_key_signed_is_named(&directory, &data);
    a_bundle_verifies_elsewhere_and_each_changed_part_is_named(&directory, &data);
    what_the_access_log_lost_is_named(&data);
    every_entry_is_decided_again(&data);
    what_is_gone_is_named(&data);
    a_changed_and_a_missing_file_are_named(&data);
    a_log_that_was_set_back_is_refused(&data);
    a_changed_view_is_named_and_rebuilt(&data);
    a_backup_is_restored(&directory, &data);
}

/// Checkpoints are held against the keys that are trusted, not against those that lie beside them.
fn a_log_that_another_key_signed_is_named(directory: &Directory, data: &str) {
    let stranger = directory.join("other-keys-same-name");
    let file = fs::read_to_string(format!("{data}/muster.toml")).expect("a configuration");
    let name = file.lines().find_map(|line| line.strip_prefix("name = ")).expect("a name");
    let made = run(&["init", "--name", name.trim_matches('"'), "--data", &stranger]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let said = verify(data, &["--trust", &format!("{stranger}/muster.pub")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for named in ["acts: head", "access: head"] {
        assert!(said.out.contains(named), "{named}: {}", said.out);
    }
}

/// Name and range of each part of a bundle.
fn parts(file: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
    let mut at = b"muster bundle 1\n".len() + 4;
    let mut parts = Vec::new();
    while at < file.len() {
        let name = usize::from(u16::from_be_bytes(file[at..at + 2].try_into().expect("two")));
        let text = String::from_utf8(file[at + 2..at + 2 + name].to_vec()).expect("a name");
        at += 2 + name;
        let length = u64::from_be_bytes(file[at..at + 8].try_into().expect("eight"));
        let end = at + 8 + usize::try_from(length).expect("a length");
        parts.push((text, at + 8..end));
        at = end;
    }
    parts
}

fn a_bundle_verifies_elsewhere_and_each_changed_part_is_named(directory: &Directory, data: &str) {
    // Nothing of the node goes with it but the file with its public keys.
    let elsewhere = directory.join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a directory");
    let (bundle, key) = (format!("{elsewhere}/inquiry.muster"), format!("{elsewhere}/muster.pub"));
    fs::copy(format!("{data}/inquiry.muster"), &bundle).expect("a copy");
    fs::copy(format!("{data}/muster.pub"), &key).expect("a copy");
    let check = || run(&["verify", "--bundle", &bundle, "--key", &key]);
    let said = check();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("nothing is faulty"), "{}", said.out);
    let whole = fs::read(&bundle).expect("a bundle");
    let parts = parts(&whole);
    let has = |name: &str| parts.iter().any(|(part, _)| part.contains(name));
    for name in ["acts.checkpoint", "access.checkpoint", "/row.", "/portion.", "findings.json"] {
        assert!(has(name), "{name}");
    }
    // One of each kind of part, and the names that stand between them.
    let mut seen = std::collections::BTreeSet::new();
    for (name, range) in &parts {
        let kind: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
        if !seen.insert(kind) {
            continue;
        }
        for at in [range.start, range.end - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 0x01;
            fs::write(&bundle, &changed).expect("a change");
            let said = check();
            assert_eq!(said.code, Some(1), "{name} at {at}: {said:?}");
            assert!(said.out.contains(&format!("{name}: ")), "{name} at {at}: {}", said.out);
        }
        let mut changed = whole.clone();
        changed[range.start - 10] ^= 0x01;
        fs::write(&bundle, &changed).expect("a change");
        assert_eq!(check().code, Some(1), "the name of {name}");
    }
    for end in [10, whole.len() / 2, whole.len() - 1] {
        fs::write(&bundle, &whole[..end]).expect("a change");
        assert_eq!(check().code, Some(1), "cut at {end}");
    }
    fs::write(&bundle, &whole).expect("as it was");
    let stranger = directory.join("stranger");
    assert_eq!(run(&["init", "--name", "localhost", "--data", &stranger]).code, Some(0));
    let said = run(&["verify", "--bundle", &bundle, "--key", &format!("{stranger}/muster.pub")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("manifest: "), "{}", said.out);
}

fn what_the_access_log_lost_is_named(data: &str) {
    let data = another(data, "access");
    let keys = format!("{data}-keys");
    let log = Connection::open(format!("{data}/{LOG}")).expect("a database");
    let size: i64 =
        log.query_row("SELECT size FROM head WHERE log = 1", [], |r| r.get(0)).expect("a head");
    drop(log);
    fs::write(format!("{data}/local/access/{}.rows", size + 1), [0, 0, 0, 9, 1]).expect("rows");
    let said = verify(&data, &["--keys", &keys]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let missing = format!("access entry {size}: rows: its file is missing");
    let cut = format!("access entry {}: rows: the last row of its file is cut off", size + 1);
    for named in [missing, cut] {
        assert!(said.out.contains(&named), "{named}: {}", said.out);
    }
}

fn every_entry_is_decided_again(data: &str) {
    let said = run(&["audit", "--redecide", "--data", data, "--keys", &format!("{data}-keys")]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains(" same, 0 different, 0 not decidable"), "{}", said.out);
    assert_eq!(run(&["audit", "--data", data]).code, Some(1), "it must be said what to audit");
}

fn what_is_gone_is_named(data: &str) {
    let data = another(data, "gone");
    let keys = format!("{data}-keys");
    let log = Connection::open(format!("{data}/{LOG}")).expect("a database");
    log.execute("DELETE FROM entry WHERE place = 50", []).expect("a deletion");
    log.execute("DELETE FROM tile WHERE log = 0", []).expect("a deletion");
    drop(log);
    let secrets = Connection::open(format!("{data}/{SECRETS}")).expect("a database");
    secrets.execute("DELETE FROM secret WHERE place = 60", []).expect("a deletion");
    drop(secrets);
    let said = verify(&data, &["--keys", &keys]);
    assert_eq!(said.code, Some(1));
    for named in [
        "acts entry 50: row: it is missing",
        "acts: tile 0/0: it is missing",
        "acts entry 60: secret 255 (header): no secret of it is there",
    ] {
        assert!(said.out.contains(named), "{named}: {}", said.out);
    }
    let other = another(data.as_str(), "key");
    fs::write(format!("{other}-keys/root.key"), [7; 32]).expect("another key");
    let said = verify(&other, &["--keys", &format!("{other}-keys")]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("acts: verifier key"), "{}", said.out);
}

fn a_changed_and_a_missing_file_are_named(data: &str) {
    let data = another(data, "files");
    let keys = format!("{data}-keys");
    let groups = fs::read_dir(format!("{data}/store/blobs")).expect("a directory");
    let groups = groups.map(|group| group.expect("a group").path());
    let mut files = groups.flat_map(|group| fs::read_dir(group).expect("a group"));
    let file = files.next().expect("the play attached a file").expect("a file").path();
    let mut bytes = fs::read(&file).expect("the file");
    bytes[7] ^= 1;
    fs::write(&file, bytes).expect("written");
    let name = file.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let named = |why: &str| {
        let said = verify(&data, &["--keys", &keys]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains(&format!("blob: blob {name} {why}")), "{why}: {}", said.out);
    };
    named("was changed");
    fs::remove_file(&file).expect("removed");
    named("is missing");
}

fn a_log_that_was_set_back_is_refused(data: &str) {
    let data = another(data, "back");
    let keys = format!("{data}-keys");
    let signed = format!("{keys}/shred/signed");
    let mut bytes = fs::read(&signed).expect("a second copy");
    bytes[5] += 1;
    fs::write(&signed, &bytes).expect("a second copy");
    let said = verify(&data, &["--keys", &keys]);
    assert!(said.out.contains("acts: second copy"), "{}", said.out);
    let serve = ["serve", "--data", &data, "--keys", &keys, "--listen", "127.0.0.1:0"];
    let said = run(&serve);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("older than what its keys have signed"), "{}", said.err);
    let accept = ["admin", "accept-loss", "--data", &data, "--keys", &keys, "--reason"];
    let accept = |reason| run(&[&accept[..], &[reason]].concat());
    assert!(accept(" ").err.contains("--reason"), "a loss has a reason");
    let said = accept("the disk burnt");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("65536 entries are lost"), "{}", said.out);
    let said = verify(&data, &["--keys", &keys, "--views"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("cut back: "), "{}", said.out);
    assert!(said.out.contains("are left: the disk burnt"), "{}", said.out);
    assert!(accept("again").err.contains("nothing is missing"));
    // A node that stopped before the loss was written down does not start as if there were none.
    fs::write(format!("{keys}/shred/lost"), &bytes).expect("a loss that was begun");
    assert_eq!(run(&serve).code, Some(1));
    let said = accept("again");
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = verify(&data, &["--keys", &keys]);
    assert_eq!(said.out.matches("cut back: ").count(), 1, "{}", said.out);
    let running = Running::start(&serve);
    assert!(running.stop().success());
}

fn a_changed_view_is_named_and_rebuilt(data: &str) {
    let data = another(data, "views");
    let keys = format!("{data}-keys");
    let views = Connection::open(format!("{data}/local/views.db")).expect("a database");
    let changed = "UPDATE layer SET state = 'open' WHERE state = 'answered'";
    assert!(views.execute(changed, []).expect("a change") > 0);
    drop(views);
    let said = verify(&data, &["--keys", &keys, "--views"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("acts: view: the node has `layer|"), "{}", said.out);
    let said = run(&["rebuild", "--data", &data, "--keys", &keys]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = verify(&data, &["--keys", &keys, "--views"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

fn a_backup_is_restored(directory: &Directory, data: &str) {
    let (backup, restored) = (directory.join("backup"), directory.join("restored"));
    let said = run(&["backup", "--data", data, "--to", &backup]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(run(&["backup", "--data", data, "--to", &backup]).err.contains("is not empty"));
    let keys = format!("{data}-keys");
    let said = run(&["restore", "--from", &backup, "--data", &restored, "--keys", &keys]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("the node can be started"), "{}", said.out);
    assert_eq!(run(&["rebuild", "--data", &restored, "--keys", &keys]).code, Some(0));
    let said = verify(&restored, &["--keys", &keys, "--views"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = run(&["restore", "--from", &backup, "--data", &restored, "--keys", &keys]);
    assert!(said.err.contains("holds a node already"), "{}", said.err);
}
