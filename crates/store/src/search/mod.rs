//! The search index: a view on tantivy whose files are encrypted. It stores no text.
//!
//! INVARIANT: what leaves [`Index::search`] — order, counts, facets — depends on nothing but the
//! documents that the caller's [`Filter`] lets through. There is no score: statistics of words over
//! all documents would tell readers of what they may not read.
//!
//! A document is one layer of a record, under its cell; hits are grouped by record.

mod directory;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base::crypto::Secret;
pub use directory::Encrypted;
use tantivy::columnar::{Column, ColumnValues};
use tantivy::indexer::NoMergePolicy;
use tantivy::query::{BooleanQuery, EnableScoring, FuzzyTermQuery, Occur, PhraseQuery, TermQuery};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, SegmentReader,
    TantivyDocument, Term,
};
pub use words::{Word, words};

use crate::Error;
use crate::keys::make_directory;

/// LIMIT: bytes that a writer collects before it writes a segment.
const WRITER_BYTES: usize = 24 * 1024 * 1024;
/// LIMIT: hits of one search that can be paged through.
pub const HITS_MAX: usize = 1000;
/// LIMIT: words of one query.
pub const WORDS_MAX: usize = 32;
/// The shortest beginning of a word that is looked for as one, in characters.
const PREFIX_CHARS: usize = 2;

/// One layer of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The sequence number of the entry that made the record: unique, and small.
    pub record: u64,
    /// The kind's number in the caller's list of kinds.
    pub kind: u32,
    /// The cells that a reader must be able to read: of the layer, of what it was raised to, of the
    /// record's base, and of what that was raised to.
    pub cells: [u32; 4],
    /// The last eight bytes of the agency's id.
    pub agency: u64,
    /// The entry that changed it last.
    pub sequence: u64,
    /// When that was, in milliseconds.
    pub at_ms: i64,
    pub title: String,
    pub text: String,
}

/// What a query asks for: documents that have every part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Each is a phrase of at least one word, as [`words`] gives them.
    pub phrases: Vec<Vec<String>>,
    /// Whether the last word of the last phrase may go on.
    pub open_end: bool,
}

/// What a searcher may read and wants to see.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By kind, by cell: whether it may be read. What is not in it may not.
    pub readable: Vec<Vec<bool>>,
    /// Only these kinds, by number; empty for all.
    pub kinds: BTreeSet<u32>,
    /// Only of this agency.
    pub agency: Option<u64>,
    /// Only what was changed last at or after, and before, these milliseconds.
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
}

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// Whether one of its titles has every part of the query.
    pub titled: bool,
    /// The newest of its layers that was found.
    pub sequence: u64,
    pub record: u64,
}

/// What a search found, all of it readable by who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Titles first, then the newest; at most as many as were asked for.
    pub matches: Vec<Match>,
    /// Records in all, by kind, and by agency.
    pub total: u64,
    pub kinds: BTreeMap<u32, u64>,
    pub agencies: BTreeMap<u64, u64>,
}

#[derive(Clone, Copy)]
struct Fields {
    title: Field,
    text: Field,
    class: Field,
    record: Field,
    sequence: Field,
    at: Field,
}

/// What many documents have in common, and all that a right to read depends on.
///
/// Each segment numbers the classes that occur in it, so that a filter decides about a class once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Class {
    kind: u32,
    cells: [u32; 4],
    agency: u64,
}

impl Class {
    /// Kind, cells and agency, big-endian.
    fn to_bytes(self) -> Vec<u8> {
        let numbers = std::iter::once(self.kind).chain(self.cells);
        numbers.flat_map(u32::to_be_bytes).chain(self.agency.to_be_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, agency) = bytes.split_last_chunk()?;
        let mut numbers = numbers.chunks_exact(4).filter_map(|part| part.try_into().ok());
        let mut next = || numbers.next().map(u32::from_be_bytes);
        let kind = next()?;
        let cells = [next()?, next()?, next()?, next()?];
        Some(Self { kind, cells, agency: u64::from_be_bytes(*agency) })
    }
}

impl Fields {
    fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let text = |option| {
            let indexing = TextFieldIndexing::default().set_tokenizer(words::ANALYSER);
            let indexing = indexing.set_fieldnorms(false).set_index_option(option);
            TextOptions::default().set_indexing_options(indexing)
        };
        let fields = Self {
            title: schema.add_text_field("title", text(IndexRecordOption::WithFreqsAndPositions)),
            text: schema.add_text_field("text", text(IndexRecordOption::WithFreqsAndPositions)),
            class: schema.add_bytes_field("class", FAST),
            record: schema.add_u64_field("record", INDEXED | FAST),
            sequence: schema.add_u64_field("sequence", FAST),
            at: schema.add_i64_field("at", FAST),
        };
        (schema.build(), fields)
    }
}

/// The numbers of one segment's documents.
struct Columns {
    /// The number of the class.
    class: Arc<dyn ColumnValues<u64>>,
    classes: Vec<Class>,
    record: Arc<dyn ColumnValues<u64>>,
    sequence: Arc<dyn ColumnValues<u64>>,
    at: Arc<dyn ColumnValues<i64>>,
}

impl Columns {
    fn of(segment: &SegmentReader) -> Result<Self, Error> {
        let fast = segment.fast_fields();
        let damaged = || Error::Form("class of a document");
        let class = fast.bytes("class")?.ok_or_else(damaged)?;
        let mut classes = Vec::with_capacity(class.num_terms());
        let mut stream = class.dictionary().stream().map_err(Error::io("class", "read"))?;
        while stream.advance() {
            classes.push(Class::from_bytes(stream.key()).ok_or_else(damaged)?);
        }
        Ok(Self {
            class: whole(class.ords().clone()),
            classes,
            record: whole(fast.u64("record")?),
            sequence: whole(fast.u64("sequence")?),
            at: whole(fast.i64("at")?),
        })
    }
}

/// The values of a column that every document has, without the index of those that have none.
fn whole<T>(column: Column<T>) -> Arc<dyn ColumnValues<T>>
where
    T: PartialOrd + Copy + Debug + Default + Send + Sync + 'static,
{
    if column.get_cardinality().is_full() {
        column.values
    } else {
        column.first_or_default_col(T::default())
    }
}

/// A state of the index, and the numbers of its segments, unsealed once.
struct Opened {
    searcher: Searcher,
    segments: Vec<Arc<Columns>>,
}

type Kept = HashMap<tantivy::index::SegmentId, Arc<Columns>>;

/// The index of one node.
pub struct Index {
    fields: Fields,
    reader: IndexReader,
    opened: Mutex<(Arc<Opened>, Kept)>,
}

/// The one writer of an index.
pub struct Writer {
    fields: Fields,
    writer: IndexWriter,
}

impl From<tantivy::TantivyError> for Error {
    fn from(source: tantivy::TantivyError) -> Self {
        Self::Search(source)
    }
}

/// Opens the index in a directory, or makes an empty one there; gives it, its writer, and what was
/// noted with the last commit.
///
/// # Errors
/// [`Error::Io`] when the directory cannot be made; [`Error::Search`] when the index is damaged or
/// was made under another key: it is made anew then.
pub fn open(path: &Path, key: &Secret) -> Result<(Index, Writer, Option<String>), Error> {
    make_directory(path)?;
    let directory = Encrypted::new(path.to_owned(), key.clone());
    let (schema, fields) = Fields::schema();
    let builder = tantivy::Index::builder().schema(schema).settings(IndexSettings::default());
    let index = builder.open_or_create(directory)?;
    index.tokenizers().register(words::ANALYSER, words::analyser());
    let note = index.load_metas()?.payload;
    let writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    let empty = Opened { searcher: reader.searcher(), segments: Vec::new() };
    let index = Index { fields, reader, opened: Mutex::new((Arc::new(empty), Kept::new())) };
    index.reload()?;
    Ok((index, Writer { fields, writer }, note))
}

/// Removes an index with all its files.
///
/// # Errors
/// [`Error::Io`] when they cannot be removed.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(path, "removed")(cause))
        }
        _ => Ok(()),
    }
}

impl Writer {
    /// Puts all layers of a record in the place of those that it had.
    ///
    /// # Errors
    /// [`Error::Search`] when the files cannot be written.
    pub fn replace(&mut self, record: u64, documents: &[Document]) -> Result<(), Error> {
        self.writer.delete_term(Term::from_field_u64(self.fields.record, record));
        for document in documents {
            let Fields { title, text, class, record, sequence, at } = self.fields;
            let Document { kind, cells, agency, .. } = *document;
            let mut fields = TantivyDocument::default();
            fields.add_text(title, &document.title);
            // The line between them is no word, and no phrase goes across it.
            fields.add_text(text, &document.title);
            fields.add_text(text, &document.text);
            fields.add_bytes(class, &Class { kind, cells, agency }.to_bytes());
            fields.add_u64(record, document.record);
            fields.add_u64(sequence, document.sequence);
            fields.add_i64(at, document.at_ms);
            self.writer.add_document(fields)?;
        }
        Ok(())
    }

    /// Makes what was written visible to [`Index::reload`], with a note that [`open`] gives back.
    ///
    /// # Errors
    /// [`Error::Search`] when the files cannot be written.
    pub fn commit(&mut self, note: &str) -> Result<(), Error> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(note);
        commit.commit()?;
        Ok(())
    }

    /// Waits for the merging that goes on and ends it, before the files are removed.
    ///
    /// # Errors
    /// [`Error::Search`] when a thread failed.
    pub fn close(self) -> Result<(), Error> {
        self.writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(self.writer.wait_merging_threads()?)
    }
}

impl Index {
    /// Turns to what was committed last.
    ///
    /// # Errors
    /// [`Error::Search`] when a file is damaged.
    pub fn reload(&self) -> Result<(), Error> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = Kept::new();
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for segment in searcher.segment_readers() {
            let known = opened.1.get(&segment.segment_id());
            let columns = match known {
                Some(columns) => Arc::clone(columns),
                None => Arc::new(Columns::of(segment)?),
            };
            kept.insert(segment.segment_id(), Arc::clone(&columns));
            segments.push(columns);
        }
        *opened = (Arc::new(Opened { searcher, segments }), kept);
        Ok(())
    }

    /// Finds the records that match a query and pass a filter; the first `limit` of them in order.
    ///
    /// # Errors
    /// [`Error::Search`] when a file is damaged.
    pub fn search(&self, query: &Query, filter: &Filter, limit: usize) -> Result<Found, Error> {
        let opened = Arc::clone(&self.opened.lock().unwrap_or_else(PoisonError::into_inner).0);
        let mut verdicts = opened.undecided();
        let mut titled = Seen::default();
        let query_of = |field| compiled(query, field);
        opened.each(&*query_of(self.fields.title), (filter, &mut verdicts), |_, line| {
            titled.add(line.record);
        })?;
        let mut seen = Seen::default();
        let mut records: Vec<Vec<u64>> = opened.per_class();
        let mut top = Top { limit: limit.min(HITS_MAX), ..Top::default() };
        opened.each(&*query_of(self.fields.text), (filter, &mut verdicts), |place, line| {
            if seen.add(line.record)
                && let Some(count) = at_mut(&mut records, place)
            {
                *count += 1;
            }
            let Line { record, sequence } = line;
            top.offer(Match { titled: titled.has(record), sequence, record });
        })?;
        let matches = top.ordered.into_iter().rev().collect();
        Ok(opened.counted(&records, matches))
    }
}

/// A document that passed the filter.
#[derive(Clone, Copy)]
struct Line {
    record: u64,
    sequence: u64,
}

/// A segment, and a class in it.
type Place = (usize, usize);

fn at_mut<T>(table: &mut [Vec<T>], (segment, class): Place) -> Option<&mut T> {
    table.get_mut(segment)?.get_mut(class)
}

/// What a filter says of a class.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Undecided,
    Passes,
    Fails,
}

/// Documents of one segment whose numbers are read together.
#[derive(Default)]
struct Block {
    documents: Vec<u32>,
    classes: Vec<u64>,
    /// Those that passed, and their classes.
    passed: Vec<u32>,
    class_of: Vec<usize>,
    records: Vec<u64>,
    sequences: Vec<u64>,
}

impl Block {
    fn begin(&mut self, columns: &Columns, documents: impl Iterator<Item = u32>) {
        self.documents.clear();
        self.documents.extend(documents);
        read(&*columns.class, &self.documents, &mut self.classes);
        self.passed.clear();
        self.class_of.clear();
    }

    /// The class of each document that passed, and its numbers.
    fn lines(&mut self, columns: &Columns) -> impl Iterator<Item = (usize, Line)> {
        read(&*columns.record, &self.passed, &mut self.records);
        read(&*columns.sequence, &self.passed, &mut self.sequences);
        let numbers = self.records.iter().zip(&self.sequences);
        let lines = numbers.map(|(&record, &sequence)| Line { record, sequence });
        self.class_of.iter().copied().zip(lines)
    }
}

fn read(column: &dyn ColumnValues<u64>, documents: &[u32], into: &mut Vec<u64>) {
    into.clear();
    into.resize(documents.len(), 0);
    column.get_vals(documents, into);
}

impl Filter {
    /// Whether documents of a class can pass, whatever their time.
    fn admits(&self, class: &Class) -> bool {
        let readable = usize::try_from(class.kind).ok().and_then(|kind| self.readable.get(kind));
        let reads = |cell: &u32| {
            let cell = usize::try_from(*cell).unwrap_or(usize::MAX);
            readable.and_then(|readable| readable.get(cell)).copied().unwrap_or(false)
        };
        class.cells.iter().all(reads)
            && (self.kinds.is_empty() || self.kinds.contains(&class.kind))
            && self.agency.is_none_or(|wanted| wanted == class.agency)
    }

    /// Lets the documents of a block pass that may.
    fn narrow(&self, columns: &Columns, verdicts: &mut [Verdict], block: &mut Block) {
        let timeless = self.from_ms.is_none() && self.to_ms.is_none();
        for (document, class) in block.documents.iter().zip(&block.classes) {
            let number = usize::try_from(*class).unwrap_or(usize::MAX);
            let Some(verdict) = verdicts.get_mut(number) else { continue };
            if *verdict == Verdict::Undecided {
                let admitted = columns.classes.get(number).is_some_and(|class| self.admits(class));
                *verdict = if admitted { Verdict::Passes } else { Verdict::Fails };
            }
            if *verdict == Verdict::Passes && (timeless || self.in_time(columns, *document)) {
                block.passed.push(*document);
                block.class_of.push(number);
            }
        }
    }

    fn in_time(&self, columns: &Columns, document: u32) -> bool {
        let at = columns.at.get_val(document);
        self.from_ms.is_none_or(|from| at >= from) && self.to_ms.is_none_or(|to| at < to)
    }
}

impl Opened {
    /// A table with a cell for every class of every segment.
    fn per_class<T: Clone + Default>(&self) -> Vec<Vec<T>> {
        self.segments.iter().map(|columns| vec![T::default(); columns.classes.len()]).collect()
    }

    fn undecided(&self) -> Vec<Vec<Verdict>> {
        self.per_class()
    }

    /// Gives every matching document that passes the filter, and its place.
    fn each(
        &self,
        query: &dyn tantivy::query::Query,
        (filter, verdicts): (&Filter, &mut Vec<Vec<Verdict>>),
        mut take: impl FnMut(Place, Line),
    ) -> Result<(), Error> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(&self.searcher))?;
        let segments = self.searcher.segment_readers().iter().zip(&self.segments).zip(verdicts);
        let mut block = Block::default();
        for (n, ((segment, columns), verdicts)) in segments.enumerate() {
            let alive = segment.alive_bitset();
            weight.for_each_no_score(segment, &mut |documents| {
                let alive = |document: &&u32| alive.is_none_or(|set| set.is_alive(**document));
                block.begin(columns, documents.iter().filter(alive).copied());
                filter.narrow(columns, verdicts, &mut block);
                for (class, line) in block.lines(columns) {
                    take((n, class), line);
                }
            })?;
        }
        Ok(())
    }

    /// What was found, from how many records each class has.
    fn counted(&self, records: &[Vec<u64>], matches: Vec<Match>) -> Found {
        let mut found = Found { matches, ..Found::default() };
        for (columns, records) in self.segments.iter().zip(records) {
            for (class, records) in columns.classes.iter().zip(records).filter(|(_, r)| **r > 0) {
                found.total += records;
                *found.kinds.entry(class.kind).or_default() += records;
                *found.agencies.entry(class.agency).or_default() += records;
            }
        }
        found
    }
}

/// A query on one field, without any score.
fn compiled(query: &Query, field: Field) -> Box<dyn tantivy::query::Query> {
    let mut parts: Vec<(Occur, Box<dyn tantivy::query::Query>)> = Vec::new();
    let term = |word: &String| Term::from_field_text(field, word);
    for (n, phrase) in query.phrases.iter().enumerate() {
        let open = query.open_end && n + 1 == query.phrases.len();
        let part: Box<dyn tantivy::query::Query> = match phrase.as_slice() {
            [] => continue,
            [word] if open && word.chars().count() >= PREFIX_CHARS => {
                Box::new(FuzzyTermQuery::new_prefix(term(word), 0, false))
            }
            [word] => Box::new(TermQuery::new(term(word), IndexRecordOption::Basic)),
            words => Box::new(PhraseQuery::new(words.iter().map(term).collect())),
        };
        parts.push((Occur::Must, part));
    }
    if parts.is_empty() {
        return Box::new(tantivy::query::AllQuery);
    }
    Box::new(BooleanQuery::new(parts))
}

/// A set of records.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// Adds a record; whether it was not there.
    fn add(&mut self, record: u64) -> bool {
        let (word, bit) = Self::place(record);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn has(&self, record: u64) -> bool {
        let (word, bit) = Self::place(record);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(record: u64) -> (usize, u64) {
        (usize::try_from(record / 64).unwrap_or(0), 1 << (record % 64))
    }
}

/// The best matches so far, each record once, at the best of its layers.
#[derive(Default)]
struct Top {
    limit: usize,
    ordered: BTreeSet<Match>,
    by_record: HashMap<u64, Match>,
}

impl Top {
    fn offer(&mut self, new: Match) {
        let full = self.ordered.len() >= self.limit;
        if full && self.ordered.first().is_none_or(|least| *least >= new) {
            return;
        }
        match self.by_record.get(&new.record) {
            Some(known) if *known >= new => return,
            Some(known) => {
                self.ordered.remove(known);
            }
            None if full => {
                if let Some(least) = self.ordered.pop_first() {
                    self.by_record.remove(&least.record);
                }
            }
            None => {}
        }
        self.ordered.insert(new);
        self.by_record.insert(new.record, new);
    }
}
