//! `muster demo`: an invented world on a real node, to be looked at and played with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use app::kernel::{Fault, Node};
use clap::Args;
use store::log::LogReader;
use store::{Blobs, Keyring};

use super::serve::Opened;
use crate::config::{Config, Demonstration, Environment, Given, blobs_of};
use crate::courier::{self, Allowed, Outside};
use crate::demo::{Cast, Dispatch, Founded, Links, Record, World, found, perform};
use crate::disk::Scratch;
use crate::layout::{self, New, verifier_keys};
use crate::running::{self, Ended};
use crate::terminal::{complain, say};
use crate::verify::{Findings, Verifier, compare};
use crate::{clock, pages, reason};

/// Where the demonstration keeps its data when nobody says otherwise.
const DATA: &str = ".muster/demo";
/// The bundle of the play's inquiry, in the data directory: `muster verify --bundle` takes it.
const BUNDLE: &str = "inquiry.muster";
/// Play seconds per second, when the play is played to its end at once.
const SPEED_ONCE: u32 = 20;

/// Shows the product on an invented world. Its keys lie in plain files: for demonstration only.
#[derive(Args)]
pub struct Demo {
    /// The data directory; the world is founded in it at the first start.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// How many seconds of the play pass in one second.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: Option<u32>,
    /// Plays to the end without listening, prints what happened, and fails if it went otherwise
    /// than it must.
    #[arg(long)]
    once: bool,
    /// Keeps the log in this PostgreSQL database, which must be empty or this demonstration's.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// What the intelligence service holds: a bundle of STIX 2.1, as JSON or compressed by gzip.
    #[arg(long, value_name = "FILE")]
    intel: Option<PathBuf>,
}

impl Demo {
    pub fn run(self) -> Result<ExitCode> {
        let environment = Environment::read()?;
        let scratch = match (&self.data, self.once) {
            (None, true) => Some(Scratch::new("muster-demo").context("make a directory")?),
            (Some(_), _) | (None, false) => None,
        };
        let data = match (&self.data, &scratch) {
            (Some(data), _) => data.clone(),
            (None, Some(scratch)) => scratch.path().join("node"),
            (None, None) => environment.data.clone().unwrap_or_else(|| PathBuf::from(DATA)),
        };
        let mut config = self.config(data, &environment)?;
        running::trace(&config.trace);
        let mut world = World::load()?;
        if let Some(file) = &self.intel {
            world.intel = Some(crate::demo::read_bundle(file)?);
        }
        let dispatch = Dispatch::listen().context("listen as the dispatch system")?;
        config.webhooks.allow.push(Allowed::Host(dispatch.address().to_string()));
        world.dispatch = Some(dispatch);
        if self.once { self.once(&config, &world) } else { self.show(&config, world) }
    }

    fn config(&self, data: PathBuf, environment: &Environment) -> Result<Config> {
        if !layout::exists(&data) {
            let new = New {
                names: vec!["localhost".to_owned()],
                data: data.clone(),
                keys: None,
                postgres: self.postgres.clone(),
                demonstration: Some(Demonstration { founded_at: clock::now() }),
            };
            layout::create(&new, clock::now())?;
        }
        let given = Given {
            data: Some(data),
            listen: self.listen,
            postgres: self.postgres.clone(),
            ..Given::default()
        };
        let mut config = given.load(environment)?;
        if config.demonstration.is_none() {
            bail!("`{}` holds a node that is no demonstration", config.data.display());
        }
        if environment.trace.is_none() {
            "warn".clone_into(&mut config.trace.filter);
        }
        Ok(config)
    }

    /// Plays to the end, then verifies what was written.
    fn once(&self, config: &Config, world: &World) -> Result<ExitCode> {
        let speed = self.speed.unwrap_or(SPEED_ONCE);
        let began = clock::now();
        let node = running::open(config, config.provider()?, speed)
            .map_err(|fault| anyhow!("{}", reason::of_fault(&fault, config)))?;
        courier::carry(&node, Outside::new(&config.webhooks)?)?;
        let performed = founded(&node, config, world).and_then(|cast| {
            let ms = clock::now().ms_since(began);
            say(format_args!("the world was founded in {ms} ms; the play runs at speed {speed}"));
            perform(&cast, world).map_err(fault)
        });
        running::close(&node);
        drop(node);
        let mut record = performed?;
        verify(config, &mut record)?;
        say(&record);
        let bundle = config.data.join(BUNDLE);
        std::fs::write(&bundle, &record.bundle).context("write the bundle of the inquiry")?;
        say(format_args!("real time {} ms", clock::now().ms_since(began)));
        Ok(if record.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Serves the world, with the play going on in it, until it is asked to end.
    fn show(&self, config: &Config, world: World) -> Result<ExitCode> {
        let opened = Opened::new(config, self.speed.unwrap_or(1))?;
        let node = Arc::clone(&opened.node);
        let cast = match founded(&node, config, &world) {
            Ok(cast) => cast,
            Err(fault) => {
                running::close(&node);
                return Err(fault);
            }
        };
        let links = Links::draw(&node, &world, cast.founded());
        introduce(&opened.url(config), &links);
        let playing = std::thread::Builder::new()
            .name("play".to_owned())
            .spawn(move || perform(&cast, &world))
            .context("start the play")?;
        let more = links.router(&node);
        let ended = opened.serve(config, more)?;
        if let (Ok(Err(fault)), Ended::Failed) = (playing.join(), ended) {
            complain(format_args!("the play ended early: {fault}"));
        }
        match ended {
            Ended::Asked => Ok(ExitCode::SUCCESS),
            Ended::Failed => bail!("the log failed"),
        }
    }
}

fn fault(fault: Fault) -> anyhow::Error {
    anyhow!("{}", crate::terminal::chain(&fault))
}

fn founded(node: &Arc<Node>, config: &Config, world: &World) -> Result<Cast> {
    let at = config.demonstration.map(|demonstration| demonstration.founded_at);
    let founded = Founded { ledger: config.ledger, at: at.unwrap_or_else(clock::now) };
    let cast = Cast::new(node, founded);
    match found(&cast, world) {
        Ok(()) => Ok(cast),
        Err(conflict) if conflict.code.slug == "idempotency-conflict" => Err(anyhow!(
            "`{}` holds the demonstration of another version; remove it and its keys",
            config.data.display()
        )),
        Err(other) => Err(fault(other)),
    }
}

/// Verifies the log of a performance as `muster verify --views` does.
fn verify(config: &Config, record: &mut Record) -> Result<()> {
    let keys = Keyring::open(&config.provider()?)?;
    let reader = LogReader::open(&config.place)?;
    let trust = verifier_keys(&config.name, &keys)?;
    let mut findings = Findings::default();
    let blobs = Blobs::at(&blobs_of(&config.data));
    let verifier = Verifier {
        name: &config.name,
        ledger: config.ledger,
        reader: &reader,
        trust: &trust,
        keys: Some(&keys),
        blobs: &blobs,
    };
    verifier.run(&mut findings)?;
    let scratch = Scratch::new("muster-demo-views").context("make a scratch directory")?;
    let views = config.views().map_err(fault)?;
    compare(&keys, &reader, (&views, scratch.path()), &mut findings).map_err(fault)?;
    for finding in findings.iter() {
        complain(finding);
    }
    record.expect("the log verifies, and its views can be built anew", findings.count() == 0);
    Ok(())
}

fn introduce(url: &str, links: &Links) {
    say("Muster, a demonstration: its agencies, people and events are invented.");
    say(format_args!("address  {url}"));
    if !pages::has_client() {
        say("This build has no web client: `cargo xtask demo` builds one. The API answers.");
    }
    say("Sign in as");
    for (title, link) in links.lines(url) {
        say(format_args!("  {title:<52} {link}"));
    }
}
