//! The play: an alert to everybody whom it may reach, a deaf desk and its ladder, an agreement
//! that is suspended and resumed, and a seat that changes hands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use app::kernel::{Done, Fault, Rendition, session};
use base::{AgencyId, Kind, Label, Level, Marking, Play, RecordId, SchemeId, Time, Token};
use ledger::header::Purpose;
use serde_json::{Value, json};

use super::cast::Cast;
use super::founding::marking;
use super::record::{Handoff, Record};
use super::scene_inquiry::{self, Asking};
use super::scene_operations;
use super::world::{Answer, World};

/// LIMIT: real time in which what is due must have come, on a machine with much else to do.
const LATE_MS_MAX: i64 = 10_000;
/// How long one look is apart from the next.
const LOOK: Duration = Duration::from_millis(20);
/// The rungs of the ladder, as entries name them.
const RUNGS: [&str; 3] = ["deputy", "head", "centre"];

/// A performance of the play.
struct Stage<'a> {
    cast: &'a Cast,
    world: &'a World,
    /// When it began, in the time of the play.
    began: Time,
    record: Record,
}

/// Performs the play to its end.
///
/// # Errors
/// What an act was refused with that must not be, or that the node is stopping.
pub fn perform(cast: &Cast, world: &World) -> Result<Record, Fault> {
    let began = cast.node().play_now();
    let mut stage = Stage { cast, world, began, record: Record::default() };
    let alert = stage.raise()?;
    let first_rung = world.play.alert.ladder_s.first().copied().unwrap_or(0);
    let (early, late): (Vec<&Answer>, Vec<&Answer>) =
        world.play.answers.iter().partition(|answer| answer.at_s < first_rung);
    let answered = early.iter().map(|answer| answer.seat.clone()).collect();
    for answer in early {
        stage.answer(alert, answer)?;
    }
    let asking = Asking { alert, instant: cast.node().now(), answered };
    stage.ladder(alert)?;
    for answer in late {
        stage.answer(alert, answer)?;
    }
    stage.answered(alert)?;
    stage.suspend(alert)?;
    stage.hand_over()?;
    super::scene_reports::perform(cast, world, &mut stage.record)?;
    super::scene_entities::perform(cast, world, &mut stage.record)?;
    super::scene_clauses::perform(cast, world, &mut stage.record)?;
    super::scene_webhooks::perform(cast, world, (stage.began, &mut stage.record))?;
    let began = stage.began;
    scene_operations::perform(cast, world, (began, &mut stage.record))?;
    stage.inspect()?;
    stage.record.bundle = scene_inquiry::perform(cast, world, &asking, &mut stage.record)?;
    stage.record.counted.entries = cast.node().counts().entries;
    Ok(stage.record)
}

fn national(level: u8) -> Result<BTreeMap<SchemeId, Marking>, Fault> {
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let marking = Marking { level: Level(level), ..Marking::default() };
    Ok(BTreeMap::from([(scheme, marking)]))
}

/// A list in the base layer of a rendition.
fn list(rendition: &Rendition, field: &str) -> Vec<Value> {
    let body = rendition.layers.first().map(|layer| &layer.body);
    body.and_then(|body| body.get(field)?.as_array().cloned()).unwrap_or_default()
}

impl Stage<'_> {
    fn seconds(&self, at: Time) -> f64 {
        let ms = i32::try_from(at.ms_since(self.began)).unwrap_or(i32::MAX);
        f64::from(ms) / 1000.0
    }

    fn speed(&self) -> i64 {
        i64::from(self.cast.node().config().play.speed.max(1))
    }

    /// Waits for a second of the play.
    fn wait(&self, s: u32) -> Result<(), Fault> {
        let due = self.began.plus_s(i64::from(s));
        while self.cast.node().play_now() < due {
            if self.cast.node().stopped() {
                return Err(Fault::new(Kind::Unavailable, "stopping", "the node is stopping"));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Does something and notes when it was done and how long it took.
    fn hand_off<T>(
        &mut self,
        what: impl Into<String>,
        due_s: Option<u32>,
        act: impl FnOnce(&Cast) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let node = self.cast.node();
        let from = node.now();
        let done = act(self.cast)?;
        let (real_ms, at_s) = (node.now().ms_since(from), self.seconds(node.play_now()));
        let due_s = due_s.map(f64::from);
        self.record.handoffs.push(Handoff { what: what.into(), due_s, at_s, real_ms });
        Ok(done)
    }

    fn code(&self, seat: &str) -> &str {
        self.world.seat(seat).map_or("", |(agency, _)| &agency.code)
    }

    /// Agencies that a clause lets read what a seat writes, by code.
    fn reached(&self, from: &str) -> Result<BTreeMap<String, AgencyId>, Fault> {
        let founded = self.cast.founded();
        let own = founded.agency(self.code(from));
        let label =
            Label::new(national(self.world.play.alert.level)?, BTreeSet::from([own]), Play::Live)
                .map_err(Fault::bug)?;
        let core = self.cast.node().core();
        let flows = |agency: AgencyId| {
            let flow =
                core.policy.flow(&core.register, agency, "alert:read", &label, Purpose::Protection);
            flow.is_ok()
        };
        let others = self.world.agencies.iter().map(|a| (a.code.clone(), founded.agency(&a.code)));
        Ok(others.filter(|(_, agency)| *agency != own && flows(*agency)).collect())
    }

    fn command(&self, audience: &[AgencyId], higher: &[Value]) -> Result<Value, Fault> {
        let alert = &self.world.play.alert;
        Ok(json!({
            "do": "raise", "markings": marking(alert.level, &BTreeSet::new()),
            "precedence": alert.precedence, "title": alert.title, "text": alert.text,
            "audience": audience, "options": alert.options, "ladder_s": alert.ladder_s,
            "place": self.world.place(&alert.place).map_err(Fault::bug)?, "higher": higher
        }))
    }

    /// Expects that an alert is refused for want of a clause, and that the agency is named.
    fn refused(&mut self, from: &str, to: &str, why: &str) -> Result<(), Fault> {
        let command = self.command(&[self.cast.founded().agency(to)], &[])?;
        let outcome = self.cast.act(from, "alert:raise", &command);
        let refused = outcome
            .err()
            .is_some_and(|fault| fault.code.slug == "no-clause" && fault.detail.contains(to));
        self.record.expect(format!("an alert to {to} is refused, {to} named: {why}"), refused);
        self.record.counted.refusals += u32::from(refused);
        Ok(())
    }

    fn absent(&mut self, seat: &str, alert: RecordId, why: &str) {
        let outcome = self.cast.read(seat, "alert", alert);
        let absent = outcome.err().is_some_and(|fault| fault.code.kind == Kind::Absent);
        let code = self.code(seat).to_owned();
        self.record.expect(format!("{code} does not learn of the alert: {why}"), absent);
    }

    /// Raises the alert and looks at it from every desk.
    fn raise(&mut self) -> Result<RecordId, Fault> {
        let alert = &self.world.play.alert;
        let reached = self.reached(&alert.seat)?;
        let own = self.code(&alert.seat).to_owned();
        let unreached: Vec<&String> = self.world.agencies.iter().map(|a| &a.code).collect();
        let unreached: Vec<&String> = unreached
            .into_iter()
            .filter(|code| **code != own && !reached.contains_key(*code))
            .collect();
        let as_written = unreached == alert.unreached.iter().collect::<Vec<_>>();
        let codes: Vec<&str> = reached.keys().map(String::as_str).collect();
        self.record.expect(format!("{own} reaches {}, nobody else", codes.join(" ")), as_written);
        for code in &alert.unreached {
            self.refused(&alert.seat, code, "no clause")?;
        }
        let higher = json!({
            "markings": marking(alert.higher_level, &alert.higher_codes), "text": alert.higher
        });
        let audience: Vec<AgencyId> = reached.values().copied().collect();
        let command = self.command(&audience, &[higher])?;
        let done: Done = self.hand_off(format!("{own} raises the alert"), Some(0), |cast| {
            cast.act(&alert.seat, "alert:raise", &command)
        })?;
        self.record.counted.alerts += 1;
        for code in reached.keys() {
            let desk = self.world.with_role(code, "DUTY").map_err(Fault::bug)?;
            let seen = self.hand_off(format!("the desk of {code} has it"), None, |cast| {
                cast.read(&desk.id, "alert", done.record)
            })?;
            let answer = self.world.play.answers.iter().find(|answer| answer.seat == desk.id);
            if let Some(answer) = answer {
                let (layers, got) = (answer.layers, seen.layers.len());
                let what = format!("the desk of {code} reads {layers} of its 2 parts");
                self.record.expect(what, got == layers);
            }
        }
        for code in &alert.unreached {
            let desk = self.world.with_role(code, "DUTY").map_err(Fault::bug)?;
            self.absent(&desk.id, done.record, "no clause");
        }
        Ok(done.record)
    }

    fn answer(&mut self, alert: RecordId, answer: &Answer) -> Result<(), Fault> {
        self.wait(answer.at_s)?;
        let options = &self.world.play.alert.options;
        let option = options.get(usize::from(answer.option)).map_or("", String::as_str);
        let code = self.code(&answer.seat).to_owned();
        let command = json!({
            "do": "acknowledge", "alert": alert, "option": answer.option, "note": answer.note
        });
        let agency = json!(self.cast.founded().agency(&code));
        let author = &self.world.play.alert.seat;
        let what = format!("{code} answers: {option}");
        let seen = self.hand_off(what, Some(answer.at_s), |cast| {
            cast.act(&answer.seat, "alert:acknowledge", &command)?;
            cast.read(author, "alert", alert)
        })?;
        let here = list(&seen, "acknowledgements").iter().any(|a| a.get("agency") == Some(&agency));
        self.record.expect(format!("the author sees the answer of {code}"), here);
        self.record.counted.acknowledgements += 1;
        Ok(())
    }

    /// Follows the ladder that is called for the deaf desk.
    fn ladder(&mut self, alert: RecordId) -> Result<(), Fault> {
        let scene = &self.world.play.alert;
        let raised_at = self.cast.read(&scene.seat, "alert", alert)?;
        let raised_at = raised_at.layers.first().and_then(|layer| layer.body.get("raised_at"));
        let raised_at = time(raised_at).unwrap_or(self.began);
        for (place, (rung, due_s)) in RUNGS.iter().zip(scene.ladder_s).enumerate() {
            self.wait(due_s)?;
            let due_at = raised_at.plus_s(i64::from(due_s));
            let Some(call) = self.called(alert, place)? else {
                self.record.expect(format!("the {rung} is called"), false);
                continue;
            };
            let at = time(call.get("at")).unwrap_or(self.began);
            let real_ms = at.ms_since(due_at) / self.speed();
            let what = format!("the {rung} is called for {}", scene.deaf);
            let (due_s, at_s) = (Some(self.seconds(due_at)), self.seconds(at));
            self.record.handoffs.push(Handoff { what, due_s, at_s, real_ms });
            let on_time = (0..=LATE_MS_MAX).contains(&real_ms);
            self.record.expect(format!("the {rung} is called when due, not before"), on_time);
            let silent = json!([self.cast.founded().agency(&scene.deaf)]);
            let only =
                call.get("rung") == Some(&json!(rung)) && call.get("silent") == Some(&silent);
            self.record.expect(format!("the {rung} is called for {} alone", scene.deaf), only);
            let seats = scene.called.get(place).map_or(&[][..], Vec::as_slice);
            let wanted: BTreeSet<String> =
                seats.iter().map(|seat| self.cast.founded().seat(seat).to_string()).collect();
            let got: BTreeSet<String> = call
                .get("called")
                .and_then(Value::as_array)
                .map(|seats| seats.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default();
            self.record.expect(format!("the call goes to {}", seats.join(", ")), wanted == got);
            self.record.counted.calls += 1;
        }
        Ok(())
    }

    /// The call of a rung, as soon as it is there.
    fn called(&self, alert: RecordId, place: usize) -> Result<Option<Value>, Fault> {
        let node = self.cast.node();
        let from = node.now();
        loop {
            let seen = self.cast.read(&self.world.play.alert.seat, "alert", alert)?;
            if let Some(call) = list(&seen, "escalations").get(place) {
                return Ok(Some(call.clone()));
            }
            if node.stopped() || node.now().ms_since(from) > LATE_MS_MAX {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn answered(&mut self, alert: RecordId) -> Result<(), Fault> {
        let seen = self.cast.read(&self.world.play.alert.seat, "alert", alert)?;
        let answered = seen.state.as_deref() == Some("answered");
        self.record.expect("the alert is answered by every agency", answered);
        let answers = list(&seen, "acknowledgements").len();
        let wanted = self.world.play.answers.len();
        self.record.expect(format!("it has {wanted} answers, one an agency"), answers == wanted);
        let calls = list(&seen, "escalations").len();
        self.record.expect("the ladder ended with its third rung", calls == RUNGS.len());
        Ok(())
    }

    /// Suspends an agreement, and has two parties resume it.
    fn suspend(&mut self, alert: RecordId) -> Result<(), Fault> {
        let scene = &self.world.play.suspension;
        self.wait(scene.at_s)?;
        let id = self.cast.founded().agreement(&scene.agreement);
        let to = self.code(&scene.to).to_owned();
        let command = json!({ "do": "suspend", "agreement": id, "reason": scene.reason });
        let what = format!("{} suspends `{}`", self.code(&scene.by), scene.agreement);
        self.hand_off(what, Some(scene.at_s), |cast| {
            cast.act(&scene.by, "agreement:suspend", &command)
        })?;
        self.absent(&scene.to, alert, "its agreement is suspended");
        self.refused(&scene.from, &to, "its agreement is suspended")?;
        for (place, consent) in scene.resumed_by.iter().enumerate() {
            self.wait(consent.at_s)?;
            let what = format!("{} consents to resume it", self.code(&consent.seat));
            let command = json!({ "do": "resume", "agreement": id });
            self.hand_off(what, Some(consent.at_s), |cast| {
                cast.act(&consent.seat, "agreement:resume", &command)
            })?;
            self.record.counted.signatures += 1;
            if place + 1 < scene.resumed_by.len() {
                self.refused(&scene.from, &to, "one consent does not resume it")?;
            }
        }
        let seen = self.cast.read(&scene.to, "alert", alert).is_ok();
        self.record.expect(format!("{to} reads the alert again after two consents"), seen);
        let agency = self.cast.founded().agency(&to);
        self.short(&scene.from, (&scene.to, agency), "flow is back", "flow is back")
    }

    /// An alert to one desk that is answered at once.
    fn short(
        &mut self,
        from: &str,
        to: (&str, AgencyId),
        what: &str,
        title: &str,
    ) -> Result<(), Fault> {
        let (seat, agency) = to;
        let mut command = self.command(&[agency], &[])?;
        if let Value::Object(fields) = &mut command {
            fields.insert("precedence".to_owned(), "ROUTINE".into());
            fields.insert("title".to_owned(), title.into());
            fields.insert("text".to_owned(), title.into());
        }
        let whole = format!("{} to {}: {what}", self.code(from), self.code(seat));
        let alert = self.hand_off(whole, None, |cast| {
            let done = cast.act(from, "alert:raise", &command)?;
            let answer =
                json!({ "do": "acknowledge", "alert": done.record, "option": 0, "note": null });
            cast.act(seat, "alert:acknowledge", &answer)?;
            cast.read(from, "alert", done.record)
        })?;
        self.record.counted.alerts += 1;
        self.record.counted.acknowledgements += 1;
        let answered = alert.state.as_deref() == Some("answered");
        self.record.expect(format!("{} answers: {what}", self.code(seat)), answered);
        Ok(())
    }

    /// Hands a seat over; each performance hands it on to the other of two people.
    fn hand_over(&mut self) -> Result<(), Fault> {
        let scene = &self.world.play.handover;
        self.wait(scene.at_s)?;
        let outgoing = self.cast.holder(&scene.seat)?;
        let mut incoming = self.cast.holder(&scene.to)?;
        if incoming == outgoing {
            let seat = self.world.seat(&scene.seat).map(|(_, seat)| seat);
            let seat = seat.ok_or_else(|| Fault::bug("the seat of the handover is unknown"))?;
            incoming = self.cast.founded().person(&seat.holder);
        }
        let token = self.cast.sign_in(outgoing, &scene.seat)?;
        let command = json!({
            "do": "take", "seat": self.cast.founded().seat(&scene.seat), "person": incoming
        });
        let what = format!("`{}` changes hands", scene.seat);
        self.hand_off(what, Some(scene.at_s), |cast| {
            let actor = session::resolve(cast.node(), &token)?;
            cast.act_as(actor, "seat:take", &command)
        })?;
        self.record.counted.handovers += 1;
        let now = self.cast.holder(&scene.seat)? == incoming;
        self.record.expect("the seat is held by whoever took it", now);
        // The session of the outgoing officer lives on, and the seat is no longer in it.
        let outgoing = session::resolve(self.cast.node(), &token)?;
        self.record.expect("the outgoing officer has the seat no more", outgoing.seat.is_none());
        let audience: Vec<AgencyId> = self.reached(&scene.seat)?.into_values().collect();
        let command = self.command(&audience, &[])?;
        let denied = self.cast.act_as(outgoing, "alert:raise", &command);
        let denied = denied.err().is_some_and(|fault| fault.code.kind == Kind::Denied);
        self.record.expect("the outgoing officer raises no alert from it", denied);
        self.record.counted.refusals += u32::from(denied);
        let centre = self.world.play.answers.iter().find(|a| a.seat.ends_with("-centre"));
        let Some(centre) = centre else { return Ok(()) };
        let agency = self.cast.founded().agency(self.code(&centre.seat));
        self.short(&scene.seat, (&centre.seat, agency), "I have the desk", "I have the desk")
    }

    /// Who may see the ledger itself.
    fn inspect(&mut self) -> Result<(), Fault> {
        let core = self.cast.node().core();
        let may = |seat: &str| {
            let actor = self.cast.actor(seat)?;
            Ok::<_, Fault>(core.policy.may(&core.register, &actor, "ledger:read").is_ok())
        };
        let desk = may(&self.world.play.alert.seat)?;
        let inspector = self.world.agencies.iter().flat_map(|agency| &agency.seats);
        let mut inspectors =
            inspector.filter(|s| s.roles.iter().any(|r| r.as_str() == "INSPECTOR"));
        let inspector = inspectors.next().map(|seat| may(&seat.id)).transpose()?;
        self.record.expect("an inspector may read the ledger", inspector == Some(true));
        self.record.expect("a duty officer may not", !desk);
        Ok(())
    }
}

fn time(value: Option<&Value>) -> Option<Time> {
    value?.as_str()?.parse().ok()
}
