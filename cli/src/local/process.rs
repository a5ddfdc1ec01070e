//! Node processes: started detached, found again by their pid file, stopped by signals.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::map::{NetworkMap, NodeEntry};

/// How often a process is looked at while somebody waits for it.
const POLL: Duration = Duration::from_millis(100);
/// Bytes of a log's end that a message shows.
const TAIL_BYTES: usize = 4_000;

/// Name of the node's program.
const PROGRAM: &str = "fengni-node";

/// The node's program: named, from the environment, or beside this one.
pub(super) fn program(named: Option<&Path>) -> Result<PathBuf> {
    let from_environment = || std::env::var_os("FENGNI_NODE").map(PathBuf::from);
    if let Some(path) = named.map(Path::to_owned).or_else(from_environment) {
        if !path.is_file() {
            bail!("there is no program {}; next: correct --node-binary or FENGNI_NODE", path.display());
        }
        return Ok(path);
    }
    let own = std::env::current_exe().context("this program's own path")?;
    // Test programs stand one folder deeper.
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(PROGRAM)).find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "there is no {PROGRAM} beside {}; next: cargo build -p fengni-node, or --node-binary FILE",
            own.display()
        )
    })
}

/// Starts a node in a process group of its own, so that Ctrl-C here does not reach it.
pub(super) fn start(program: &Path, map: &NetworkMap, node: &NodeEntry) -> Result<Child> {
    let log_path = map.path(&node.log);
    let log = OpenOptions::new().create(true).append(true).open(&log_path);
    let log: File = log.with_context(|| log_path.display().to_string())?;
    let child = Command::new(program)
        .args(["run", "--home"])
        .arg(map.path(&node.home))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    let pid_file = map.path(&node.pid_file);
    std::fs::write(&pid_file, format!("{}\n", child.id())).with_context(|| pid_file.display().to_string())?;
    Ok(child)
}

/// The process that runs a node, if one does.
///
/// A number in a file may since have gone to a stranger: where the system tells, the process must
/// have the node's folder on its command line.
pub(super) fn running(map: &NetworkMap, node: &NodeEntry) -> Option<Pid> {
    let text = std::fs::read_to_string(map.path(&node.pid_file)).ok()?;
    let number: i32 = text.trim().parse().ok()?;
    let pid = Pid::from_raw(number)?;
    let home = map.path(&node.home);
    is_alive(pid, &home).then_some(pid)
}

fn is_alive(pid: Pid, home: &Path) -> bool {
    let folder = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    match std::fs::read(folder.join("cmdline")) {
        // Empty for a process that ended and that nobody has collected.
        Ok(line) => line.split(|byte| *byte == 0).any(|word| word == home.as_os_str().as_encoded_bytes()),
        Err(_) if Path::new("/proc/self/cmdline").exists() => false,
        Err(_) => test_kill_process(pid).is_ok(),
    }
}

/// How a node was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stopped {
    /// It was not running.
    NotRunning,
    /// It ended.
    Ended(Duration),
    /// It still runs.
    StillRuns,
}

/// Asks a node to end: at once, or after it has closed what it has open.
pub(super) fn signal(map: &NetworkMap, node: &NodeEntry, at_once: bool) -> Result<bool> {
    let Some(pid) = running(map, node) else { return Ok(false) };
    match kill_process(pid, if at_once { Signal::KILL } else { Signal::TERM }) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("process {} of node {}", pid.as_raw_nonzero(), node.name)),
    }
}

/// Waits until a node that was asked to end has ended, and drops its pid file.
pub(super) fn wait_for_end(map: &NetworkMap, node: &NodeEntry, asked: bool, patience: Duration) -> Stopped {
    let start = Instant::now();
    while running(map, node).is_some() {
        if start.elapsed() > patience {
            return Stopped::StillRuns;
        }
        std::thread::sleep(POLL);
    }
    let _ = std::fs::remove_file(map.path(&node.pid_file));
    if asked { Stopped::Ended(start.elapsed()) } else { Stopped::NotRunning }
}

/// The last lines of a node's log.
pub(super) fn log_tail(map: &NetworkMap, node: &NodeEntry) -> String {
    let bytes = std::fs::read(map.path(&node.log)).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
