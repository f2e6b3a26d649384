//! `muster openapi`: prints the API document, as `api/openapi.json` has it.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};
use app::kernel::{http, openapi};

pub fn run() -> Result<ExitCode> {
    let document = openapi::document(http::routes_of(app::capabilities::ALL));
    let mut text = serde_json::to_string_pretty(&document).context("write the document")?;
    text.push('\n');
    stdout().lock().write_all(text.as_bytes()).context("print the document")?;
    Ok(ExitCode::SUCCESS)
}
