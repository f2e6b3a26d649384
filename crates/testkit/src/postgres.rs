//! A PostgreSQL that tests start, kill and throw away: a real server of its own, never a shared
//! one.
//!
//! The server is a direct child, so that it can be waited for: an orphan that nobody reaps keeps
//! its process id, and the next start would refuse. It listens on a free loopback port and on a
//! socket in its own temporary directory, and trusts whoever reaches it.
//!
//! A process that ends in any way leaves no server behind. Drop stops it; where drop does not
//! run (statics, aborts, kill −9) a watcher does it: a shell that reads from a pipe which the
//! system closes when this process is gone.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// The database user of every test; it owns everything.
const USER: &str = "muster";
/// How long one look at the server is apart from the next.
const LOOK: Duration = Duration::from_millis(20);
/// LIMIT: looks until a server counts as dead: 60 s, for machines with much else to do.
const LOOKS: u32 = 3000;
/// LIMIT: tries to start, as another program may take the port, or the last server's children may
/// not be gone yet.
const STARTS: u32 = 20;
/// What has to be installed for these tests.
const PACKAGE: &str = "Debian package `postgresql`";

/// A directory that is removed with everything in it.
pub struct TemporaryDirectory {
    path: PathBuf,
}

impl TemporaryDirectory {
    /// Makes an empty directory.
    ///
    /// # Errors
    /// The cause, when the system's temporary directory cannot be written.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            // Worlds have directories of their own, and empty them first.
            let name = format!("muster-pg-{}-{next}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                // An earlier process of the same id left it.
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                Err(other) => return Err(other).context("temporary directory cannot be made"),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // Nobody can be told here, and what is left lies in the system's temporary directory.
        let _left = fs::remove_dir_all(&self.path);
    }
}

/// The user and group that the server runs as; `None` for our own.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// The programs of one installed version.
struct Programs {
    /// Empty when they are on the search path.
    directory: PathBuf,
    account: Option<Account>,
}

impl Programs {
    fn find(directory: &Path) -> Result<Self> {
        let account = account(directory)?;
        let installed = newest_version().map(|version| version.join("bin"));
        let programs = Self { directory: installed.unwrap_or_default(), account };
        for name in ["initdb", "postgres", "createdb"] {
            programs.run(directory, name, &["--version"])?;
        }
        Ok(programs)
    }

    /// A program of the server, run by its user in its directory.
    fn command(&self, directory: &Path, name: &str) -> Command {
        let mut command = self.plain(directory, &self.directory.join(name));
        command.stdin(Stdio::null());
        command
    }

    fn plain(&self, directory: &Path, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env("LC_ALL", "C").env("TZ", "UTC");
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, directory: &Path, name: &str, arguments: &[&str]) -> Result<()> {
        match self.command(directory, name).args(arguments).output() {
            Ok(Output { status, stderr, .. }) => {
                let said = String::from_utf8_lossy(&stderr);
                ensure!(status.success(), "`{name}` failed with {status}: {said}");
                Ok(())
            }
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => {
                bail!("`{name}` is not installed: these tests need the {PACKAGE}")
            }
            Err(other) => Err(other).with_context(|| format!("`{name}` cannot be run")),
        }
    }
}

/// The newest version as Debian installs them, side by side.
fn newest_version() -> Option<PathBuf> {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions =
        fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    versions.filter(|path| path.join("bin/postgres").is_file()).max_by_key(version)
}

/// The account to run as: PostgreSQL refuses to be run by root.
fn account(directory: &Path) -> Result<Option<Account>> {
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(directory)?);
    if owner != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("list of users cannot be read")?;
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            found.then_some(Account { user, group })
        })
    };
    let account = find("postgres").or_else(|| find("nobody"));
    account.map(Some).ok_or_else(|| anyhow!("no user but root is there to run PostgreSQL"))
}

/// The server while it runs, or what is left of it.
#[derive(Default)]
struct Running {
    server: Option<Child>,
    port: u16,
}

/// A PostgreSQL server with a database cluster of its own.
pub struct TemporaryPostgres {
    running: Mutex<Running>,
    programs: Programs,
    /// How many databases were made.
    next: AtomicU32,
    watcher: Child,
    directory: TemporaryDirectory,
}

impl TemporaryPostgres {
    /// The server that all tests of a process share; each makes a database of its own on it.
    ///
    /// # Errors
    /// As [`TemporaryPostgres::start`]; the same for every caller.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<TemporaryPostgres>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref().map_err(|fault| anyhow!("{fault:#}"))
    }

    /// Makes a cluster and starts a server on it.
    ///
    /// # Errors
    /// Names the Debian package when the server is not installed; else what the server said.
    pub fn start() -> Result<Self> {
        let directory = TemporaryDirectory::new()?;
        let path = directory.path();
        let programs = Programs::find(path)?;
        if let Some(Account { user, group }) = programs.account {
            chown(path, Some(user), Some(group)).context("directory cannot be given away")?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        let watcher = watch(&programs, path)?;
        let user = format!("--username={USER}");
        let arguments =
            ["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", &user];
        programs.run(path, "initdb", &arguments)?;
        let running = Mutex::new(Running::default());
        let postgres = Self { running, programs, next: AtomicU32::new(0), watcher, directory };
        postgres.restart()?;
        Ok(postgres)
    }

    /// The connection string of the cluster's first database.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgresql://{USER}@127.0.0.1:{}/{database}", self.lock().port)
    }

    /// Makes an empty database and returns its connection string.
    ///
    /// # Errors
    /// What the server said, for instance that there is one of that name.
    pub fn create_database(&self, name: &str) -> Result<String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        ensure!(name.bytes().all(plain) && !name.is_empty(), "`{name}` is no name of a database");
        let port = self.lock().port.to_string();
        let arguments = ["--host=127.0.0.1", "--port", &port, "--username", USER, name];
        self.programs.run(self.directory.path(), "createdb", &arguments)?;
        Ok(self.url_of(name))
    }

    /// Makes an empty database of a new name.
    ///
    /// # Errors
    /// As [`TemporaryPostgres::create_database`].
    pub fn new_database(&self) -> Result<String> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.create_database(&format!("test_{next}"))
    }

    /// Kills the server and all its children with signal 9, as a power cut would.
    ///
    /// # Errors
    /// The cause, when it does not run.
    pub fn kill_9(&self) -> Result<()> {
        let mut running = self.lock();
        let Some(mut server) = running.server.take() else { bail!("server does not run") };
        // A parent that is stopped makes no new children, tidies nothing up, and reaps none: no
        // other process can have got the id of one that ended.
        signal("STOP", server.id())?;
        for child in children_of(server.id()) {
            // One that ended already is what was wanted.
            let _ended = signal("KILL", child);
        }
        server.kill().context("server cannot be killed")?;
        server.wait().context("server cannot be waited for")?;
        Ok(())
    }

    /// Starts the server, on the port that it had; stops it before, when it runs.
    ///
    /// # Errors
    /// What the server wrote to its log.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        let mut running = self.lock();
        for _ in 0..STARTS {
            let fresh = running.port == 0;
            if fresh {
                running.port = free_port()?;
            }
            if let Some(server) = self.try_start(running.port)? {
                running.server = Some(server);
                return Ok(());
            }
            if fresh {
                // Somebody else may have taken the port.
                running.port = 0;
            }
            thread::sleep(LOOK);
        }
        bail!("server does not start: {}", self.log())
    }

    /// Stops the server in order, without waiting for its clients.
    ///
    /// # Errors
    /// The cause, when it cannot be told to.
    pub fn stop(&self) -> Result<()> {
        let Some(mut server) = self.lock().server.take() else { return Ok(()) };
        signal("INT", server.id())?;
        for _ in 0..LOOKS {
            if server.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        server.kill()?;
        server.wait()?;
        bail!("server did not stop and was killed")
    }

    /// Starts the server and waits until it answers; `None` when it ended instead.
    fn try_start(&self, port: u16) -> Result<Option<Child>> {
        let path = self.directory.path();
        let log = File::options().create(true).append(true).open(path.join("log"))?;
        let mut command = self.programs.command(path, "postgres");
        command.args(["-D", "data", "-p", &port.to_string()]);
        let settings = [
            "listen_addresses=127.0.0.1",
            "fsync=on",
            "max_connections=200",
            "shared_buffers=32MB",
            // A host that died is noticed while a query runs, as a deployment has it.
            "client_connection_check_interval=1s",
        ];
        for setting in settings {
            command.args(["-c", setting]);
        }
        let socket = format!("unix_socket_directories={}", path.display());
        command.args(["-c", &socket]).stdout(log.try_clone()?).stderr(log);
        let mut server = command.spawn().context("server cannot be started")?;
        for _ in 0..LOOKS {
            if server.try_wait()?.is_some() {
                return Ok(None);
            }
            if ready(&path.join("data"), server.id()) {
                return Ok(Some(server));
            }
            thread::sleep(LOOK);
        }
        server.kill()?;
        server.wait()?;
        bail!("server did not become ready: {}", self.log())
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(10).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TemporaryPostgres {
    fn drop(&mut self) {
        let server = self.lock().server.take();
        if let Some(mut server) = server {
            // Everything is thrown away with it: it need not stop in order.
            let _ended = signal("QUIT", server.id()).and_then(|()| Ok(server.wait()?));
        }
        drop(self.watcher.stdin.take());
        let _ended: io::Result<ExitStatus> = self.watcher.wait();
    }
}

/// Starts the program that stops the server and removes its directory once this process is gone.
fn watch(programs: &Programs, directory: &Path) -> Result<Child> {
    // `read` ends when the pipe closes. The server removes the file with its id when it has ended.
    let script = "read -r _nothing
        pid=$(head -n 1 data/postmaster.pid 2>/dev/null) && kill -QUIT \"$pid\" 2>/dev/null
        while [ -n \"$pid\" ] && kill -0 \"$pid\" 2>/dev/null && [ -e data/postmaster.pid ]; do
            sleep 0.05
        done
        cd / && rm -rf \"$1\"";
    let mut command = programs.plain(directory, Path::new("/bin/sh"));
    command.args(["-c", script, "watcher"]).arg(directory).stdin(Stdio::piped());
    // A key pressed at the terminal ends the tests, not their watcher.
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().context("watcher cannot be started")
}

/// Whether the server says that it accepts connections: the last line of its own file.
fn ready(data: &Path, server: u32) -> bool {
    let Ok(status) = fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = status.lines();
    let pid = lines.next().and_then(|pid| pid.trim().parse().ok());
    pid == Some(server) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

fn children_of(server: u32) -> Vec<u32> {
    let path = format!("/proc/{server}/task/{server}/children");
    let listed = fs::read_to_string(path).unwrap_or_default();
    listed.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// Sends a signal by the shell's own `kill`: the standard library has none.
fn signal(name: &str, process: u32) -> Result<()> {
    let script = format!("kill -{name} {process}");
    let status = Command::new("/bin/sh").args(["-c", &script]).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "signal {name} cannot be sent");
    Ok(())
}
