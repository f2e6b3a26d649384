//! `muster serve`: runs a node until it is asked to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use app::kernel::{Node, ceremony};
use axum::Router;
use clap::Args;

use super::Where;
use crate::certificate::Held;
use crate::config::{Config, Environment};
use crate::courier::{self, Outside};
use crate::headers::Transport;
use crate::layout::{self, New};
use crate::listen::{Listener, loopback};
use crate::running::{self, Ended, Signals};
use crate::terminal::say;
use crate::witness::{Asked, follow, not_set_back};
use crate::{certificate, clock, reason, site};

/// How often the certificate is looked at; a file changed by hand is in use as soon.
const CERTIFICATE: Duration = Duration::from_secs(5);

/// Runs a node. A data directory that is empty or absent becomes one at the first start.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    node: Where,
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub fn run(self) -> Result<ExitCode> {
        let environment = Environment::read()?;
        let given = self.node.given(self.listen);
        let fresh = given.directory(&environment).filter(|data| !layout::exists(data));
        if let (None, Some(data)) = (&given.config, fresh) {
            let new = New {
                names: vec!["localhost".to_owned()],
                data,
                keys: given.keys.clone().or_else(|| environment.keys.clone()),
                postgres: given.postgres.clone().or_else(|| environment.postgres.clone()),
                demonstration: None,
            };
            super::init::report(&layout::create(&new, clock::now())?);
        }
        let config = given.load(&environment)?;
        running::trace(&config.trace);
        let opened = Opened::new(&config, 1)?;
        found(&opened.node, &opened.url(&config))?;
        let ended = opened.serve(&config, Router::new())?;
        match ended {
            Ended::Asked => Ok(ExitCode::SUCCESS),
            Ended::Failed => {
                bail!("the log failed; start the node again to find out how far it is")
            }
        }
    }
}

/// Prints the one-time code of a node that has nobody yet; it goes to the console and nowhere else.
fn found(node: &Node, url: &str) -> Result<()> {
    let code = ceremony::founding_code(node).map_err(|fault| anyhow!("{fault}"))?;
    let Some(code) = code else { return Ok(()) };
    let minutes = ceremony::FOUNDING_S / 60;
    say("This node has nobody yet. Its first two administrators enrol a passkey each at");
    say(format_args!("address        {url}/"));
    say(format_args!("one-time code  {code}"));
    say(format_args!("The code is good for {minutes} minutes; starting again prints another."));
    Ok(())
}

/// A node that is open, with its listener.
pub struct Opened {
    pub node: Arc<Node>,
    pub runtime: tokio::runtime::Runtime,
    pub listener: Listener,
    /// The certificate that it shows; nothing where it speaks plain HTTP on loopback.
    held: Option<Arc<Held>>,
}

impl Opened {
    /// Takes the address first, which costs nothing to give back, then the log.
    pub fn new(config: &Config, speed: u32) -> Result<Self> {
        let held = if config.tls.is_some() || !loopback(config.listen) {
            Some(Arc::new(Held::open(config, clock::now())?))
        } else {
            None
        };
        let tls = held.as_ref().map(certificate::server).transpose()?;
        let runtime = running::runtime().context("start the runtime")?;
        let listener = runtime.block_on(Listener::open(config.listen, tls))?;
        let mut witnesses: Vec<Asked> =
            config.witnesses.iter().map(Asked::new).collect::<Result<_>>()?;
        let outside = Outside::new(&config.webhooks)?;
        not_set_back(&mut witnesses, config)?;
        let node = running::open(config, config.provider()?, speed)
            .map_err(|fault| anyhow!("{}", reason::of_fault(&fault, config)))?;
        follow(&node, witnesses, &config.data)?;
        courier::carry(&node, outside)?;
        Ok(Self { node, runtime, listener, held })
    }

    /// The address that a browser takes.
    pub fn url(&self, config: &Config) -> String {
        let port = self.listener.address().port();
        match self.listener.transport() {
            Transport::Tls => format!("https://{}:{port}", config.name),
            Transport::Loopback => format!("http://localhost:{port}"),
        }
    }

    /// Serves until the end, and ends the node whole.
    pub fn serve(self, config: &Config, more: Router) -> Result<Ended> {
        let Self { node, runtime, listener, held } = self;
        let authority = certificate::authority(config);
        let transport = listener.transport();
        let router = site::router(&node, authority, held.clone(), transport, more);
        if let Some(held) = held {
            runtime.spawn(look_after(held));
        }
        // Whoever reads that it listens may ask it to stop at once.
        let mut signals = {
            let _within = runtime.enter();
            Signals::new().context("wait for signals")?
        };
        tracing::info!(address = %listener.address(), "listening");
        say(format_args!("listening on {}", listener.address()));
        let ended = runtime.block_on(async {
            let (told, end) = tokio::sync::oneshot::channel();
            let stop = async {
                let ended = signals.until_end(&node).await;
                // The receiver lives in this function.
                let _kept = told.send(ended);
            };
            listener.serve(router, stop).await;
            end.await
        });
        tracing::info!("stopping");
        running::close(&node);
        runtime.shutdown_background();
        tracing::info!("stopped");
        ended.context("wait for the end")
    }
}

/// Looks after the certificate for as long as the node serves.
async fn look_after(held: Arc<Held>) {
    loop {
        tokio::time::sleep(CERTIFICATE).await;
        let held = Arc::clone(&held);
        // It reads and writes files.
        if let Err(panicked) = tokio::task::spawn_blocking(move || held.look(clock::now())).await {
            tracing::error!(error = %panicked, "the certificate is not looked after any more");
            return;
        }
    }
}
