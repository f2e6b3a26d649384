//! Rows of the access log that are not in a leaf yet.

use std::path::Path;

use app::kernel::Fault;
use app::kernel::access::{file, numbers, read};
use store::Keyring;
use store::log::{LogName, LogReader};

use super::{Finding, Findings, Part};

/// Reads the files whose leaves are not written yet, and names rows that are cut off or changed.
///
/// Returns how many rows they have. A file of a leaf that is written is a copy that the next start
/// removes.
///
/// # Errors
/// The file system's own fault.
pub fn unsealed(
    directory: &Path,
    reader: &LogReader,
    keys: &Keyring,
    findings: &mut Findings,
) -> Result<u64, Fault> {
    if !directory.is_dir() {
        return Ok(0);
    }
    let log = LogName::Access;
    let size = reader.head(log)?.size;
    let key = keys.derive(b"", "muster/access/v1")?;
    let (mut rows, mut next) = (0, size);
    for number in numbers(directory)?.into_iter().filter(|number| *number >= size) {
        for missing in next..number {
            findings.add(Finding::entry(log, missing, Part::Rows, "its file is missing"));
        }
        next = number + 1;
        let read = read(&file(directory, number), number, &key)?;
        rows += read.rows.len() as u64;
        let Some(lost) = read.lost else { continue };
        for row in lost.damaged {
            let why = format!("row {row} of its file does not open");
            findings.add(Finding::entry(log, number, Part::Rows, why));
        }
        if lost.cut_bytes > 0 {
            let why = format!("the last row of its file is cut off after {} bytes", lost.cut_bytes);
            findings.add(Finding::entry(log, number, Part::Rows, why));
        }
    }
    Ok(rows)
}
