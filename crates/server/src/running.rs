//! A running node: how it is opened, when it ends, and that it ends whole.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use app::kernel::clock::PlayClock;
use app::kernel::loss::{self, CutBack};
use app::kernel::{Fault, Node};
use base::Text;
use store::Provider;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::{self, SystemClock};
use crate::config::{Config, Format, Trace, blobs_of, local_of};

/// Why a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Somebody asked for it.
    Asked,
    /// The log failed: nothing is decided any more.
    Failed,
}

/// How often is looked whether the node still decides.
const LOOK: Duration = Duration::from_millis(200);

/// Opens the node of a configuration; its play runs `speed` times as fast as the clock.
///
/// # Errors
/// The kernel's own fault; [`crate::reason`] says what to do about it.
pub fn open(config: &Config, provider: Provider, speed: u32) -> Result<Arc<Node>, Fault> {
    Node::open(node_of(config, provider, speed), Arc::new(SystemClock))
}

/// Opens the node of a configuration whose log is smaller than what its keys have signed, and
/// writes what was lost.
///
/// # Errors
/// As [`loss::accept`].
pub fn open_after_loss(
    config: &Config,
    provider: Provider,
    reason: Text<500>,
) -> Result<(Arc<Node>, CutBack), Fault> {
    loss::accept(node_of(config, provider, 1), Arc::new(SystemClock), reason)
}

fn node_of(config: &Config, provider: Provider, speed: u32) -> app::kernel::Config {
    app::kernel::Config {
        name: config.node_name(),
        ledger: config.ledger,
        place: config.place.clone(),
        directory: local_of(&config.data),
        blobs: blobs_of(&config.data),
        provider,
        play: PlayClock { started_at: clock::now(), speed },
        capabilities: app::capabilities::ALL,
    }
}

/// The signals that ask a node to end. Once it exists, none of them kills the process.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen for them; within the runtime.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until somebody asks for the end.
    pub async fn asked(&mut self) {
        tokio::select! {
            _signal = self.terminate.recv() => {}
            _signal = self.interrupt.recv() => {}
            _signal = self.hangup.recv() => {}
        }
    }

    /// Waits until the node is asked to end, or fails.
    pub async fn until_end(&mut self, node: &Node) -> Ended {
        let failed = async {
            while !node.stopped() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = self.asked() => Ended::Asked,
            () = failed => Ended::Failed,
        }
    }
}

/// Ends a node: what waits is done, the last head is signed twice, the log is free.
pub fn close(node: &Arc<Node>) {
    node.stop();
    node.join();
}

/// Starts writing events to standard error.
pub fn trace(trace: &Trace) {
    let filter = tracing_subscriber::EnvFilter::try_new(&trace.filter)
        .unwrap_or_else(|_form| tracing_subscriber::EnvFilter::new("info"));
    let writer = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A journal keeps colours as rubbish.
    let writer = writer.with_ansi(io::stderr().is_terminal());
    // Somebody else may have set one before; then events go there.
    let _set = match trace.format {
        Format::Text => writer.with_target(false).try_init(),
        Format::Json => writer.json().try_init(),
    };
}

/// The runtime of the rim.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("rim").build()
}
