//! Reports: given agencies and clauses, when somebody reports, then exactly this follows.

use app::kernel::{Fault, Rendition};
use base::{Kind, RecordId};
use serde_json::{Value, json};
use testkit::world::{Being, marking};
use testkit::{Who, World};

struct Scene {
    world: World,
    police: Who,
    fire: Who,
    fire_head: Who,
    /// A party to no agreement on reports.
    customs: Who,
    /// A party up to level 1 only.
    harbour: Who,
}

const DESK: Being<'static> =
    Being { level: 4, compartments: &["KESTREL", "LANTERN"], roles: &["DUTY", "SIGNATORY"] };

fn scene() -> Scene {
    let world = World::new();
    let agencies: Vec<_> = ["POL", "FIRE", "CUS", "HARB"].map(|code| world.agency(code)).into();
    let [pol, fir, cus, har] = agencies[..] else { unreachable!() };
    let police = world.person(pol, &DESK);
    let fire = world.person(fir, &Being { level: 3, compartments: &[], ..DESK });
    let roles = &["HEAD"];
    let fire_head = world.person(fir, &Being { level: 4, compartments: &["KESTREL"], roles });
    let customs = world.person(cus, &DESK);
    let harbour = world.person(har, &DESK);
    world.charter(&agencies);
    let reads: &[&str] = &["report:read", "circle:read"];
    let both = [pol, fir];
    world.enact(&world.agreement(&both, &[(&both, &both, reads, 4)]), &[police, fire]);
    let low = [pol, har];
    world.enact(&world.agreement(&low, &[(&low, &low, reads, 1)]), &[police, harbour]);
    Scene { world, police, fire, fire_head, customs, harbour }
}

fn methane(recipients: &[Who]) -> Value {
    json!({
        "do": "submit", "form": "methane", "markings": marking(2, &[]),
        "title": "Explosion at the station", "place": { "lat": 60.17, "lon": 24.94 },
        "portions": [
            { "markings": null, "line": "exact_location", "text": "Platform 4", "grade": null },
            { "markings": marking(3, &[]), "line": "hazards", "text": "Gas", "grade": null },
            { "markings": marking(4, &["KESTREL"]), "line": "hazards", "text": "A known cell",
              "grade": null }
        ],
        "recipients": recipients.iter().map(|who| who.agency).collect::<Vec<_>>(),
        "cites": [], "request": null
    })
}

impl Scene {
    fn act(&self, who: Who, verb: &str, command: &Value) -> Result<RecordId, Fault> {
        let done = self.world.act(who, &format!("report:{verb}"), command)?;
        Ok(done.record)
    }

    fn submit(&self, who: Who, command: &Value) -> Result<RecordId, Fault> {
        self.act(who, "submit", command)
    }

    fn get(&self, who: Who, id: RecordId) -> Result<Rendition, Fault> {
        self.world.get(who, "report", id)
    }

    fn texts(&self, who: Who, id: RecordId) -> Vec<String> {
        texts(&self.get(who, id).expect("the report"))
    }

    fn preview(&self, who: Who, body: &Value) -> (u16, Value) {
        self.preview_by(&self.world.token(who), body)
    }

    fn preview_by(&self, token: &str, body: &Value) -> (u16, Value) {
        let (status, _, bytes) = self.world.post(token, "/api/reports/preview", body);
        (status.as_u16(), serde_json::from_slice(&bytes).expect("json"))
    }
}

fn texts(report: &Rendition) -> Vec<String> {
    let portions = report.layers.iter().filter_map(|layer| layer.body.get("portions")?.as_array());
    portions.flatten().filter_map(|p| Some(p["text"].as_str()?.to_owned())).collect()
}

fn slug(outcome: Result<RecordId, Fault>) -> &'static str {
    outcome.expect_err("a refusal").code.slug
}

#[test]
fn each_reader_gets_the_portions_that_clearance_and_clause_allow() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    assert_eq!(scene.texts(scene.police, id), ["Platform 4", "Gas", "A known cell"]);
    assert_eq!(scene.texts(scene.fire, id), ["Platform 4", "Gas"]);
    assert_eq!(scene.texts(scene.fire_head, id), ["Platform 4", "Gas", "A known cell"]);
}

#[test]
fn whoever_is_no_recipient_does_not_learn_that_it_exists() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    for who in [scene.fire, scene.customs] {
        let withheld = scene.get(who, id).expect_err("not released");
        let never = scene.get(who, RecordId([3; 16])).expect_err("no such");
        assert_eq!(withheld.to_string(), never.to_string());
        assert_eq!(scene.world.list(who, "report").total, 0);
    }
}

#[test]
fn a_release_to_a_ministry_reaches_its_units_and_none_of_its_services() {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let below = |code: &str, unit: bool| {
        let command = json!({ "do": "add", "name": code, "code": code, "unit": unit,
            "parent": fir, "markings": marking(1, &[]) });
        let done = world.found(fir, "agency:add", &command).expect("added");
        world.person(base::AgencyId(done.record.0), &DESK)
    };
    let (unit, service) = (below("FIRE/PIER", true), below("COAST", false));
    let (police, fire) = (world.person(pol, &DESK), world.person(fir, &DESK));
    let parties = [pol, fir, service.agency];
    world.charter(&parties);
    // Even a clause of its own does not make the service a recipient.
    let reads: &[&str] = &["report:read", "circle:read"];
    let text = world.agreement(&parties, &[(&parties, &parties, reads, 4)]);
    world.enact(&text, &[police, fire, service]);
    let command = methane(&[fire]);
    let id = world.act(police, "report:submit", &command).expect("a report").record;
    assert!(world.get(unit, "report", id).is_ok(), "a unit is of the recipient's line");
    let fault = world.get(service, "report", id).expect_err("no recipient");
    assert_eq!(fault.code.kind, Kind::Absent);
    assert_eq!(world.list(service, "report").total, 0);
}

#[test]
fn a_release_names_the_missing_clause_and_writes_nothing() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    let before = scene.world.node().core().head.size;
    for (to, code, why) in [
        (scene.customs, "CUS", "has no clause with `report:read`"),
        (scene.harbour, "HARB", "whose level ends at"),
    ] {
        let command = json!({ "do": "release", "report": id, "recipients": [to.agency] });
        let fault = scene.act(scene.police, "release", &command).expect_err("no clause");
        assert_eq!(fault.code.slug, "no-clause");
        assert!(fault.detail.contains(code) && fault.detail.contains(why), "{}", fault.detail);
    }
    assert_eq!(scene.world.node().core().head.size, before);
}

#[test]
fn a_suspended_agreement_is_named_as_what_is_missing() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    let core = scene.world.node().core();
    let mut agreements = core.register.agreements.iter();
    let both = agreements.find(|(_, signed)| {
        let parties = &signed.agreement.parties;
        parties.as_slice().len() == 2 && parties.iter().any(|p| *p == scene.fire.agency)
    });
    let suspend =
        json!({ "do": "suspend", "agreement": both.expect("theirs").0, "reason": "doubt" });
    scene.world.act(scene.fire, "agreement:suspend", &suspend).expect("suspended");
    let command = json!({ "do": "release", "report": id, "recipients": [scene.fire.agency] });
    let fault = scene.act(scene.police, "release", &command).expect_err("suspended");
    assert!(fault.detail.contains("is suspended"), "{}", fault.detail);
}

#[test]
fn a_release_cites_its_clause_to_the_originator_alone_and_withdrawal_ends_the_reading() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    let release = json!({ "do": "release", "report": id, "recipients": [scene.fire.agency] });
    scene.act(scene.police, "release", &release).expect("released");
    let own = scene.get(scene.police, id).expect("one's own");
    let cited = own.layers.iter().find_map(|layer| layer.body.get("authorities"));
    let cited = &cited.expect("an authority")[0]["clauses"][0];
    assert!(cited["agreement"].is_string() && cited["clause"].is_string(), "{cited}");
    assert_eq!(cited["version"], 1);
    let theirs = scene.get(scene.fire, id).expect("released");
    assert!(theirs.layers.iter().all(|layer| !layer.body.contains_key("authorities")));
    assert_eq!(slug(scene.act(scene.police, "release", &release)), "nothing-to-do");
    let withdraw =
        json!({ "do": "withdraw", "report": id, "agency": scene.fire.agency, "reason": "error" });
    scene.act(scene.police, "withdraw", &withdraw).expect("withdrawn");
    assert_eq!(scene.get(scene.fire, id).expect_err("withdrawn").code.kind, Kind::Absent);
    assert_eq!(scene.world.list(scene.fire, "report").total, 0);
    assert_eq!(slug(scene.act(scene.police, "withdraw", &withdraw)), "not-released");
    scene.act(scene.police, "release", &release).expect("released again");
    assert!(scene.get(scene.fire, id).is_ok());
}

#[test]
fn a_recipient_neither_revises_nor_releases_nor_withdraws() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let portions = json!([{ "markings": null, "line": "access", "text": "x", "grade": null }]);
    let revise = json!({ "do": "revise", "report": id, "reason": "r", "portions": portions });
    assert_eq!(slug(scene.act(scene.fire, "revise", &revise)), "other-agency");
    let release = json!({ "do": "release", "report": id, "recipients": [scene.customs.agency] });
    assert_eq!(slug(scene.act(scene.fire, "release", &release)), "other-agency");
    assert_eq!(slug(scene.act(scene.customs, "revise", &revise)), "absent");
    assert_eq!(slug(scene.act(scene.customs, "release", &release)), "recipients-repeat");
}

#[test]
fn a_revision_of_a_higher_portion_leaves_the_lower_ones_as_they_are() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let token = scene.world.token(scene.fire);
    let read = || scene.world.read(&token, &format!("/api/reports/{id}"));
    let (before, list) = (read(), scene.world.read(&token, "/api/reports"));
    let portions = json!([{ "markings": marking(4, &["KESTREL"]), "line": "hazards",
                            "text": "Two known cells", "grade": null }]);
    let revise = json!({ "do": "revise", "report": id, "reason": "more", "portions": portions });
    scene.act(scene.police, "revise", &revise).expect("revised");
    assert_eq!(read(), before);
    assert_eq!(scene.world.read(&token, "/api/reports"), list);
    assert_eq!(scene.texts(scene.police, id), ["Platform 4", "Gas", "Two known cells"]);
    let seen = scene.get(scene.fire_head, id).expect("released");
    let top = seen.layers.last().expect("a layer");
    assert_eq!(top.body["version"], 2);
    assert_eq!(top.body["versions"][0]["portions"][0]["text"], "A known cell");
}

#[test]
fn a_portion_must_be_higher_and_within_ones_own_clearance() {
    let scene = scene();
    let with = |markings: Value| {
        let mut command = methane(&[]);
        command["portions"][1]["markings"] = markings;
        scene.submit(scene.police, &command)
    };
    assert_eq!(slug(with(marking(1, &[]))), "label-not-higher");
    assert_eq!(slug(with(marking(5, &[]))), "label-above-clearance");
    assert_eq!(scene.world.list(scene.police, "report").total, 0);
}

#[test]
fn lines_and_grades_follow_the_form() {
    let scene = scene();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut command = methane(&[]);
        change(&mut command);
        slug(scene.submit(scene.police, &command))
    };
    assert_eq!(with(&|c| c["portions"][0]["line"] = json!("headline")), "unknown-line");
    assert_eq!(with(&|c| c["portions"] = json!([])), "invalid-command");
    assert_eq!(with(&|c| c["tilte"] = json!("x")), "invalid-command");
    let grade = |information: u8| json!({ "source": "B", "information": information });
    assert_eq!(with(&|c| c["portions"][0]["grade"] = grade(7)), "invalid-grade");
    assert_eq!(with(&|c| c["portions"][0]["grade"] = grade(0)), "invalid-grade");
    let portion = json!({ "markings": null, "line": "access", "text": "x", "grade": null });
    let many = vec![portion; 49];
    assert_eq!(with(&|c| c["portions"] = json!(many)), "too-many-portions");
    let intelligence = |c: &mut Value| {
        c["form"] = json!("intelligence");
        c["portions"] =
            json!([{ "markings": null, "line": "summary", "text": "x", "grade": null }]);
    };
    assert_eq!(with(&intelligence), "grade-missing");
}

#[test]
fn a_report_bears_at_least_the_label_of_what_it_cites() {
    let scene = scene();
    let mut high = methane(&[]);
    high["markings"] = marking(4, &["KESTREL"]);
    high["portions"] = json!([{ "markings": null, "line": "access", "text": "x", "grade": null }]);
    let cited = scene.submit(scene.police, &high).expect("a report");
    let mut low = methane(&[]);
    low["cites"] = json!([cited]);
    assert_eq!(slug(scene.submit(scene.police, &low)), "label-too-low");
    high["cites"] = json!([cited]);
    scene.submit(scene.police, &high).expect("as high as what it cites");
    // What an author may not read cannot be cited, in the same words as what never was.
    let mut theirs = methane(&[]);
    theirs["cites"] = json!([cited]);
    let withheld = scene.act(scene.fire, "submit", &theirs).expect_err("withheld");
    theirs["cites"] = json!([RecordId([5; 16])]);
    let never = scene.act(scene.fire, "submit", &theirs).expect_err("never was");
    assert_eq!(withheld.to_string(), never.to_string());
    assert_eq!(withheld.code.slug, "absent");
}

fn request(scene: &Scene) -> RecordId {
    let command = json!({
        "do": "request", "form": "sitrep", "markings": marking(2, &[]),
        "title": "Situation at 1230", "agency": scene.fire.agency,
        "due_at": "2026-11-22T12:30:00.000Z"
    });
    scene.act(scene.police, "request", &command).expect("a request")
}

fn sitrep(scene: &Scene, request: RecordId) -> Value {
    json!({
        "do": "submit", "form": "sitrep", "markings": marking(2, &[]), "title": "Situation",
        "portions": [{ "markings": null, "line": "headline", "text": "Calm", "grade": null }],
        "place": null, "recipients": [scene.police.agency], "cites": [], "request": request
    })
}

#[test]
fn a_report_before_its_due_time_answers_the_request() {
    let scene = scene();
    let asked = request(&scene);
    assert_eq!(scene.get(scene.fire, asked).expect("asked").state.as_deref(), Some("requested"));
    let id = scene.submit(scene.fire, &sitrep(&scene, asked)).expect("in time");
    let seen = scene.get(scene.police, asked).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("answered"));
    assert_eq!(seen.layers[0].body["answer"], json!(id));
    assert_eq!(scene.get(scene.police, id).expect("it").state.as_deref(), Some("submitted"));
    let again = scene.act(scene.fire, "submit", &sitrep(&scene, asked));
    assert_eq!(slug(again), "request-answered");
    let due = scene.world.node().views().with(|views| views.next_due()).expect("timers");
    assert_eq!(due, None, "nothing is due any more");
}

#[test]
fn a_missing_report_becomes_overdue_and_one_after_that_is_late() {
    let scene = scene();
    let asked = request(&scene);
    let state = |scene: &Scene| scene.get(scene.police, asked).expect("one's own").state;
    scene.world.clock.advance_s(1799);
    scene.world.node().wait(0, 300);
    assert_eq!(state(&scene).as_deref(), Some("requested"));
    scene.world.clock.advance_s(2);
    scene.world.eventually(|_| (state(&scene).as_deref() == Some("overdue")).then_some(()));
    let id = scene.submit(scene.fire, &sitrep(&scene, asked)).expect("late");
    assert_eq!(scene.get(scene.police, id).expect("it").state.as_deref(), Some("late"));
    assert_eq!(state(&scene).as_deref(), Some("answered_late"));
}

#[test]
fn a_request_is_answered_by_the_agency_that_it_asks() {
    let scene = scene();
    let asked = request(&scene);
    let mut own = sitrep(&scene, asked);
    own["recipients"] = json!([]);
    assert_eq!(slug(scene.act(scene.police, "submit", &own)), "not-asked");
    assert_eq!(slug(scene.act(scene.customs, "submit", &own)), "absent");
    let mut other = sitrep(&scene, asked);
    other["form"] = json!("salute");
    other["portions"][0]["line"] = json!("size");
    assert_eq!(slug(scene.act(scene.fire, "submit", &other)), "other-form");
    let mut past = json!({ "do": "request", "form": "sitrep", "markings": marking(2, &[]),
        "title": "t", "agency": scene.fire.agency, "due_at": "2026-11-22T12:00:00.000Z" });
    assert_eq!(slug(scene.act(scene.police, "request", &past)), "due-in-the-past");
    past["due_at"] = json!("2026-11-22T13:00:00.000Z");
    past["agency"] = json!(scene.customs.agency);
    assert_eq!(slug(scene.act(scene.police, "request", &past)), "no-clause");
}

#[test]
fn an_answer_that_is_not_released_is_not_named_to_whoever_asked() {
    let scene = scene();
    let asked = request(&scene);
    let mut kept = sitrep(&scene, asked);
    kept["recipients"] = json!([]);
    scene.submit(scene.fire, &kept).expect("kept");
    let seen = scene.get(scene.police, asked).expect("one's own");
    assert_eq!(seen.layers[0].body["answer"], Value::Null);
    assert_eq!(scene.world.list(scene.police, "report").total, 1);
}

fn draft(recipients: &[Who]) -> Value {
    json!({
        "markings": marking(2, &[]),
        "portions": [null, marking(3, &[]), marking(4, &["KESTREL"])],
        "recipients": recipients.iter().map(|who| who.agency).collect::<Vec<_>>()
    })
}

#[test]
fn the_preview_is_what_then_happens() {
    let scene = scene();
    let asked = draft(&[scene.fire, scene.customs, scene.harbour]);
    let (status, answer) = scene.preview(scene.police, &asked);
    assert_eq!(status, 200, "{answer}");
    let seen = &answer["recipients"];
    assert_eq!(seen[0]["portions"], json!([true, true, false]));
    assert_eq!(seen[0]["flows"], true);
    assert!(seen[0]["clauses"][0]["agreement"].is_string());
    for refused in [&seen[1], &seen[2]] {
        assert_eq!(refused["flows"], false);
        assert_eq!(refused["portions"], json!([false, false, false]));
        assert!(refused["why"].as_str().expect("why").contains("agreement"));
    }
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    assert_eq!(scene.texts(scene.fire, id).len(), 2);
    let fault = scene.submit(scene.police, &methane(&[scene.harbour])).expect_err("refused");
    assert_eq!(seen[2]["why"], json!(fault.detail));
}

#[test]
fn the_preview_is_for_whoever_may_submit_and_reaches_no_further_than_they_may_write() {
    let scene = scene();
    let being = Being { level: 4, compartments: &[], roles: &["INSPECTOR"] };
    let inspector = scene.world.person(scene.police.agency, &being);
    let [inspector, fire, police] =
        [inspector, scene.fire, scene.police].map(|who| scene.world.token(who));
    let signed_in = scene.world.node().core().head.size;
    assert_eq!(scene.preview_by(&inspector, &draft(&[scene.fire])).0, 403);
    let (status, problem) = scene.preview_by(&fire, &draft(&[scene.police]));
    assert_eq!((status, &problem["title"]), (403, &json!("label-above-clearance")));
    let mut low = draft(&[scene.fire]);
    low["portions"] = json!([marking(1, &[])]);
    assert_eq!(scene.preview_by(&police, &low).1["title"], "label-not-higher");
    assert_eq!(scene.preview_by(&police, &json!({})).1["title"], "invalid-command");
    assert_eq!(scene.preview_by(&police, &draft(&[scene.fire])).0, 200);
    assert_eq!(scene.world.node().core().head.size, signed_in, "a question writes nothing");
}

#[test]
fn a_repeated_key_submits_once() {
    let scene = scene();
    let command = methane(&[scene.fire]);
    let first = scene.world.act_with_key(scene.police, "report:submit", &command, "same");
    let again = scene.world.act_with_key(scene.police, "report:submit", &command, "same");
    assert_eq!(first.expect("done"), again.expect("the same"));
    assert_eq!(scene.world.list(scene.fire, "report").total, 1);
}

const PLAN: &[u8] = b"%PDF-1.7 the plan";

impl Scene {
    fn upload(&self, who: Who, (media, name): (&str, &str), bytes: &[u8]) -> (u16, Value) {
        let path = format!("/api/attachments?name={name}");
        let (status, _, bytes) = self.world.send(&self.world.token(who), &path, media, bytes);
        (status.as_u16(), serde_json::from_slice(&bytes).expect("json"))
    }

    fn plan(&self, who: Who) -> Value {
        let (status, kept) = self.upload(who, ("application/pdf", "plan%20A.pdf"), PLAN);
        assert_eq!(status, 201, "{kept}");
        kept
    }

    fn attach(&self, who: Who, report: RecordId, files: &[Value]) -> Result<RecordId, Fault> {
        let command = json!({ "do": "attach", "report": report, "attachments": files });
        self.act(who, "attach", &command)
    }

    fn file(&self, who: Who, report: RecordId, digest: &Value) -> (u16, Vec<u8>) {
        let digest = digest.as_str().expect("a digest");
        let path = format!("/api/reports/{report}/attachments/{digest}");
        let (status, _, bytes) = self.world.read(&self.world.token(who), &path);
        (status.as_u16(), bytes)
    }
}

fn attaching(kept: &Value, markings: &Value) -> Value {
    json!({ "markings": markings, "attachment": kept["attachment"] })
}

#[test]
fn a_file_is_read_by_those_who_read_its_portion_and_is_absent_for_others() {
    let scene = scene();
    let kept = scene.plan(scene.police);
    let mut command = methane(&[scene.fire]);
    command["attachments"] = json!([attaching(&kept, &marking(4, &["KESTREL"]))]);
    let id = scene.submit(scene.police, &command).expect("a report");
    for who in [scene.police, scene.fire_head] {
        assert_eq!(scene.file(who, id, &kept["digest"]), (200, PLAN.to_vec()));
    }
    let never = json!(base::Digest([7; 32]));
    for who in [scene.fire, scene.customs, scene.harbour] {
        let withheld = scene.file(who, id, &kept["digest"]);
        assert_eq!(withheld, scene.file(who, id, &never), "hidden is as absent");
        assert_eq!(withheld, scene.file(who, RecordId([3; 16]), &never));
        assert_eq!(withheld.0, 404);
    }
    // The report itself tells the lower reader nothing of the file, and nobody its key.
    let seen = serde_json::to_string(&scene.get(scene.fire, id).expect("it")).expect("json");
    assert!(!seen.contains("plan A.pdf") && !seen.contains("attachments"), "{seen}");
    let seen = serde_json::to_string(&scene.get(scene.police, id).expect("it")).expect("json");
    assert!(seen.contains("plan A.pdf") && !seen.contains("\"key\""), "{seen}");
}

#[test]
fn a_file_is_served_to_be_kept_and_its_reading_is_recorded() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let kept = scene.plan(scene.police);
    scene.attach(scene.police, id, &[attaching(&kept, &Value::Null)]).expect("attached");
    let token = scene.world.token(scene.fire);
    let digest = kept["digest"].as_str().expect("a digest");
    let path = format!("/api/reports/{id}/attachments/{digest}");
    let (_, headers, bytes) = scene.world.read(&token, &path);
    assert_eq!(bytes, PLAN);
    assert_eq!(headers["content-disposition"], "attachment; filename*=UTF-8''plan%20A.pdf");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox");
    let rows = scene.world.access_rows();
    let last = rows.last().expect("a row");
    assert_eq!(last.kind, app::kernel::access::AccessKind::Opened);
    assert_eq!((last.person, &*last.records), (Some(scene.fire.person), &[id][..]));
    assert_eq!(last.labels.len(), 1, "the label of the portion");
}

#[test]
fn a_withdrawn_release_ends_the_reading_of_files() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let kept = scene.plan(scene.police);
    scene.attach(scene.police, id, &[attaching(&kept, &Value::Null)]).expect("attached");
    assert_eq!(scene.file(scene.fire, id, &kept["digest"]).0, 200);
    let command = json!({ "do": "withdraw", "report": id, "agency": scene.fire.agency,
        "reason": "wrong recipient" });
    scene.act(scene.police, "withdraw", &command).expect("withdrawn");
    assert_eq!(scene.file(scene.fire, id, &kept["digest"]).0, 404);
}

#[test]
fn only_its_sender_attaches_an_upload_once_and_within_an_hour() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let own = scene.submit(scene.fire_head, &methane(&[])).expect("a report");
    let kept = scene.plan(scene.police);
    let file = attaching(&kept, &Value::Null);
    let stolen = scene.attach(scene.fire_head, own, std::slice::from_ref(&file));
    assert_eq!(slug(stolen), "invalid-attachment");
    let ticket = kept["attachment"].as_str().expect("a ticket");
    let changed = json!({ "markings": null, "attachment": format!("{ticket}A") });
    assert_eq!(slug(scene.attach(scene.police, id, &[changed])), "invalid-attachment");
    let twice = scene.attach(scene.police, id, &[file.clone(), file.clone()]);
    assert_eq!(slug(twice), "attachment-used");
    let foreign = scene.attach(scene.fire, id, std::slice::from_ref(&file));
    assert!(foreign.is_err(), "a recipient changes nothing of it");
    let nine = vec![file.clone(); 9];
    assert_eq!(slug(scene.attach(scene.police, id, &nine)), "too-many-attachments");
    scene.attach(scene.police, id, std::slice::from_ref(&file)).expect("attached");
    let again = scene.attach(scene.police, id, std::slice::from_ref(&file));
    assert_eq!(slug(again), "attachment-used");
    let late = scene.plan(scene.police);
    scene.world.clock.advance_s(3601);
    let late = scene.attach(scene.police, id, &[attaching(&late, &Value::Null)]);
    assert_eq!(slug(late), "invalid-attachment");
}

#[test]
fn a_lower_label_than_that_of_the_report_is_refused_for_a_file() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    let kept = scene.plan(scene.police);
    let low = scene.attach(scene.police, id, &[attaching(&kept, &marking(1, &[]))]);
    assert_eq!(slug(low), "label-not-higher");
}

#[test]
fn what_is_not_what_it_says_and_what_is_too_large_is_not_taken() {
    let scene = scene();
    let text = ("text/plain", "note.txt");
    let title = |(status, problem): (u16, Value)| {
        assert!(status >= 400, "{problem}");
        problem["title"].as_str().expect("a title").to_owned()
    };
    let html = ("text/html", "page.html");
    assert_eq!(title(scene.upload(scene.police, html, b"<b>")), "attachment-media");
    let png = ("image/png", "page.png");
    assert_eq!(title(scene.upload(scene.police, png, b"<html>")), "attachment-media");
    assert_eq!(title(scene.upload(scene.police, text, b"")), "attachment-empty");
    for name in ["", "..", "%2F", "%E2%80%AE"] {
        let named = ("text/plain", name);
        assert_eq!(title(scene.upload(scene.police, named, b"x")), "attachment-name");
    }
    let most = base::limit::ATTACHMENT_BYTES;
    assert_eq!(scene.upload(scene.police, text, &vec![7; most]).0, 201);
    let large = scene.upload(scene.police, text, &vec![7; most + 1]);
    assert_eq!((large.0, title(large)), (413, "attachment-too-large".to_owned()));
    let clerk = Being { level: 4, compartments: &[], roles: &[] };
    let clerk = scene.world.person(scene.police.agency, &clerk);
    assert_eq!(scene.upload(clerk, text, b"x").0, 403);
}

#[test]
fn a_name_loses_its_path_and_what_turns_text_around() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    let named = ("text/plain", "..%2F..%2Fetc%2Fpass%E2%80%AEtxt.exe");
    let (status, kept) = scene.upload(scene.police, named, b"x");
    assert_eq!(status, 201, "{kept}");
    scene.attach(scene.police, id, &[attaching(&kept, &Value::Null)]).expect("attached");
    let seen = serde_json::to_value(scene.get(scene.police, id).expect("it")).expect("json");
    assert_eq!(seen["layers"][0]["body"]["attachments"][0]["name"], "passtxt.exe");
}

#[test]
fn an_upload_that_no_report_names_is_removed_without_another_upload() {
    let scene = scene();
    let kept = scene.plan(scene.police);
    let _forgotten = scene.plan(scene.police);
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    scene.attach(scene.police, id, &[attaching(&kept, &Value::Null)]).expect("attached");
    let count = |world: &World| world.node().blobs().addresses().expect("a list").len();
    assert_eq!(count(&scene.world), 2);
    scene.world.clock.advance_s(2 * 3600 + 61);
    scene.world.eventually(|world| (count(world) == 1).then_some(()));
    assert_eq!(scene.file(scene.police, id, &kept["digest"]).0, 200, "the named one stays");
}

#[test]
fn uploads_that_no_report_names_are_limited_and_removed() {
    let scene = scene();
    let most = app::reports::attachment::UNCITED_MAX;
    let kept: Vec<Value> = (0..most).map(|_| scene.plan(scene.police)).collect();
    let pdf = ("application/pdf", "one.pdf");
    let (status, problem) = scene.upload(scene.police, pdf, PLAN);
    assert_eq!((status, &problem["title"]), (409, &json!("too-many-uploads")));
    scene.plan(scene.fire);
    // Naming one makes room for one.
    let id = scene.submit(scene.police, &methane(&[])).expect("a report");
    scene.attach(scene.police, id, &[attaching(&kept[0], &Value::Null)]).expect("attached");
    scene.plan(scene.police);
    let blobs = scene.world.node().blobs();
    assert_eq!(blobs.addresses().expect("a list").len(), most + 2);
    scene.world.clock.advance_s(2 * 3600 + 1);
    scene.plan(scene.fire);
    assert_eq!(blobs.addresses().expect("a list").len(), 2, "the named one and the newest");
    assert_eq!(scene.file(scene.police, id, &kept[0]["digest"]).0, 200);
}

#[test]
fn a_restarted_and_rebuilt_node_gives_the_same_file_and_a_changed_byte_is_found() {
    let mut scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let kept = scene.plan(scene.police);
    scene.attach(scene.police, id, &[attaching(&kept, &Value::Null)]).expect("attached");
    scene.world.stop();
    std::fs::remove_file(scene.world.directory().join("local/views.db")).expect("removed");
    scene.world.start().expect("it starts");
    assert_eq!(scene.file(scene.fire, id, &kept["digest"]), (200, PLAN.to_vec()));
    let again = scene.attach(scene.police, id, &[attaching(&kept, &Value::Null)]);
    assert_eq!(slug(again), "attachment-used", "rebuilding knows it");
    let digest = kept["digest"].as_str().expect("a digest");
    let (group, _) = digest.split_at(2);
    let path = scene.world.directory().join("store/blobs").join(group).join(digest);
    let mut bytes = std::fs::read(&path).expect("the blob");
    assert!(!bytes.windows(8).any(|part| part == b"the plan"), "it lies encrypted");
    bytes[5] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let (status, problem) = scene.file(scene.fire, id, &kept["digest"]);
    assert!(status >= 500, "{status}");
    let problem = String::from_utf8(problem).expect("text");
    assert!(!problem.contains("the plan"), "{problem}");
}

/// What the layer above says to those below it, proposed by the police.
fn lower(scene: &Scene, report: RecordId, layer: usize, level: u8) -> Value {
    let shown = scene.get(scene.police, report).expect("the report");
    let mut layers = shown.layers.iter().filter(|layer| layer.body.contains_key("portions"));
    let from = layers.nth(layer).expect("a layer").id;
    json!({
        "do": "downgrade", "report": report, "from": from, "markings": marking(level, &[]),
        "portions": [{ "line": "hazards", "text": "Armed men", "grade": null }],
        "reason": "Crews have to know"
    })
}

/// The proposals on a report that a reader sees.
fn proposals(report: &Rendition) -> Vec<Value> {
    let lists = report.layers.iter().filter_map(|layer| layer.body.get("downgrades")?.as_array());
    lists.flatten().cloned().collect()
}

fn signed(proposal: &Value, downgrade: &Value) -> Value {
    let mut command = proposal.clone();
    command["do"] = "countersign".into();
    command["downgrade"] = downgrade.clone();
    command
}

/// The scene, the head of the police, a report and a proposal to say more of it at level 3.
fn proposed() -> (Scene, Who, RecordId, Value, Value) {
    let scene = scene();
    let head = scene.world.person(scene.police.agency, &Being { roles: &["HEAD"], ..DESK });
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let proposal = lower(&scene, id, 2, 3);
    scene.act(scene.police, "downgrade", &proposal).expect("proposed");
    let seen = proposals(&scene.get(head, id).expect("the report"));
    assert_eq!(seen.len(), 1);
    let downgrade = seen[0]["downgrade"].clone();
    (scene, head, id, proposal, downgrade)
}

#[test]
fn a_downgrade_takes_two_persons_and_says_below_what_was_above() {
    let (scene, head, id, proposal, downgrade) = proposed();
    assert_eq!(scene.texts(scene.fire, id), ["Platform 4", "Gas"]);
    let command = signed(&proposal, &downgrade);
    scene.act(head, "countersign", &command).expect("signed");
    assert_eq!(scene.texts(scene.fire, id), ["Platform 4", "Gas", "Armed men"]);
    let seen = proposals(&scene.get(scene.police, id).expect("the report"));
    assert_eq!(seen[0]["state"], "countersigned");
    assert_eq!(seen[0]["decided_by"], json!(head.person));
    assert_eq!(slug(scene.act(head, "countersign", &command)), "downgrade-decided");
}

#[test]
fn a_proposal_to_downgrade_is_nothing_to_those_below_it_and_to_other_agencies() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let before = scene.get(scene.fire, id).expect("the report");
    let head_before = scene.get(scene.fire_head, id).expect("the report");
    let proposal = lower(&scene, id, 2, 3);
    scene.act(scene.police, "downgrade", &proposal).expect("proposed");
    assert_eq!(scene.get(scene.fire, id).expect("the report"), before);
    // Whoever is cleared for the layer, but of another agency, learns nothing either.
    assert_eq!(scene.get(scene.fire_head, id).expect("the report"), head_before);
}

#[test]
fn nobody_countersigns_alone_or_without_the_role_or_other_words() {
    let (scene, head, id, proposal, downgrade) = proposed();
    let command = signed(&proposal, &downgrade);
    let both = Being { roles: &["HEAD", "DUTY"], ..DESK };
    let alone = scene.world.person(scene.police.agency, &both);
    let own = lower(&scene, id, 2, 2);
    scene.act(alone, "downgrade", &own).expect("proposed");
    let seen = proposals(&scene.get(alone, id).expect("the report"));
    let second = signed(&own, &seen[1]["downgrade"]);
    assert_eq!(slug(scene.act(alone, "countersign", &second)), "own-proposal");
    let desk = scene.world.person(scene.police.agency, &DESK);
    assert_eq!(scene.act(desk, "countersign", &command).expect_err("no").code.kind, Kind::Denied);
    let mut other = command.clone();
    other["portions"][0]["text"] = "Four armed men".into();
    assert_eq!(slug(scene.act(head, "countersign", &other)), "proposal-differs");
    other = command;
    other["markings"] = marking(2, &[]);
    assert_eq!(slug(scene.act(head, "countersign", &other)), "proposal-differs");
    assert_eq!(scene.texts(scene.fire, id), ["Platform 4", "Gas"]);
}

#[test]
fn who_may_not_read_the_layer_neither_proposes_nor_signs_nor_learns_that_there_is_one() {
    let (scene, _, id, proposal, downgrade) = proposed();
    let low = Being { level: 3, compartments: &[], roles: &["HEAD", "DUTY"] };
    let low = scene.world.person(scene.police.agency, &low);
    let mut never = proposal.clone();
    never["from"] = json!(RecordId([3; 16]));
    for command in [&proposal, &never] {
        assert_eq!(slug(scene.act(low, "downgrade", command)), "absent");
    }
    let command = signed(&proposal, &downgrade);
    assert_eq!(slug(scene.act(low, "countersign", &command)), "absent");
    let decline = json!({ "do": "decline", "report": id, "downgrade": downgrade,
        "from": proposal["from"], "reason": "no" });
    assert_eq!(slug(scene.act(low, "decline", &decline)), "absent");
    assert_eq!(slug(scene.act(scene.fire_head, "downgrade", &proposal)), "other-agency");
}

#[test]
fn a_downgrade_goes_below_its_layer_and_not_below_its_report() {
    let scene = scene();
    let id = scene.submit(scene.police, &methane(&[scene.fire])).expect("a report");
    let to = |layer, level| scene.act(scene.police, "downgrade", &lower(&scene, id, layer, level));
    assert_eq!(slug(to(1, 3)), "label-not-lower");
    assert_eq!(slug(to(2, 1)), "label-not-higher");
    assert_eq!(slug(to(0, 2)), "label-not-lower");
    let mut side = lower(&scene, id, 2, 3);
    side["markings"] = marking(3, &["LANTERN"]);
    assert_eq!(slug(scene.act(scene.police, "downgrade", &side)), "label-not-lower");
    let mut line = lower(&scene, id, 2, 3);
    line["portions"][0]["line"] = "headline".into();
    assert_eq!(slug(scene.act(scene.police, "downgrade", &line)), "unknown-line");
}

#[test]
fn a_layer_that_changed_or_was_contained_is_not_downgraded_as_it_was() {
    let (scene, head, id, proposal, downgrade) = proposed();
    let revise = json!({ "do": "revise", "report": id, "reason": "more", "portions": [
        { "markings": marking(4, &["KESTREL"]), "line": "hazards", "text": "Another cell" }] });
    scene.act(scene.police, "revise", &revise).expect("revised");
    let command = signed(&proposal, &downgrade);
    assert_eq!(slug(scene.act(head, "countersign", &command)), "source-changed");
    let contain = json!({ "do": "contain", "record": id, "layer": proposal["from"],
        "markings": marking(5, &["KESTREL"]), "keep": null, "reason": "wrong label" });
    let high = Being { level: 5, roles: &["SECURITY", "HEAD", "DUTY"], ..DESK };
    let security = scene.world.person(scene.police.agency, &high);
    scene.world.act(security, "spillage:contain", &contain).expect("contained");
    assert_eq!(slug(scene.act(security, "downgrade", &proposal)), "layer-contained");
}

#[test]
fn a_refused_downgrade_stays_refused_and_says_nothing_below() {
    let (scene, head, id, proposal, downgrade) = proposed();
    let decline = json!({ "do": "decline", "report": id, "downgrade": downgrade,
        "from": proposal["from"], "reason": "The source could be known by it" });
    scene.act(head, "decline", &decline).expect("refused");
    let seen = proposals(&scene.get(scene.police, id).expect("the report"));
    assert_eq!(seen[0]["state"], "declined");
    assert_eq!(seen[0]["because"], "The source could be known by it");
    let command = signed(&proposal, &downgrade);
    assert_eq!(slug(scene.act(head, "countersign", &command)), "downgrade-decided");
    assert_eq!(scene.texts(scene.fire, id), ["Platform 4", "Gas"]);
}
