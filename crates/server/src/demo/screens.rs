//! Open screens: the live stream of a desk, as its browser has it, with the time of each frame.

use std::time::Duration;

use app::kernel::live::{Frames, Joining, Told};
use app::kernel::{Fault, session};
use base::{RecordId, Time};
use serde_json::{Value, json};

use super::cast::Cast;
use super::stage::REACHED_MS_MAX;
use super::world::World;

/// Kinds of record that a desk keeps on its screen.
const WATCHED: [&str; 4] = ["alert", "declaration", "operation", "report"];
/// How long one look is apart from the next.
const LOOK: Duration = Duration::from_millis(1);
/// LIMIT: how long a screen may take to be ready.
const READY_MS_MAX: i64 = 10_000;
/// LIMIT: frames that are kept of one screen; older ones are forgotten.
const KEPT: usize = 4096;

/// The screen of one desk.
struct Screen {
    code: String,
    frames: Frames,
    shown: Vec<(Time, Value)>,
}

/// The open screens of desks.
pub struct Screens {
    screens: Vec<Screen>,
}

/// Whether a frame shows a record as it is now.
pub fn shows(frame: &Value, noun: &str, id: RecordId) -> bool {
    let of = |pointer: &str| frame.pointer(pointer);
    of("/type") == Some(&json!("record"))
        && of("/rendition/kind") == Some(&json!(noun))
        && of("/rendition/id") == Some(&json!(id))
}

/// Whether a frame takes a record off the screen.
pub fn takes(frame: &Value, noun: &str, id: RecordId) -> bool {
    let ids = frame.get("ids").and_then(Value::as_array);
    frame.get("type") == Some(&json!("gone"))
        && frame.get("kind") == Some(&json!(noun))
        && ids.is_some_and(|ids| ids.contains(&json!(id)))
}

impl Screens {
    /// Opens the screens of the duty desks of agencies, by their codes.
    ///
    /// # Errors
    /// When nobody sits at one of the desks, or a screen is not ready in time.
    pub fn open<'a>(
        cast: &Cast,
        world: &World,
        codes: impl Iterator<Item = &'a String>,
    ) -> Result<Self, Fault> {
        let mut screens = Vec::new();
        for code in codes {
            let desk = world.with_role(code, "DUTY").map_err(Fault::bug)?;
            let token = cast.sign_in(cast.holder(&desk.id)?, &desk.id)?;
            let joining = Joining {
                held: session::hold(cast.node(), &token)?,
                actor: session::resolve(cast.node(), &token)?,
                watch: WATCHED.iter().map(|noun| (*noun).to_owned()).collect(),
                since: None,
            };
            let frames = cast.node().hub().join(joining);
            screens.push(Screen { code: code.clone(), frames, shown: Vec::new() });
        }
        let mut opened = Self { screens };
        // What is written before a stream is ready is read from lists, not told on it.
        let asked_at = crate::clock::now();
        while opened.screens.iter().any(|screen| screen.shown.is_empty()) {
            if crate::clock::now().ms_since(asked_at) > READY_MS_MAX {
                return Err(Fault::bug("a screen is not ready"));
            }
            std::thread::sleep(LOOK);
            opened.look();
        }
        Ok(opened)
    }

    /// Takes what has come.
    pub fn look(&mut self) {
        for screen in &mut self.screens {
            while let Ok(told) = screen.frames.try_recv() {
                let Told::Frame(bytes) = told else { continue };
                if let Ok(frame) = serde_json::from_slice(&bytes) {
                    screen.shown.push((crate::clock::now(), frame));
                }
            }
            let over = screen.shown.len().saturating_sub(KEPT);
            screen.shown.drain(..over);
        }
    }

    /// How many ms of real time after an instant a frame came that is looked for, by agency. It is
    /// waited for as long as it may take; whoever has none then is left out.
    pub fn since(
        &mut self,
        from: Time,
        codes: &[&str],
        wanted: impl Fn(&Value) -> bool,
    ) -> Vec<(String, i64)> {
        let asked_at = crate::clock::now();
        loop {
            self.look();
            let chosen = self.screens.iter().filter(|s| codes.contains(&s.code.as_str()));
            let found: Vec<(String, i64)> = chosen
                .filter_map(|screen| {
                    let mut later = screen.shown.iter().filter(|(at, _)| *at >= from);
                    let (at, _) = later.find(|(_, frame)| wanted(frame))?;
                    Some((screen.code.clone(), at.ms_since(from)))
                })
                .collect();
            let late = crate::clock::now().ms_since(asked_at) > REACHED_MS_MAX;
            if found.len() == codes.len() || late {
                return found;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether a screen has ever been shown what is looked for.
    pub fn ever(&mut self, code: &str, wanted: impl Fn(&Value) -> bool) -> bool {
        self.look();
        let mut screens = self.screens.iter().filter(|screen| screen.code == code);
        screens.any(|screen| screen.shown.iter().any(|(_, frame)| wanted(frame)))
    }
}
