//! HRS's own gateway in the demo: a process before SQLite, beside the network that `fengni up` started.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fengni_core::BookNumber;
use serde_json::Value;

use super::stage::Demo;
use crate::binaries::binary;
use crate::clock::Clock;
use crate::command::run;
use crate::ports::free_block;
use crate::provider::configure;
use crate::sharing::papers;

const FOLDER: &str = "provider";
const PID: &str = "demo.pid";
/// How long it may take to be well, or to see a block.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// A running gateway.
pub(super) struct Gateway {
    home: PathBuf,
    ports: [u16; 2],
}

impl Gateway {
    /// Makes its folder and its data, starts it, and waits until it is well.
    ///
    /// # Errors
    /// Why it does not run.
    pub(super) fn start(demo: &Demo, book: BookNumber) -> Result<Self, String> {
        let text = demo.path(FOLDER);
        let home = PathBuf::from(&text);
        let made = run(&Clock::default(), "fengni-provider", &["init", "--home", &text], b"");
        if made.code != 0 {
            return Err(made.err);
        }
        let first = free_block();
        let ports = [first, first + 1];
        let (gateway, relay) = (demo.gateway("hrs"), demo.relay("hrs"));
        let (genesis, key) = (demo.path("genesis.bin"), demo.path("members/hrs/keys/application-a.json"));
        configure(&home, (&gateway, &relay), (genesis.as_ref(), key.as_ref()), book, ports, &papers::data());
        papers::write_data(&home)?;
        let log = File::create(home.join("log")).map_err(|error| error.to_string())?;
        let mut command = Command::new(binary("fengni-provider"));
        // In a group of its own, so that an interrupt here does not reach it before the demo ends it.
        command.args(["run", "--home", &text]).process_group(0);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.map_err(|error| format!("fengni-provider: {error}"))?;
        std::fs::write(home.join(PID), child.id().to_string()).map_err(|error| error.to_string())?;
        let gateway = Self { home, ports };
        if gateway.waits(|status| status["well"] == true) {
            Ok(gateway)
        } else {
            Err(std::fs::read_to_string(gateway.home.join("log")).unwrap_or_default())
        }
    }

    /// Where departments ask.
    pub(super) fn departments(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// Where holders ask.
    pub(super) fn public(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[1])
    }

    /// Waits until it knows the ledger up to a height.
    pub(super) fn sees(&self, height: u64) -> bool {
        self.waits(|status| status["running"]["height"].as_u64().is_some_and(|seen| seen >= height))
    }

    /// Waits until each of its receipts is on the ledger.
    pub(super) fn anchors(&self) -> bool {
        self.waits(|status| status["waiting"] == 0)
    }

    fn waits(&self, holds: impl Fn(&Value) -> bool) -> bool {
        let begun = Instant::now();
        let home = self.home.display().to_string();
        while begun.elapsed() < PATIENCE {
            let answer = run(&Clock::default(), "fengni-provider", &["status", "--json", "--home", &home], b"");
            if serde_json::from_str(&answer.out).is_ok_and(|status| holds(&status)) {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        false
    }
}

/// The file with the number of the gateway's process, for whoever ends it by hand.
pub(super) fn pid_file(network: &Path) -> PathBuf {
    network.join(FOLDER).join(PID)
}

/// Ends the gateway in a network's folder, if one runs, and waits until it is gone.
///
/// Its number may since have gone to a stranger: the process must have the folder on its command line.
pub(super) fn stop(network: &Path) {
    let home = network.join(FOLDER);
    let Ok(number) = std::fs::read_to_string(pid_file(network)) else { return };
    // A process that has ended has no command line, whether or not anybody waited for it.
    let line = || std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
    if line().split(|byte| *byte == 0).any(|word| word == home.as_os_str().as_encoded_bytes()) {
        let _ = Command::new("kill").arg(&number).status();
        let begun = Instant::now();
        while !line().is_empty() && begun.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
    }
}
