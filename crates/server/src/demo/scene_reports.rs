//! The scene of reports: a METHANE marked line by line, two SITREPs of which one is late, and an
//! intelligence report that a clause lets through once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use app::kernel::Fault;
use app::kernel::question::{Answer, Asked};
use app::kernel::reader::Reader;
use app::reports::attachment;
use base::{Kind, RecordId, Token};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::Cast;
use super::founding::marking;
use super::record::Record;
use super::world::World;

/// LIMIT: real time in which what is due must have come, on a machine with much else to do.
const LATE_MS_MAX: i64 = 10_000;
/// How long one look is apart from the next.
const LOOK: Duration = Duration::from_millis(20);

/// The section `reports` of `play.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    seat: String,
    level: u8,
    title: String,
    portions: Vec<Portion>,
    /// How many lines the desk of each recipient reads.
    reads: BTreeMap<String, usize>,
    /// Who is asked for a SITREP, and until when.
    due_s: u32,
    in_time: String,
    late: String,
    sitrep: String,
    /// A file, marked like the line that it belongs to.
    sketch: Sketch,
    intelligence: Intelligence,
}

impl Reports {
    /// The seats that the scene names.
    pub fn seats(&self) -> impl Iterator<Item = &String> {
        let own = [&self.seat, &self.in_time, &self.late];
        let intelligence = [&self.intelligence.seat, &self.intelligence.to];
        own.into_iter().chain(intelligence).chain(self.reads.keys())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Portion {
    line: String,
    text: String,
    level: u8,
    #[serde(default)]
    codes: BTreeSet<Token>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sketch {
    name: String,
    media: String,
    text: String,
    level: u8,
}

/// A report that flows, and the same one level higher, which does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Intelligence {
    seat: String,
    to: String,
    title: String,
    text: String,
    level: u8,
    refused_level: u8,
    codes: BTreeSet<Token>,
}

struct Scene<'a> {
    cast: &'a Cast,
    world: &'a World,
    text: &'a Reports,
    record: &'a mut Record,
}

/// Performs the scene.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(cast: &Cast, world: &World, record: &mut Record) -> Result<(), Fault> {
    let mut scene = Scene { cast, world, text: &world.play.reports, record };
    scene.methane()?;
    scene.sitreps()?;
    scene.intelligence()
}

/// Lines of a rendition that this reader was given.
fn lines(layers: &[app::kernel::reader::OpenLayer]) -> usize {
    let portions = layers.iter().filter_map(|layer| layer.body.get("portions")?.as_array());
    portions.map(Vec::len).sum()
}

impl Scene<'_> {
    fn code(&self, seat: &str) -> String {
        self.world.seat(seat).map_or_else(String::new, |(agency, _)| agency.code.clone())
    }

    fn agency_of(&self, seat: &str) -> base::AgencyId {
        self.cast.founded().agency(&self.code(seat))
    }

    fn methane(&mut self) -> Result<(), Fault> {
        let text = self.text;
        let recipients: Vec<_> = text.reads.keys().map(|seat| self.agency_of(seat)).collect();
        let portions: Vec<Value> = text
            .portions
            .iter()
            .map(|portion| {
                json!({ "markings": marking(portion.level, &portion.codes),
                        "line": portion.line, "text": portion.text })
            })
            .collect();
        let command = json!({
            "do": "submit", "form": "methane", "title": text.title,
            "markings": marking(text.level, &BTreeSet::new()),
            "portions": portions, "recipients": recipients
        });
        let report = self.cast.act(&text.seat, "report:submit", &command)?.record;
        for (seat, wanted) in &text.reads {
            let seen = self.cast.read(seat, "report", report)?;
            let (code, got) = (self.code(seat), lines(&seen.layers));
            let all = text.portions.len();
            let what = format!("the desk of {code} reads {wanted} of {all} lines of the METHANE");
            self.record.expect(what, got == *wanted);
        }
        self.sketch(report)?;
        let outsider = self.cast.read(&text.intelligence.seat, "report", report);
        let absent = outsider.err().is_some_and(|fault| fault.code.kind == Kind::Absent);
        let code = self.code(&text.intelligence.seat);
        self.record.expect(format!("{code}, no recipient, does not learn of it"), absent);
        self.withdraw(report)
    }

    /// Attaches a file, which those read who read the line that it belongs to.
    fn sketch(&mut self, report: RecordId) -> Result<(), Fault> {
        let (text, sketch) = (self.text, &self.text.sketch);
        let named = BTreeMap::from([("name".to_owned(), sketch.name.clone())]);
        let asked = |seat: &str, id, path, body, media| {
            let node = self.cast.node();
            let reader = Reader::new(node, self.cast.actor(seat)?);
            Ok::<_, Fault>(Asked { node, reader, id, query: &named, path, body, media })
        };
        let none = BTreeMap::new();
        let bytes = sketch.text.as_bytes();
        let sent = attachment::upload(&asked(&text.seat, None, &none, bytes, &sketch.media)?)?;
        let Answer::Created(kept) = sent else {
            return Err(Fault::bug("an upload is answered by its ticket"));
        };
        let attaching = json!({ "markings": marking(sketch.level, &BTreeSet::new()),
            "attachment": kept.get("attachment") });
        let command = json!({ "do": "attach", "report": report, "attachments": [attaching] });
        self.cast.act(&text.seat, "report:attach", &command)?;
        let digest = kept.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned();
        let path = BTreeMap::from([("digest".to_owned(), digest)]);
        let below = text.portions.iter().filter(|portion| portion.level < sketch.level).count();
        let mut right = 0;
        for (seat, lines) in &text.reads {
            let got = attachment::download(&asked(seat, Some(report), &path, &[], "")?);
            let whole = matches!(&got, Ok(Answer::File { bytes: got, .. }) if *got == bytes);
            let absent = got.is_err_and(|fault| fault.code.kind == Kind::Absent);
            right += usize::from(if *lines > below { whole } else { absent });
        }
        let what = "a file is read by those who read its line, and is absent for the others";
        self.record.expect(what, right == text.reads.len());
        Ok(())
    }

    /// Withdraws the METHANE from one recipient and releases it again.
    fn withdraw(&mut self, report: RecordId) -> Result<(), Fault> {
        let (text, seat) = (self.text, self.text.in_time.as_str());
        let agency = self.agency_of(seat);
        let command = json!({ "do": "withdraw", "report": report, "agency": agency,
                              "reason": "Sent before it was checked" });
        self.cast.act(&text.seat, "report:withdraw", &command)?;
        let gone = self.cast.read(seat, "report", report).is_err();
        let code = self.code(seat);
        self.record.expect(format!("a withdrawal ends the reading of {code}"), gone);
        let command = json!({ "do": "release", "report": report, "recipients": [agency] });
        self.cast.act(&text.seat, "report:release", &command)?;
        let back = self.cast.read(seat, "report", report).is_ok();
        self.record.expect(format!("{code} reads it again after a release"), back);
        Ok(())
    }

    fn request(&self, seat: &str) -> Result<RecordId, Fault> {
        let due_at = self.cast.node().play_now().plus_s(i64::from(self.text.due_s));
        let command = json!({
            "do": "request", "form": "sitrep", "title": self.text.sitrep,
            "markings": marking(self.text.level, &BTreeSet::new()),
            "agency": self.agency_of(seat), "due_at": due_at
        });
        Ok(self.cast.act(&self.text.seat, "report:request", &command)?.record)
    }

    fn sitrep(&self, seat: &str, request: RecordId) -> Result<RecordId, Fault> {
        let command = json!({
            "do": "submit", "form": "sitrep", "title": self.text.sitrep,
            "markings": marking(self.text.level, &BTreeSet::new()),
            "portions": [{ "line": "headline", "text": "Situation stable; no new casualties." }],
            "recipients": [self.agency_of(&self.text.seat)], "request": request
        });
        Ok(self.cast.act(seat, "report:submit", &command)?.record)
    }

    fn state(&self, report: RecordId) -> Result<Option<String>, Fault> {
        Ok(self.cast.read(&self.text.seat, "report", report)?.state)
    }

    fn sitreps(&mut self) -> Result<(), Fault> {
        let text = self.text;
        let (first, second) = (self.request(&text.in_time)?, self.request(&text.late)?);
        let early = self.sitrep(&text.in_time, first)?;
        let code = self.code(&text.in_time);
        let in_time = self.state(early)?.as_deref() == Some("submitted")
            && self.state(first)?.as_deref() == Some("answered");
        self.record.expect(format!("the SITREP of {code} is in time"), in_time);
        let overdue = self.overdue(second)?;
        let code = self.code(&text.late);
        self.record.expect(format!("the SITREP of {code} is shown overdue"), overdue);
        let late = self.sitrep(&text.late, second)?;
        let marked = self.state(late)?.as_deref() == Some("late")
            && self.state(second)?.as_deref() == Some("answered_late");
        self.record.expect(format!("the SITREP of {code} is marked late"), marked);
        Ok(())
    }

    /// Waits until a request is overdue.
    fn overdue(&self, request: RecordId) -> Result<bool, Fault> {
        let node = self.cast.node();
        let due = node.play_now().plus_s(i64::from(self.text.due_s));
        let mut passed_at = None;
        loop {
            if self.state(request)?.as_deref() == Some("overdue") {
                return Ok(true);
            }
            if node.play_now() > due && passed_at.is_none() {
                passed_at = Some(node.now());
            }
            let late = passed_at.is_some_and(|from| node.now().ms_since(from) > LATE_MS_MAX);
            if node.stopped() || late {
                return Ok(false);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn intelligence(&mut self) -> Result<(), Fault> {
        let text = &self.text.intelligence;
        let to = self.agency_of(&text.to);
        let command = |level: u8| {
            json!({
                "do": "submit", "form": "intelligence", "title": text.title,
                "markings": marking(level, &text.codes),
                "portions": [{ "line": "information", "text": text.text,
                               "grade": { "source": "B", "information": 2 } }],
                "recipients": [to]
            })
        };
        let report = self.cast.act(&text.seat, "report:submit", &command(text.level))?.record;
        let own = self.cast.read(&text.seat, "report", report)?;
        let authority = own.layers.iter().find_map(|layer| layer.body.get("authorities"));
        let cited = authority.and_then(|list| list.pointer("/0/clauses/0/agreement")?.as_str());
        let security = self.cast.founded().agreement("security").to_string();
        let code = self.code(&text.to);
        let what = format!("a graded report reaches {code} under a clause of `security`");
        let seen = self.cast.read(&text.to, "report", report).is_ok();
        self.record.expect(what, seen && cited == Some(&security));
        let theirs = self.cast.read(&text.to, "report", report)?;
        let told = theirs.layers.iter().any(|layer| layer.body.contains_key("authorities"));
        self.record.expect(format!("{code} does not read under what it was released"), !told);
        let refused = self.cast.act(&text.seat, "report:submit", &command(text.refused_level));
        let named = refused.err().is_some_and(|fault| {
            let says = |words: &str| fault.detail.contains(words);
            fault.code.slug == "no-clause" && says(&code) && says("whose level ends at")
        });
        let what = format!("one level higher it is refused: {code} and the clause are named");
        self.record.expect(what, named);
        self.record.counted.refusals += u32::from(named);
        Ok(())
    }
}
