//! The search index: what is found is what may be read, and its files tell nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use base::crypto::Secret;
use store::search::{Document, Encrypted, Filter, Found, Index, Match, Query, Writer, open, words};
use tantivy::directory::{Directory, TerminatingWrite};

use crate::postgres::TemporaryDirectory;
use crate::world::files;

/// Bytes of plaintext in a chunk of a file.
const CHUNK: usize = 16 * 1024;
const KEY: Secret = Secret::new([7; 32]);

fn texts(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

#[test]
fn words_are_folded_and_stand_where_they_were() {
    let found = texts("Überfall in Łódź, 10.0.0.1!");
    assert_eq!(found, ["uberfall", "in", "lodz", "10", "0", "0", "1"]);
    assert_eq!(texts("Пожар на вокзале حريق"), ["пожар", "на", "вокзале", "حريق"]);
    let text = "a — Rauchmelder";
    let last = words(text).pop().expect("a word");
    assert_eq!(text.get(last.from..last.to), Some("Rauchmelder"));
}

#[test]
fn what_has_no_spaces_is_split_by_character() {
    assert_eq!(texts("東京駅で火災"), ["東", "京", "駅", "で", "火", "災"]);
    assert_eq!(texts("駅A1出口"), ["駅", "a1", "出", "口"]);
}

#[test]
fn empty_and_endless_text_has_no_words() {
    assert_eq!(texts(" –…\u{202e}"), Vec::<String>::new());
    assert_eq!(texts(&"a".repeat(200)), Vec::<String>::new());
}

fn put(directory: &Encrypted, name: &str, bytes: &[u8]) {
    let mut file = directory.open_write(Path::new(name)).expect("made");
    file.write_all(bytes).expect("written");
    file.terminate().expect("ended");
}

#[test]
fn every_range_of_a_file_reads_as_it_was_written() {
    let folder = TemporaryDirectory::new().expect("a directory");
    let directory = Encrypted::new(folder.path().to_owned(), KEY);
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let bytes: Vec<u8> = (0_u8..=250).cycle().take(len).collect();
        let name = len.to_string();
        put(&directory, &name, &bytes);
        let file = directory.get_file_handle(Path::new(&name)).expect("there");
        assert_eq!(file.len(), len);
        for (from, to) in [(0, len), (len / 2, len), (len / 3, len / 2), (len, len)] {
            let read = file.read_bytes(from..to).expect("read");
            assert_eq!(Some(read.as_slice()), bytes.get(from..to), "{from}..{to} of {len}");
        }
        assert!(file.read_bytes(0..len + 1).is_err(), "beyond the end");
    }
}

#[test]
fn a_changed_cut_renamed_or_foreign_file_does_not_read() {
    let folder = TemporaryDirectory::new().expect("a directory");
    let directory = Encrypted::new(folder.path().to_owned(), KEY);
    put(&directory, "a", &vec![3; 2 * CHUNK]);
    let path = folder.path().join("a");
    let whole = fs::read(&path).expect("the file");
    assert!(!whole.windows(8).any(|part| part == [3; 8]), "it lies encrypted");
    let reads = |directory: &Encrypted, name: &str| {
        let file = directory.get_file_handle(Path::new(name)).expect("there");
        file.read_bytes(0..file.len()).is_ok()
    };
    assert!(reads(&directory, "a"));
    let mut changed = whole.clone();
    *changed.last_mut().expect("a byte") ^= 1;
    fs::write(folder.path().join("changed"), &changed).expect("written");
    fs::write(folder.path().join("renamed"), &whole).expect("written");
    let foreign = Encrypted::new(folder.path().to_owned(), Secret::new([8; 32]));
    assert!(!reads(&foreign, "a"), "another key");
    fs::write(&path, whole.get(..17 + CHUNK + 16).expect("one chunk")).expect("written");
    for name in ["changed", "renamed", "a"] {
        assert!(!reads(&directory, name), "{name}");
    }
}

struct Shelf {
    folder: TemporaryDirectory,
    index: Index,
    writer: Writer,
}

/// A document that may be read by whoever reads `cell`.
fn document(record: u64, cell: u32, title: &str, text: &str) -> Document {
    Document {
        record,
        kind: u32::try_from(record % 2).expect("0 or 1"),
        cells: [cell; 4],
        agency: record / 10,
        sequence: record,
        at_ms: i64::try_from(record).expect("small") * 1000,
        title: title.to_owned(),
        text: text.to_owned(),
    }
}

/// Readers of these cells, of the two kinds.
fn reads(cells: &[usize]) -> Filter {
    let of: Vec<bool> = (0..16).map(|cell| cells.contains(&cell)).collect();
    Filter { readable: vec![of.clone(), of], ..Filter::default() }
}

fn query(text: &str) -> Query {
    let phrases = text.split('|').map(texts).collect();
    Query { phrases, open_end: text.ends_with('_') }
}

impl Shelf {
    fn new() -> Self {
        let folder = TemporaryDirectory::new().expect("a directory");
        let (index, writer, note) = open(&folder.path().join("search"), &KEY).expect("an index");
        assert_eq!(note, None);
        Self { folder, index, writer }
    }

    fn with(documents: &[Document]) -> Self {
        let mut shelf = Self::new();
        for document in documents {
            shelf.writer.replace(document.record, std::slice::from_ref(document)).expect("put");
        }
        shelf.commit();
        shelf
    }

    fn commit(&mut self) {
        self.writer.commit("7").expect("committed");
        self.index.reload().expect("turned");
    }

    fn search(&self, text: &str, filter: &Filter) -> Found {
        self.index.search(&query(text), filter, 10).expect("found")
    }

    fn records(&self, text: &str, filter: &Filter) -> Vec<u64> {
        self.search(text, filter).matches.iter().map(|found| found.record).collect()
    }
}

#[test]
fn every_part_must_be_there_in_its_order() {
    let shelf = Shelf::with(&[
        document(1, 0, "Fire", "smoke on platform four"),
        document(2, 0, "Smoke", "platform four is closed"),
        document(3, 0, "Flood", "four platforms"),
    ]);
    let all = reads(&[0]);
    assert_eq!(shelf.records("SMOKE", &all), [2, 1], "a title goes first");
    assert_eq!(shelf.records("smoke|platform", &all), [2, 1]);
    assert_eq!(shelf.records("platform four", &all), [2, 1]);
    assert_eq!(shelf.records("four platform", &all), Vec::<u64>::new());
    assert_eq!(shelf.records("plat_", &all), [3, 2, 1], "a beginning");
    assert_eq!(shelf.records("plat", &all), Vec::<u64>::new());
    assert_eq!(shelf.records("fire smoke", &all), Vec::<u64>::new(), "not across title and text");
    assert_eq!(shelf.records("", &all), [3, 2, 1]);
    assert_eq!(shelf.records("missing", &all), Vec::<u64>::new());
}

#[test]
fn what_may_not_be_read_changes_nothing() {
    let known = [
        document(11, 1, "Smoke", "platform"),
        document(12, 1, "", "smoke"),
        document(23, 1, "", "smoke smoke smoke"),
    ];
    let mut more = known.to_vec();
    for record in 30..60 {
        more.push(document(record, 2, "Smoke", "smoke everywhere"));
    }
    // Each one of the four cells closes a document.
    for closed in 0..4 {
        let mut hidden = document(70 + closed, 1, "Smoke", "smoke");
        hidden.cells[usize::try_from(closed).expect("small")] = 2;
        more.push(hidden);
    }
    // A kind that the filter does not know, and a cell that is newer than it.
    more.push(Document { kind: 9, ..document(80, 1, "Smoke", "smoke") });
    more.push(document(81, 99, "Smoke", "smoke"));
    let (few, many) = (Shelf::with(&known), Shelf::with(&more));
    for text in ["smoke", "smok_", "", "smoke|platform", "everywhere"] {
        let found = few.search(text, &reads(&[1]));
        assert_eq!(found, many.search(text, &reads(&[1])), "{text}");
    }
    let found = few.search("smoke", &reads(&[1]));
    let order: Vec<u64> = found.matches.iter().map(|found| found.record).collect();
    assert_eq!(order, [11, 23, 12], "however often a word stands there");
    assert_eq!(
        (found.total, found.kinds, found.agencies),
        (3, [(0, 1), (1, 2)].into(), [(1, 2), (2, 1)].into())
    );
    assert_eq!(many.search("smoke", &reads(&[])), Found::default(), "nobody reads nothing");
    assert_eq!(many.search("smoke", &Filter::default()), Found::default());
}

#[test]
fn a_record_is_found_once_at_its_best_layer_and_counted_once() {
    let mut shelf = Shelf::new();
    let layers = [
        document(5, 1, "Smoke", "platform"),
        Document { sequence: 9, ..document(5, 2, "", "smoke") },
        Document { sequence: 12, ..document(5, 3, "", "smoke") },
    ];
    shelf.writer.replace(5, &layers).expect("put");
    shelf.writer.replace(7, &[document(7, 1, "", "smoke")]).expect("put");
    shelf.commit();
    let found = shelf.search("smoke", &reads(&[1, 2]));
    let five = Match { titled: true, sequence: 9, record: 5 };
    let seven = Match { titled: false, sequence: 7, record: 7 };
    assert_eq!((found.matches.as_slice(), found.total), (&[five, seven][..], 2));
    // Without its title's layer it is one like the others.
    let found = shelf.search("smoke", &reads(&[1, 3]));
    assert_eq!(found.matches.first().map(|found| found.sequence), Some(12));
    let found = shelf.search("smoke", &reads(&[2]));
    assert_eq!(found.matches.first().map(|found| found.titled), Some(false));
}

#[test]
fn the_first_of_many_are_the_same_however_many_are_asked_for() {
    let documents: Vec<Document> =
        (0..200).map(|record| document(record, 1, "", "smoke")).collect();
    let shelf = Shelf::with(&documents);
    let all = shelf.index.search(&query("smoke"), &reads(&[1]), 200).expect("found");
    assert_eq!(all.matches.len(), 200);
    for limit in [0, 1, 7, 199] {
        let some = shelf.index.search(&query("smoke"), &reads(&[1]), limit).expect("found");
        assert_eq!(some.matches.as_slice(), all.matches.get(..limit).expect("so many"));
        assert_eq!(some.total, 200);
    }
}

#[test]
fn kinds_agencies_and_times_narrow_a_search() {
    let documents: Vec<Document> =
        (10..40).map(|record| document(record, 1, "", "smoke")).collect();
    let shelf = Shelf::with(&documents);
    let all = || reads(&[1]);
    let odd = Filter { kinds: BTreeSet::from([1]), ..all() };
    assert_eq!(shelf.search("smoke", &odd).total, 15);
    let second = Filter { agency: Some(2), ..all() };
    assert_eq!(shelf.search("smoke", &second).agencies, [(2, 10)].into());
    let times = Filter { from_ms: Some(15_000), to_ms: Some(17_000), ..all() };
    assert_eq!(shelf.records("smoke", &times), [16, 15]);
}

#[test]
fn a_replaced_record_is_found_by_what_it_says_now() {
    let mut shelf = Shelf::with(&[document(1, 1, "", "smoke"), document(2, 1, "", "smoke")]);
    shelf.writer.replace(1, &[document(1, 1, "", "flood")]).expect("put");
    shelf.writer.replace(2, &[]).expect("put");
    assert_eq!(shelf.records("smoke", &reads(&[1])), [2, 1], "not before it is committed");
    shelf.commit();
    assert_eq!(shelf.records("smoke", &reads(&[1])), Vec::<u64>::new());
    assert_eq!(shelf.records("flood", &reads(&[1])), [1]);
}

#[test]
fn it_opens_again_with_its_note_and_under_its_own_key_alone() {
    let Shelf { folder, index, writer } = Shelf::with(&[document(1, 1, "Smoke", "canaryword")]);
    writer.close().expect("closed");
    drop(index);
    let path = folder.path().join("search");
    let (index, writer, note) = open(&path, &KEY).expect("opened");
    assert_eq!(note.as_deref(), Some("7"));
    assert_eq!(index.search(&query("smoke"), &reads(&[1]), 1).expect("found").total, 1);
    writer.close().expect("closed");
    drop(index);
    for file in files(folder.path()) {
        let bytes = fs::read(&file).expect("a file");
        assert!(!bytes.windows(10).any(|part| part == b"canaryword"), "{}", file.display());
    }
    assert!(open(&path, &Secret::new([8; 32])).is_err(), "another key");
    store::search::remove(&path).expect("removed");
    store::search::remove(&path).expect("removed already");
    let (_, _, note) = open(&path, &Secret::new([8; 32])).expect("a new one");
    assert_eq!(note, None);
}
