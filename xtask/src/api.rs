//! `cargo xtask api`: the API document and the client's types, both made from the server.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::install::{self, Tool};
use crate::web::Web;
use crate::workspace::{self, Workspace};

/// The API document, as `muster openapi` prints it.
pub const DOCUMENT: &str = "api/openapi.json";
const TYPES: &str = "web/src/api/types.ts";
const GENERATOR: &str = "web/node_modules/.bin/openapi-typescript";

/// What is done with a difference.
#[derive(Clone, Copy)]
pub enum Mode {
    Write,
    Check,
}

/// Makes both files anew, and writes them or fails when they differ from the tree.
pub fn run(ws: &Workspace, mode: Mode) -> Result<()> {
    workspace::run(&mut ws.cargo(&["build", "--workspace", "--bin", "muster"]))?;
    let document = workspace::output(ws.command(ws.built("debug", "muster")).arg("openapi"))?;
    check_document(&document)?;
    settle(ws, DOCUMENT, &document, mode)?;
    if !ws.has("web/package.json") {
        println!("web/package.json does not exist: no types to make");
        return Ok(());
    }
    install::require(ws, &[Tool::Node])?;
    Web::new(ws).packages()?;
    let scratch = ws.tools().join("types.ts");
    fs::create_dir_all(ws.tools()).context("cannot make a folder for the types")?;
    workspace::run(ws.command(ws.path(GENERATOR)).arg(DOCUMENT).arg("--output").arg(&scratch))?;
    let types = fs::read(&scratch).context("cannot read the types that were made")?;
    settle(ws, TYPES, &types, mode)
}

fn check_document(document: &[u8]) -> Result<()> {
    let value: serde_json::Value = serde_json::from_slice(document)
        .context("`muster openapi` did not print an API document")?;
    match value.get("openapi").and_then(serde_json::Value::as_str) {
        Some(_) if document.ends_with(b"\n") => Ok(()),
        Some(_) => bail!("`muster openapi` did not end its document with a line break"),
        None => bail!("`muster openapi` printed JSON without a member `openapi`"),
    }
}

fn settle(ws: &Workspace, file: &str, wanted: &[u8], mode: Mode) -> Result<()> {
    let path = ws.path(file);
    let same = fs::read(&path).is_ok_and(|bytes| bytes == wanted);
    match mode {
        _ if same => println!("{file} is as the server makes it"),
        Mode::Check => bail!("{file} differs from what the server makes; run `cargo xtask api`"),
        Mode::Write => {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).with_context(|| format!("cannot make {file}'s folder"))?;
            fs::write(&path, wanted).with_context(|| format!("cannot write {file}"))?;
            println!("{file} written");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_api_document_is_taken_for_one() {
        assert!(check_document(b"{\"openapi\":\"3.1.0\"}\n").is_ok());
        for bad in [&b""[..], b"{}\n", b"{\"openapi\":\"3.1.0\"}", b"[1]\n"] {
            assert!(check_document(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
