//! `muster audit`: decides every entry again, offline.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use app::kernel::redecide::{Differs, Redecided, Verdict, redecide};
use clap::Args;
use store::Keyring;
use store::log::{LogName, LogReader};

use super::Where;
use crate::config::Environment;
use crate::terminal::say;
use crate::{clock, reason};

/// Looks at a node's log without trusting what was decided. Ends with 0 when nothing differs.
#[derive(Args)]
pub struct Audit {
    #[command(flatten)]
    node: Where,
    /// Decides each entry again from what it committed to: same, different, or not decidable.
    #[arg(long)]
    redecide: bool,
}

impl Audit {
    pub fn run(self) -> Result<ExitCode> {
        if !self.redecide {
            bail!("say what to audit: --redecide");
        }
        let config = self.node.given(None).load(&Environment::read()?)?;
        let told = |fault: &store::Error| anyhow!("{}", reason::of_store(fault, &config));
        let keys = Keyring::open(&config.provider()?).map_err(|fault| told(&fault))?;
        let reader = LogReader::open(&config.place).map_err(|fault| told(&fault))?;
        let size = reader.head(LogName::Acts).map_err(|fault| told(&fault))?.size;
        let began = clock::now();
        let (mut same, mut different, mut open) = (0_u64, 0_u64, 0_u64);
        let each = |Redecided { sequence, kind, verdict }: Redecided| match verdict {
            Verdict::Same => same += 1,
            Verdict::Different(differs) => {
                different += 1;
                let words: Vec<&str> = differs.into_iter().map(Differs::word).collect();
                say(format_args!(
                    "acts entry {sequence} ({kind}): different: {}",
                    words.join(", ")
                ));
            }
            Verdict::Undecidable(by) => {
                open += 1;
                let by = by.map_or_else(|| "no known entry".to_owned(), |by| format!("entry {by}"));
                say(format_args!("acts entry {sequence} ({kind}): not decidable, erased by {by}"));
            }
        };
        redecide(&reader, &keys, app::capabilities::ALL, size, each)
            .map_err(|fault| anyhow!("{}", reason::of_fault(&fault, &config)))?;
        let ms = clock::now().ms_since(began);
        say(format_args!("{same} same, {different} different, {open} not decidable, {ms} ms"));
        Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
