//! Counters for a supervisor on the machine itself: numbers only, no names, no labels of records.

use std::fmt::Write as _;

use app::kernel::node::{Counts, Node};
use base::Time;
use store::state::StateTable;

/// LIMIT: sessions that are counted.
const SESSIONS: u32 = 100_000;

/// The counters in the text form that Prometheus reads; `ends_at` is the end of the certificate in
/// use, where TLS is spoken.
///
/// # Errors
/// The state's own fault.
pub fn text(node: &Node, ends_at: Option<Time>) -> Result<String, store::Error> {
    let Counts { entries, batches, waiting, live, epoch } = node.counts();
    let [alert, normal, bulk] = waiting;
    let sessions = node.state().list(StateTable::Session, node.now(), SESSIONS)?.len();
    let deciding = u8::from(!node.stopped());
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, lines: &[(&str, u64)]| {
        // Writing to a string cannot fail.
        let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in lines {
            let _infallible = writeln!(text, "{name}{labels} {value}");
        }
    };
    let one = |value: u64| [("", value)];
    add("muster_ledger_entries", "counter", "Entries in the log of acts.", &one(entries));
    add("muster_batches_total", "counter", "Batches committed since the start.", &one(batches));
    let lanes =
        [("{lane=\"alert\"}", alert), ("{lane=\"normal\"}", normal), ("{lane=\"bulk\"}", bulk)];
    add("muster_lane_waiting", "gauge", "Acts that wait to be decided.", &lanes);
    add("muster_live_streams", "gauge", "Open live streams.", &one(live));
    add("muster_sessions", "gauge", "Sessions that have not expired.", &one(sessions as u64));
    add("muster_policy_epoch", "gauge", "Epoch of the policy in force.", &one(epoch));
    add("muster_deciding", "gauge", "1 while acts are decided.", &one(u64::from(deciding)));
    if let Some(ends_at) = ends_at {
        let left = u64::try_from(ends_at.ms_since(node.now()) / 1000).unwrap_or(0);
        let help = "Seconds until the certificate in use ends; 0 when it has.";
        add("muster_certificate_seconds_left", "gauge", help, &one(left));
    }
    Ok(text)
}
