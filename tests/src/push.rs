//! The push service as a process: configured in a folder of its own, started, killed, asked.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::binaries::binary;
use crate::clock::Clock;
use crate::command::{Answer, run};
use crate::folder::write_private;
use crate::network::Network;
use crate::wait::{Deadline, until};

/// The push service of a network, ended when dropped.
pub struct Push {
    home: PathBuf,
    clock: Clock,
    running: Option<Child>,
}

impl Push {
    /// Configures a service that asks these nodes' gateways, and starts nothing.
    ///
    /// - `more`: further lines of its configuration.
    ///
    /// # Panics
    /// When the folder is not writable.
    pub fn made(network: &Network, nodes: &[&str], more: &str) -> Self {
        let home = network.scratch().join("push");
        DirBuilder::new().mode(0o700).create(&home).expect("the folder is writable");
        let gateways: Vec<&str> = nodes.iter().map(|node| network.node(node).gateway.as_str()).collect();
        let genesis = network.home().join("genesis.bin");
        let config = format!("gateways = {gateways:?}\ngenesis = {genesis:?}\n{more}");
        let push = Self { home, clock: network.clock().clone(), running: None };
        push.write("push.toml", &config);
        push
    }

    /// Its folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Writes a private file into its folder.
    ///
    /// # Panics
    /// When the folder is not writable.
    pub fn write(&self, name: &str, text: &str) {
        write_private(&self.home.join(name), text);
    }

    /// Starts it, and waits until it has read the ledger.
    ///
    /// # Panics
    /// When it does not.
    pub fn run(&mut self) {
        let log = File::options().create(true).append(true).open(self.log_path()).expect("the folder is writable");
        let mut command = Command::new(binary("fengni-push"));
        command.args(["run", "--home"]).arg(&self.home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.running = Some(self.clock.start(&mut command));
        until("the push service follows the ledger", Deadline::default(), || {
            let ended = self.running.as_mut().and_then(|child| child.try_wait().expect("our own child"));
            assert!(ended.is_none(), "it ended: {}", self.log());
            let status = self.ask(&["status"]).json();
            status["running"]["height"].as_u64().filter(|height| *height > 0)
        });
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&mut self) {
        let mut child = self.running.take().expect("the service is running");
        child.kill().expect("our own child can be killed");
        child.wait().expect("our own child can be waited for");
    }

    /// Asks with `--json`.
    pub fn ask(&self, arguments: &[&str]) -> Answer {
        self.say(arguments, b"")
    }

    /// Takes up a subscription and approves it if it is wanted, which gives its position.
    ///
    /// # Panics
    /// When it is refused.
    pub fn add(&self, name: &str, by: &str, to: &str, filter: &[&str]) {
        let filter = filter.iter().flat_map(|field| ["--filter", field]);
        let command: Vec<&str> = ["add", name, "--by", by, "--to", "-"].into_iter().chain(filter).collect();
        let _ = self.say(&command, to.as_bytes()).expect(0);
    }

    /// Approves a subscription, and returns the position from which on it gets events.
    ///
    /// # Panics
    /// When it is refused.
    pub fn approve(&self, name: &str) -> String {
        let view = self.ask(&["approve", name]).expect(0).json();
        view["position"].as_str().expect("an approved subscription has one").to_owned()
    }

    /// What it says of a subscription.
    ///
    /// # Panics
    /// When there is none.
    pub fn view(&self, name: &str) -> Value {
        let list = self.ask(&["list"]).expect(0).json();
        let all = list["subscriptions"].as_array().expect("a list");
        all.iter().find(|it| it["name"] == name).expect("it was added").clone()
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.home.join("push.log")
    }

    fn say(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let home = self.home.display().to_string();
        run(&self.clock, "fengni-push", &[&["--json", "--home", &home], arguments].concat(), input)
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
