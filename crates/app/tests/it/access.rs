//! The access log: whatever leaves the node is recorded first, in rows that become leaves.

use std::io::Write;

use app::kernel::access::{AccessKind, AccessRow, file, numbers};
use app::kernel::segment::{Recorded, prove_row, root_of};
use base::{RecordId, Time};
use ledger::proof::verify_inclusion;
use ledger::tree::Head;
use serde_json::json;
use store::log::LogName;
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 3, compartments: &[], roles: &["DUTY"] };

struct Scene {
    world: World,
    police: Who,
    alert: RecordId,
}

fn scene() -> Scene {
    let world = World::new();
    let police = world.person(world.agency("POL"), &DESK);
    let command = json!({
        "do": "raise", "markings": marking(2, &[]), "precedence": "ROUTINE", "title": "title",
        "text": "text", "audience": [police.agency], "options": ["yes"], "place": null
    });
    let alert = world.act(police, "alert:raise", &command).expect("an alert").record;
    Scene { world, police, alert }
}

fn directory(world: &World) -> std::path::PathBuf {
    world.directory().join("local").join("access")
}

fn leaves(world: &World) -> u64 {
    world.node().log().head(LogName::Access).expect("a head").size
}

fn of(rows: &[AccessRow], kind: AccessKind) -> Vec<&AccessRow> {
    rows.iter().filter(|row| row.kind == kind).collect()
}

fn segments(world: &World) -> Vec<Recorded> {
    let mut segments = Vec::new();
    let begin = Time::from_ms(0).expect("a time");
    let read = world.node().each_segment(begin, |segment| {
        segments.push(segment);
        Ok(())
    });
    read.expect("the access log");
    segments
}

#[test]
fn a_row_says_who_read_which_record_under_which_label() {
    let scene = scene();
    let opened = scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    scene.world.list(scene.police, "alert");
    scene.world.get(scene.police, "alert", RecordId([4; 16])).expect_err("absent");
    let rows = scene.world.access_rows();
    let (open, list) = (of(&rows, AccessKind::Opened), of(&rows, AccessKind::Listed));
    let denied = of(&rows, AccessKind::Denied);
    assert_eq!((open.len(), list.len(), denied.len()), (1, 1, 1));
    let labels: Vec<_> = opened.layers.iter().map(|layer| layer.label.digest()).collect();
    for row in [open[0], list[0]] {
        assert_eq!((row.person, row.seat), (Some(scene.police.person), scene.police.seat));
        assert_eq!(row.records, [scene.alert]);
        assert_eq!(row.labels, labels);
    }
    assert!(list[0].query.is_some() && list[0].result.is_some());
    assert_eq!(denied[0].records, [RecordId([4; 16])]);
    assert!(denied[0].labels.is_empty(), "nothing was read");
}

#[test]
fn a_finished_minute_is_one_leaf_and_its_file_is_gone() {
    let scene = scene();
    for _ in 0..3 {
        scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    }
    assert_eq!(leaves(&scene.world), 0, "the minute goes on");
    scene.world.clock.advance_s(61);
    scene.world.eventually(|world| (leaves(world) == 1).then_some(()));
    scene.world.eventually(|world| numbers(&directory(world)).ok()?.is_empty().then_some(()));
    let segments = segments(&scene.world);
    assert_eq!((segments.len(), segments[0].summary.rows), (1, 3));
    let acts = scene.world.node().core().head.clone();
    assert_eq!(
        (segments[0].summary.acts.size, segments[0].summary.acts.root),
        (acts.size, acts.root)
    );
}

#[test]
fn rows_survive_a_stop_and_a_start() {
    let mut scene = scene();
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    scene.world.restart();
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    let rows = scene.world.access_rows();
    assert_eq!(of(&rows, AccessKind::Opened).len(), 2);
    assert_eq!(leaves(&scene.world), 2);
}

/// Puts a file as a process that was killed leaves it in place of a stop's leaf.
fn killed(scene: &mut Scene, change: impl FnOnce(&mut Vec<u8>)) {
    let path = file(&directory(&scene.world), leaves(&scene.world));
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    assert!(scene.world.node().access().flush());
    let mut bytes = std::fs::read(&path).expect("rows");
    scene.world.stop();
    change(&mut bytes);
    // What the stop made a leaf of stands there once more, under the number of the next one.
    let mut left = std::fs::File::create(path.with_file_name("left")).expect("a file");
    left.write_all(&bytes).expect("written");
}

#[test]
fn a_half_written_last_row_is_found_and_named() {
    let mut scene = scene();
    let key = scene.world.node().keys().derive(b"", "muster/access/v1").expect("a key");
    killed(&mut scene, |bytes| bytes.truncate(bytes.len() - 5));
    let left = directory(&scene.world).join("left");
    let read = app::kernel::access::read(&left, 0, &key).expect("read");
    assert_eq!(read.rows.len(), 1);
    let lost = read.lost.expect("named");
    assert!(lost.cut_bytes > 0 && lost.damaged.is_empty());
}

#[test]
fn a_changed_row_is_found_and_named_and_the_others_stay() {
    let mut scene = scene();
    let key = scene.world.node().keys().derive(b"", "muster/access/v1").expect("a key");
    killed(&mut scene, |bytes| bytes[40] ^= 1);
    let left = directory(&scene.world).join("left");
    let read = app::kernel::access::read(&left, 0, &key).expect("read");
    assert_eq!(read.rows.len(), 1);
    assert_eq!(read.lost.expect("named").damaged, [0]);
    let other = app::kernel::access::read(&left, 1, &key).expect("read");
    assert_eq!(other.rows.len(), 0, "rows are bound to their leaf");
}

#[test]
fn what_a_killed_process_left_becomes_a_leaf_at_the_next_start() {
    let scene = scene();
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    let path = file(&directory(&scene.world), 0);
    let mut bytes = std::fs::read(&path).expect("rows");
    bytes.extend_from_slice(&[0, 0, 1, 0, 7, 7]);
    std::fs::write(&path, &bytes).expect("a torn write");
    // Without the stop's leaf: the process is gone before it.
    let copy = scene.world.directory().join("copy");
    copy_all(scene.world.directory(), &copy);
    let place = store::log::Place::Sqlite { directory: copy.join("store") };
    let twin = World::at(copy, place, app::capabilities::ALL);
    let rows = twin.access_rows();
    assert_eq!(of(&rows, AccessKind::Opened).len(), 1);
    let lost = of(&rows, AccessKind::Interrupted)[0].lost.clone().expect("named");
    assert_eq!((lost.cut_bytes, lost.damaged.len()), (6, 0));
    assert_eq!(leaves(&twin), 1);
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path() == to {
            continue;
        }
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

#[test]
fn nothing_is_served_when_it_cannot_be_recorded() {
    let scene = scene();
    let token = scene.world.token(scene.police);
    std::fs::remove_dir_all(directory(&scene.world)).expect("the directory goes");
    let path = format!("/api/alerts/{}", scene.alert);
    for path in [path.as_str(), "/api/alerts", "/api/people"] {
        let (status, _, body) = scene.world.read(&token, path);
        assert_eq!(status, 503, "{path}");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("access-log") && !text.contains("title\":\"title"), "{text}");
    }
}

#[test]
fn one_row_is_proved_without_the_others() {
    let scene = scene();
    for _ in 0..5 {
        scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    }
    let segments = segments(&scene.world);
    let rows = &segments[0].rows;
    let root = Head { size: rows.len() as u64, root: root_of(rows) };
    assert_eq!(root.root, segments[0].summary.root);
    for (index, row) in (0..).zip(rows) {
        let path = prove_row(rows, index).expect("a proof");
        verify_inclusion(&row.hash(), index, &root, &path).expect("proved");
        let mut other = row.clone();
        other.json[9] ^= 1;
        verify_inclusion(&other.hash(), index, &root, &path).expect_err("another row");
    }
}

#[test]
fn the_log_of_acts_names_the_head_of_the_access_log() {
    let scene = scene();
    scene.world.get(scene.police, "alert", scene.alert).expect("the alert");
    scene.world.clock.advance_s(601);
    let anchored = scene.world.eventually(|world| {
        let size = world.node().core().head.size;
        let last = world.node().log().entries(LogName::Acts, size - 1, 1).ok()?.pop()?;
        let leaf = ledger::leaf::Leaf::from_bytes(&last.leaf).ok()?;
        (leaf.class == ledger::leaf::Class::Anchor).then_some(size)
    });
    scene.world.clock.advance_s(60);
    assert_eq!(scene.world.node().core().head.size, anchored, "once in ten minutes");
}

#[test]
fn an_interval_of_a_live_stream_says_what_was_sent_in_it() {
    let scene = scene();
    let token = scene.world.token(scene.police);
    let listening = scene.world.listen();
    let mut live = listening.live(&token, &["alert"]);
    let from = scene.world.node().core().head.size;
    let command = json!({ "do": "acknowledge", "alert": scene.alert, "option": 0, "note": null });
    scene.world.act(scene.police, "alert:acknowledge", &command).expect("answered");
    assert_eq!(live.frame().expect("a frame")["type"], "record");
    let rows = scene.world.access_rows();
    let delivered = of(&rows, AccessKind::Delivered);
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].records, [scene.alert]);
    let interval = delivered[0].interval.expect("an interval");
    assert_eq!((interval.from, interval.to), (from, scene.world.node().core().head.size));
    assert!(delivered[0].session.is_some());
}
