//! The scene of reports: a METHANE marked line by line, two SITREPs of which one is late, and an
//! intelligence report that a clause lets through once.

use std::collections::{BTreeMap, BTreeSet};

use app::kernel::Fault;
use app::kernel::http::answer_preview;
use app::kernel::question::{Answer, Asked};
use app::kernel::reader::Reader;
use app::kernel::route::Serves;
use app::reports::attachment;
use base::{Kind, Place, RecordId, Token};
use serde::Deserialize;
use serde_json::{Value, json};

use super::founding::marking;
use super::screens::shows;
use super::stage::{LOOK, REACHED_MS_MAX, Stage};

/// LIMIT: real time in which what is due must have come, on a machine with much else to do.
const LATE_MS_MAX: i64 = 10_000;

/// The section `reports` of `play.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    seat: String,
    pub place: String,
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

/// The scene, part by part, at its places in the play.
pub struct Scene<'a, 's> {
    stage: &'a mut Stage<'s>,
    text: &'s Reports,
}

/// Lines of a rendition that this reader was given.
fn lines(layers: &[app::kernel::reader::OpenLayer]) -> usize {
    let portions = layers.iter().filter_map(|layer| layer.body.get("portions")?.as_array());
    portions.map(Vec::len).sum()
}

impl<'a, 's> Scene<'a, 's> {
    /// The scene on its stage.
    pub fn new(stage: &'a mut Stage<'s>) -> Self {
        let text = &stage.world.play.reports;
        Self { stage, text }
    }

    fn code(&self, seat: &str) -> String {
        self.stage.world.seat(seat).map_or_else(String::new, |(agency, _)| agency.code.clone())
    }

    fn agency_of(&self, seat: &str) -> base::AgencyId {
        self.stage.cast.founded().agency(&self.code(seat))
    }

    /// Submits the METHANE, after looking who would see what; gives the place that it says.
    ///
    /// # Errors
    /// What an act was refused with that must not be.
    pub fn methane(&mut self) -> Result<Option<Place>, Fault> {
        let text = self.text;
        let recipients: Vec<_> = text.reads.keys().map(|seat| self.agency_of(seat)).collect();
        self.preview(&recipients)?;
        let own = self.code(&text.seat);
        let place = self.stage.world.place(&text.place).map_err(Fault::bug)?;
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
            "markings": marking(text.level, &BTreeSet::new()), "place": place,
            "portions": portions, "recipients": recipients
        });
        let from = self.stage.cast.node().now();
        let report =
            self.stage.hand_off(format!("{own} submits the METHANE"), Some(0), |cast| {
                Ok(cast.act(&text.seat, "report:submit", &command)?.record)
            })?;
        let codes: Vec<String> = text.reads.keys().map(|seat| self.code(seat)).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let shown = self.stage.screens.since(from, &codes, |frame| shows(frame, "report", report));
        let last = shown.iter().map(|(_, ms)| *ms).max().unwrap_or_default();
        self.stage.note("METHANE to the last open screen", None, last);
        let reached = shown.len() == codes.len() && last <= REACHED_MS_MAX;
        self.stage.record.expect("the METHANE is on every recipient's screen in a second", reached);
        for (seat, wanted) in &text.reads {
            let seen = self.stage.cast.read(seat, "report", report)?;
            let (code, got) = (self.code(seat), lines(&seen.layers));
            let all = text.portions.len();
            let what = format!("the desk of {code} reads {wanted} of {all} lines of the METHANE");
            self.stage.record.expect(what, got == *wanted);
        }
        self.sketch(report)?;
        let outsider = self.stage.cast.read(&text.intelligence.seat, "report", report);
        let absent = outsider.err().is_some_and(|fault| fault.code.kind == Kind::Absent);
        let code = self.code(&text.intelligence.seat);
        self.stage.record.expect(format!("{code}, no recipient, does not learn of it"), absent);
        self.withdraw(report)?;
        Ok(self.stage.cast.read(&text.seat, "report", report)?.place)
    }

    /// Expects that the author is told beforehand what each desk would read.
    fn preview(&mut self, recipients: &[base::AgencyId]) -> Result<(), Fault> {
        let text = self.text;
        let marked = text.portions.iter().map(|portion| marking(portion.level, &portion.codes));
        let draft = json!({
            "markings": marking(text.level, &BTreeSet::new()),
            "portions": marked.collect::<Vec<_>>(), "recipients": recipients
        });
        let mut routes = app::reports::http::ROUTES.iter();
        let preview = routes.find_map(|route| match &route.serves {
            Serves::Preview(preview) => Some(*preview),
            _ => None,
        });
        let preview = preview.ok_or_else(|| Fault::bug("reports have no preview"))?;
        let (node, actor) = (self.stage.cast.node(), self.stage.cast.actor(&text.seat)?);
        let asked = (preview, draft.to_string().into_bytes());
        let told = answer_preview(node, &actor, "report:submit", (asked.0, &asked.1))?;
        let told = told.get("recipients").and_then(Value::as_array).cloned().unwrap_or_default();
        let right = text.reads.iter().all(|(seat, lines)| {
            let agency = json!(self.agency_of(seat));
            let of = told.iter().find(|told| told.get("agency") == Some(&agency));
            let portions = of.and_then(|told| told.get("portions")?.as_array());
            let read = portions.map(|all| all.iter().filter(|read| **read == json!(true)).count());
            read == Some(*lines)
        });
        let what = "beforehand the author is shown which line each desk would read";
        self.stage.record.expect(what, right && told.len() == text.reads.len());
        Ok(())
    }

    /// Attaches a file, which those read who read the line that it belongs to.
    fn sketch(&mut self, report: RecordId) -> Result<(), Fault> {
        let (text, sketch) = (self.text, &self.text.sketch);
        let named = BTreeMap::from([("name".to_owned(), sketch.name.clone())]);
        let asked = |seat: &str, id, path, body, media| {
            let node = self.stage.cast.node();
            let reader = Reader::new(node, self.stage.cast.actor(seat)?);
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
        self.stage.cast.act(&text.seat, "report:attach", &command)?;
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
        self.stage.record.expect(what, right == text.reads.len());
        Ok(())
    }

    /// Withdraws the METHANE from one recipient and releases it again.
    fn withdraw(&mut self, report: RecordId) -> Result<(), Fault> {
        let (text, seat) = (self.text, self.text.in_time.as_str());
        let agency = self.agency_of(seat);
        let command = json!({ "do": "withdraw", "report": report, "agency": agency,
                              "reason": "Sent before it was checked" });
        self.stage.cast.act(&text.seat, "report:withdraw", &command)?;
        let gone = self.stage.cast.read(seat, "report", report).is_err();
        let code = self.code(seat);
        self.stage.record.expect(format!("a withdrawal ends the reading of {code}"), gone);
        let command = json!({ "do": "release", "report": report, "recipients": [agency] });
        self.stage.cast.act(&text.seat, "report:release", &command)?;
        let back = self.stage.cast.read(seat, "report", report).is_ok();
        self.stage.record.expect(format!("{code} reads it again after a release"), back);
        Ok(())
    }

    fn request(&self, seat: &str) -> Result<RecordId, Fault> {
        let due_at = self.stage.cast.node().play_now().plus_s(i64::from(self.text.due_s));
        let command = json!({
            "do": "request", "form": "sitrep", "title": self.text.sitrep,
            "markings": marking(self.text.level, &BTreeSet::new()),
            "agency": self.agency_of(seat), "due_at": due_at
        });
        Ok(self.stage.cast.act(&self.text.seat, "report:request", &command)?.record)
    }

    fn sitrep(&self, seat: &str, request: RecordId) -> Result<RecordId, Fault> {
        let command = json!({
            "do": "submit", "form": "sitrep", "title": self.text.sitrep,
            "markings": marking(self.text.level, &BTreeSet::new()),
            "portions": [{ "line": "headline", "text": "Situation stable; no new casualties." }],
            "recipients": [self.agency_of(&self.text.seat)], "request": request
        });
        Ok(self.stage.cast.act(seat, "report:submit", &command)?.record)
    }

    fn state(&self, report: RecordId) -> Result<Option<String>, Fault> {
        Ok(self.stage.cast.read(&self.text.seat, "report", report)?.state)
    }

    /// Asks for two SITREPs, of which one comes late.
    ///
    /// # Errors
    /// What an act was refused with that must not be.
    pub fn sitreps(&mut self) -> Result<(), Fault> {
        let text = self.text;
        let (first, second) = (self.request(&text.in_time)?, self.request(&text.late)?);
        let early = self.sitrep(&text.in_time, first)?;
        let code = self.code(&text.in_time);
        let in_time = self.state(early)?.as_deref() == Some("submitted")
            && self.state(first)?.as_deref() == Some("answered");
        self.stage.record.expect(format!("the SITREP of {code} is in time"), in_time);
        let overdue = self.overdue(second)?;
        let code = self.code(&text.late);
        self.stage.record.expect(format!("the SITREP of {code} is shown overdue"), overdue);
        let late = self.sitrep(&text.late, second)?;
        let marked = self.state(late)?.as_deref() == Some("late")
            && self.state(second)?.as_deref() == Some("answered_late");
        self.stage.record.expect(format!("the SITREP of {code} is marked late"), marked);
        Ok(())
    }

    /// Waits until a request is overdue.
    fn overdue(&self, request: RecordId) -> Result<bool, Fault> {
        let node = self.stage.cast.node();
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

    /// Releases an intelligence report under a clause; one level higher no clause reaches.
    ///
    /// # Errors
    /// What an act was refused with that must not be.
    pub fn intelligence(&mut self) -> Result<(), Fault> {
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
        let report = self.stage.cast.act(&text.seat, "report:submit", &command(text.level))?.record;
        let own = self.stage.cast.read(&text.seat, "report", report)?;
        let authority = own.layers.iter().find_map(|layer| layer.body.get("authorities"));
        let cited = authority.and_then(|list| list.pointer("/0/clauses/0/agreement")?.as_str());
        let security = self.stage.cast.founded().agreement("security").to_string();
        let code = self.code(&text.to);
        let what = format!("a graded report reaches {code} under a clause of `security`");
        let seen = self.stage.cast.read(&text.to, "report", report).is_ok();
        self.stage.record.expect(what, seen && cited == Some(&security));
        let theirs = self.stage.cast.read(&text.to, "report", report)?;
        let told = theirs.layers.iter().any(|layer| layer.body.contains_key("authorities"));
        self.stage.record.expect(format!("{code} does not read under what it was released"), !told);
        let refused =
            self.stage.cast.act(&text.seat, "report:submit", &command(text.refused_level));
        let named = refused.err().is_some_and(|fault| {
            let says = |words: &str| fault.detail.contains(words);
            fault.code.slug == "no-clause" && says(&code) && says("whose level ends at")
        });
        let what = format!("one level higher it is refused: {code} and the clause are named");
        self.stage.record.expect(what, named);
        self.stage.record.counted.refusals += u32::from(named);
        Ok(())
    }
}
