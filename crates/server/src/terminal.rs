//! What commands say to the person at the terminal.

use std::error::Error;
use std::fmt;
use std::io::{Write, stderr, stdout};

/// Writes a line to standard output.
pub fn say(line: impl fmt::Display) {
    // A reader that went away, as `head` does, does not want the rest.
    let _gone = writeln!(stdout().lock(), "{line}");
}

/// Writes a line to standard error.
pub fn complain(line: impl fmt::Display) {
    let _gone = writeln!(stderr().lock(), "muster: {line}");
}

/// A fault with its causes, in one line.
pub fn chain(fault: &(dyn Error + 'static)) -> String {
    let mut line = fault.to_string();
    let mut at = fault.source();
    while let Some(cause) = at {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        at = cause.source();
    }
    line
}
