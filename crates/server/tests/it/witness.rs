//! Witnesses: a head is cosigned when it follows, and a log that was set back does not start.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base::Digest;
use base::crypto::{Algorithm, Secret, SeedKey, Sign};
use ledger::Error;
use ledger::checkpoint::{Checkpoint, Origin};
use ledger::note::{KeyName, Note, SignatureType, Signer, VerifierKey};
use ledger::tree::{Hashes, Head, leaf_hash, root_at};
use ledger::witness::{REQUEST_BYTES, Request};

use crate::child::{Answer, Directory, Running, run};

const ANY: &str = "127.0.0.1:0";

/// A log in memory; whoever has its key can sign anything.
struct Forged {
    leaves: Vec<Digest>,
    name: KeyName,
    key: Arc<SeedKey>,
}

impl Hashes for Forged {
    fn hashes(&self, level: u8, first: u64, count: u16) -> Result<Vec<Digest>, Error> {
        assert_eq!(level, 0, "fewer than 256 leaves have no other");
        let first = usize::try_from(first).expect("small");
        Ok(self.leaves[first..first + usize::from(count)].to_vec())
    }
}

impl Forged {
    fn new(name: &str, seed: u8) -> Self {
        let key = SeedKey::from_seed(Algorithm::Ed25519, &Secret::new([seed; 32]));
        let key = Arc::new(key.expect("a key"));
        Self { leaves: Vec::new(), name: KeyName::new(name).expect("a name"), key }
    }

    fn with(mut self, leaves: &[&str]) -> Self {
        self.leaves = leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect();
        self
    }

    fn verifier(&self) -> String {
        let key =
            VerifierKey::new(self.name.clone(), SignatureType::Ed25519, self.key.public_key());
        key.expect("a key").to_string()
    }

    fn checkpoint(&self) -> Note {
        let size = self.leaves.len() as u64;
        let head = Head { size, root: root_at(size, self).expect("a root") };
        let origin = Origin::new(self.name.as_str()).expect("an origin");
        let signer = Signer::new(self.name.clone(), self.key.clone()).expect("a signer");
        Checkpoint::new(origin, head).sign(&[signer]).expect("signed")
    }

    fn request(&self, known: u64) -> String {
        Request::new(known, &self.checkpoint(), self).expect("a request").to_string()
    }
}

fn witness(directory: &str, logs: &[&str]) -> Running {
    let mut args = vec!["witness", "--dir", directory, "--name", "witness.test", "--listen", ANY];
    for log in logs {
        args.extend(["--log", log]);
    }
    Running::start(&args)
}

fn key_of(running: &Running) -> String {
    let line = running.before.iter().find_map(|line| line.strip_prefix("key  "));
    line.expect("it says its key").to_owned()
}

fn add(running: &Running, body: &str) -> Answer {
    running.post("/add-checkpoint", &[], body)
}

#[test]
fn only_what_follows_is_cosigned_also_after_the_witness_was_killed() {
    let directory = Directory::new();
    let log = Forged::new("log.test/acts", 1).with(&["a", "b", "c"]);
    let keys = directory.join("log.pub");
    fs::write(&keys, log.verifier()).expect("written");
    let heads = directory.join("witness");
    let running = witness(&heads, &[&keys]);
    let key: VerifierKey = key_of(&running).parse().expect("a key");
    let first = add(&running, &log.request(0));
    assert_eq!(first.status, 200, "{first:?}");
    let lines = ledger::note::Signature::parse_lines(&first.body).expect("a line");
    key.verify(log.checkpoint().unverified_text(), &lines[0]).expect("its cosignature");
    // A fork of the same size, one that is longer, a shorter log, a log that it does not know, a
    // key that is another, and what is no request.
    let fork = Forged::new("log.test/acts", 1).with(&["a", "b", "x"]);
    let longer = Forged::new("log.test/acts", 1).with(&["a", "x", "c", "d"]);
    let shorter = Forged::new("log.test/acts", 1).with(&["a", "b"]);
    let unknown = Forged::new("other.test/acts", 1).with(&["a"]);
    let another = Forged::new("log.test/acts", 2).with(&["a"]);
    let refused = |running: &Running| {
        for (body, status) in [
            (fork.request(3), 422),
            (longer.request(3), 422),
            (fork.request(0), 409),
            (shorter.request(0), 409),
            (unknown.request(0), 404),
            (another.request(0), 403),
            ("nonsense".to_owned(), 400),
            ("x".repeat(REQUEST_BYTES + 1), 413),
        ] {
            let answer = add(running, &body);
            assert_eq!(answer.status, status, "{body:.40}: {answer:?}");
        }
        let conflict = add(running, &log.request(0));
        assert_eq!((conflict.status, conflict.body.as_str()), (409, "3\n"));
        assert_eq!(conflict.header("content-type"), "text/x.tlog.size");
    };
    refused(&running);
    assert_eq!(running.get("/", &[]).status, 404, "there is nothing else");
    // Dropping kills it without asking.
    drop(running);
    let running = witness(&heads, &[&keys]);
    assert_eq!(key_of(&running), key.to_string(), "its key stays");
    refused(&running);
    let more = Forged::new("log.test/acts", 1).with(&["a", "b", "c", "d"]);
    assert_eq!(add(&running, &more.request(3)).status, 200);
    // A head that it cannot read any more is no reason to begin anew.
    for file in fs::read_dir(&heads).expect("a directory") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|end| end == "head") {
            fs::write(path, "nonsense").expect("written");
        }
    }
    let last = Forged::new("log.test/acts", 1).with(&["a", "b", "c", "d", "e"]);
    for known in [0, 4] {
        assert_eq!(add(&running, &last.request(known)).status, 500);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for file in fs::read_dir(from).expect("a directory") {
        let path = file.expect("a file").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).expect("a copy");
        }
    }
}

fn has_cosigned(data: &str, address: &str, key: &str) {
    let file = format!("{data}/muster.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let section = format!("\n[[witness]]\nurl = \"http://{address}\"\nkey = \"{key}\"\n");
    fs::write(&file, text + &section + "required = true\n").expect("written");
}

#[test]
fn a_node_has_its_log_cosigned_and_does_not_start_when_it_was_set_back() {
    let directory = Directory::new();
    let data = directory.join("node");
    let said = run(&["demo", "--once", "--data", &data, "--speed", "100"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let old = directory.join("old");
    copy(Path::new(&data), Path::new(&old));
    copy(Path::new(&format!("{data}-keys")), Path::new(&format!("{old}-keys")));
    let heads = directory.join("witness");
    let watching = witness(&heads, &[&format!("{data}/muster.pub")]);
    let (address, key) = (watching.address.to_string(), key_of(&watching));
    for data in [&data, &old] {
        has_cosigned(data, &address, &key);
    }
    let size = || {
        let files = fs::read_dir(&heads).expect("a directory");
        let mut paths = files.map(|file| file.expect("a file").path());
        let head = paths.find(|path| path.extension().is_some_and(|end| end == "head"));
        let text = head.and_then(|head| fs::read_to_string(head).ok()).unwrap_or_default();
        text.lines().next().and_then(|size| size.parse::<u64>().ok()).unwrap_or(0)
    };
    assert_eq!(size(), 0);
    let running = Running::start(&["demo", "--data", &data, "--listen", ANY]);
    let began = size();
    assert!(began > 100, "cosigned before it listens");
    let link = running.before.iter().find_map(|line| line.split_once("/demo/sign-in"));
    let link = format!("/demo/sign-in{}", link.expect("a link").1.trim());
    // Signing in is an entry; the head that has it is cosigned soon after.
    let mut turns = 0;
    while size() <= began {
        assert!(running.get(&link, &[]).status < 500);
        turns += 1;
        assert!(turns < 5000, "the witness was not asked again");
    }
    assert!(running.stop().success());
    let keys = format!("{data}-keys");
    let verify =
        |more: &[&str]| run(&[&["verify", "--data", &data, "--keys", &keys], more].concat());
    let said = verify(&["--witness", &key]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let stranger = witness(&directory.join("stranger"), &[&format!("{data}/muster.pub")]);
    let said = verify(&["--witness", &key_of(&stranger)]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.out.contains("acts: cosignature: `witness.test` has cosigned no head"),
        "{}",
        said.out
    );
    // The keys remember the last head, too: whoever sets the log back takes both from the backup.
    let said = run(&["serve", "--data", &old, "--listen", ANY]);
    assert_ne!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("it was set back"), "{}", said.err);
    // A log that nobody may start without its witness does not.
    drop(watching);
    let said = run(&["serve", "--data", &data, "--listen", ANY]);
    assert_ne!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("does not answer"), "{}", said.err);
}
