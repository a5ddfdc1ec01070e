//! A provider's gateway as a process: configured in a folder of its own, started, killed, asked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fengni_client::sharing::provider::Provider;
use fengni_client::transport::HttpOptions;
use fengni_core::BookNumber;
use serde_json::Value;

use crate::binaries::binary;
use crate::clock::Clock;
use crate::command::{Answer, run};
use crate::folder::write_private;
use crate::network::Network;
use crate::wait::{Deadline, until};

/// A department's gateway, ended when dropped.
pub struct ProviderGateway {
    home: PathBuf,
    clock: Clock,
    ports: [u16; 2],
    running: Option<Child>,
}

impl ProviderGateway {
    /// Makes its folder, and starts nothing.
    ///
    /// - `node`: whose gateway and relay it asks.
    /// - `data`: the tables `[database]` and `[resources.NUMBER]` of its configuration.
    ///
    /// # Panics
    /// When the folder is not writable.
    pub fn made(network: &mut Network, member: &str, node: &str, book: BookNumber, data: &str) -> Self {
        let home = network.scratch().join(format!("provider-{member}"));
        let clock = network.clock().clone();
        let _ = run(&clock, "fengni-provider", &["init", "--home", &home.display().to_string()], b"").expect(0);
        let [departments, public, ..] = network.more_ports();
        let asked = network.node(node);
        let (gateway, relay) = (&asked.gateway, asked.relay.as_deref().expect("a validator"));
        let genesis = network.home().join("genesis.bin");
        let key = network.home().join("members").join(member).join("keys/application-a.json");
        let ports = [departments, public];
        configure(&home, (gateway, relay), (&genesis, &key), book, ports, data);
        Self { home, clock, ports, running: None }
    }

    /// Its folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Writes its configuration anew.
    ///
    /// # Panics
    /// When the folder is not writable.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let path = self.home.join("provider.toml");
        let config = std::fs::read_to_string(&path).expect("it was made");
        write_private(&path, &change(config));
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn run(&mut self) {
        self.start();
        self.wait_well();
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.home.join("log")).expect("a writable folder");
        let mut command = Command::new(binary("fengni-provider"));
        command.args(["run", "--home"]).arg(&self.home);
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file has more than one handle")).stderr(log);
        self.running = Some(self.clock.start(&mut command));
    }

    /// Waits until it knows the ledger as it is now, and its database answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_well(&mut self) {
        until("the gateway is well", Deadline::default(), || {
            let ended = self.running.as_mut().and_then(|child| child.try_wait().expect("our own child"));
            assert!(ended.is_none(), "it ended: {}", self.log());
            (self.status()["well"] == true).then_some(())
        });
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&mut self) {
        let mut child = self.running.take().expect("it runs");
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }

    /// The process id.
    ///
    /// # Panics
    /// When it is not running.
    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").id()
    }

    /// What its status command says.
    pub fn status(&self) -> Value {
        self.ask(&["status"]).json()
    }

    /// Runs a command of it, with JSON as its answer.
    pub fn ask(&self, arguments: &[&str]) -> Answer {
        let home = self.home.display().to_string();
        run(&self.clock, "fengni-provider", &[arguments, &["--json", "--home", &home]].concat(), b"")
    }

    /// What departments ask.
    pub fn departments(&self) -> Provider {
        self.listener(0)
    }

    /// What holders ask.
    pub fn public(&self) -> Provider {
        self.listener(1)
    }

    fn listener(&self, which: usize) -> Provider {
        let url = format!("http://127.0.0.1:{}", self.ports[which]);
        Provider::http(&url, &HttpOptions::default()).expect("a URL")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

/// Writes a gateway's configuration into its folder.
///
/// - `ledger`: a node's gateway and relay.
/// - `files`: the founding document, and the member's application key.
/// - `ports`: for departments, for holders.
/// - `data`: the tables of its database.
pub(crate) fn configure(
    home: &Path,
    (gateway, relay): (&str, &str),
    (genesis, key): (&Path, &Path),
    book: BookNumber,
    [departments, public]: [u16; 2],
    data: &str,
) {
    let config = format!(
        "gateways = [{gateway:?}]\nrelays = [{relay:?}]\ngenesis = {genesis:?}\nkey = {key:?}\nbook = {book}\n{data}\n\
         [departments]\nlisten = \"127.0.0.1:{departments}\"\n[public]\nlisten = \"127.0.0.1:{public}\"\n"
    );
    write_private(&home.join("provider.toml"), &config);
}

impl Drop for ProviderGateway {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
