//! Views: built anew beside those of the node, and compared row by row.

use std::path::Path;

use app::kernel::Fault;
use app::kernel::node::seed;
use app::kernel::start::{Folding, Source, label_key};
use app::kernel::view::Views;
use store::Keyring;
use store::log::{LogName, LogReader};
use store::sqlite::open_reader;

use super::{Finding, Findings, Part};

/// Builds views of a log in `scratch` and compares them with those at `views`.
///
/// Returns how many rows were compared; the first that differs is named.
///
/// # Errors
/// The kernel's own fault, when either cannot be built or read.
pub fn compare(
    keys: &Keyring,
    reader: &LogReader,
    (views, scratch): (&Path, &Path),
    findings: &mut Findings,
) -> Result<u64, Fault> {
    let log = LogName::Acts;
    if !views.is_file() {
        findings.add(Finding::log(log, Part::View, "there are none: `muster rebuild` makes them"));
        return Ok(0);
    }
    let label_key = label_key(keys)?;
    let connection = open_reader(views)?;
    let live = Views::reading(&connection, &label_key);
    // One state of them, also when a node is running.
    live.run("BEGIN")?;
    let size = live.applied()?;
    let mine = live.dump(&label_key)?;
    let stale = live.stale()?;
    live.run("COMMIT")?;
    if stale {
        let why = "something was erased and they are not folded anew yet: start the node";
        findings.add(Finding::log(log, Part::View, why));
        return Ok(mine.len() as u64);
    }
    let head = reader.head(log)?;
    if size > head.size {
        let why = format!("they have seen {size} entries, the log has {}", head.size);
        findings.add(Finding::log(log, Part::View, why));
        return Ok(0);
    }
    let from = Source { keys, capabilities: app::capabilities::ALL, label_key: &label_key, reader };
    let mut folding = Folding::begin(&scratch.join("views.db"), &from, seed()?)?;
    folding.advance(&from, size)?;
    let (rebuilt, _path) = folding.finish();
    let anew = Views::new(&rebuilt).dump(&label_key)?;
    if let Some(why) = first_difference(&mine, &anew) {
        findings.add(Finding::log(log, Part::View, why));
    }
    Ok(mine.len() as u64)
}

/// Names the first row in which two ordered dumps differ.
fn first_difference(live: &[String], rebuilt: &[String]) -> Option<String> {
    let rows = live.len().max(rebuilt.len());
    let place = (0..rows).find(|place| live.get(*place) != rebuilt.get(*place))?;
    let row = |dump: &[String]| dump.get(place).cloned().unwrap_or_else(|| "no row".to_owned());
    Some(format!("the node has `{}`, the log gives `{}`", row(live), row(rebuilt)))
}
