//! A sample network: nodes as child processes, started, killed and asked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fengni_client::keys::KeyFile;
use fengni_core::Millis;
use fengni_genesis::sample;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::binaries::binary;
use crate::clock::Clock;
use crate::command::{Answer, run};
use crate::ports;
use crate::wait::{Deadline, until};

/// A node of the network, as the map names it.
#[derive(Clone, Debug, Deserialize)]
pub struct Node {
    /// Its name, such as `psb`.
    pub name: String,
    /// `validator` or `observer`.
    pub role: String,
    /// Its folder.
    pub home: PathBuf,
    /// URL of the public gateway.
    pub gateway: String,
    /// URL of the relay; observers have none.
    pub relay: Option<String>,
    /// URL of the operator's listener.
    pub admin: String,
    /// Where it listens for consensus; observers only dial.
    pub consensus: Option<String>,
    /// Where it listens for transactions; observers only dial.
    pub transactions: Option<String>,
}

impl Node {
    /// The public half of its peer key.
    ///
    /// # Panics
    /// When it has no peer key.
    pub fn peer_key(&self) -> String {
        let file = KeyFile::load(&self.home.join("keys/peer.json")).expect("every node has a peer key");
        file.public().to_string()
    }
}

/// What a node says of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeStatus {
    /// Last final height.
    pub height: u64,
    /// Peers connected for consensus.
    pub peers: u64,
    /// Peers connected for transactions.
    pub transaction_peers: u64,
    /// Transactions that wait for a block.
    pub pool_transactions: u64,
    /// The oldest height whose block is kept.
    pub kept_from: u64,
    /// The newest version of the protocol that it speaks.
    pub speaks: u16,
}

/// A running sample network, gone when dropped.
pub struct Network {
    folder: TempDir,
    clock: Clock,
    nodes: Vec<Node>,
    /// First port of the network's block that no node of the sample takes.
    more_ports: u16,
    running: RefCell<BTreeMap<String, Child>>,
}

impl Network {
    /// Makes a network and starts every node.
    pub fn start() -> Self {
        let network = Self::made();
        network.start_all();
        network
    }

    /// Makes a network at nine in the morning of a day in China, such as `2026-03-02`, and starts every
    /// node. Its processes live by that clock, which runs on: [`Network::go_to`].
    ///
    /// # Panics
    /// When the day is none, or libfaketime is not there.
    pub fn on(day: &str) -> Self {
        let network = Self::made_on(day);
        network.start_all();
        network
    }

    /// As [`Network::on`], and starts nothing.
    pub(crate) fn made_on(day: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let clock = Clock::on(day, folder.path());
        Self::made_in(folder, clock, &[])
    }

    /// Goes to nine in the morning of a later day, with every process of the network, and waits until
    /// every node that runs has a final block of that day.
    ///
    /// # Panics
    /// When the network has no clock of its own, or a node does not get there.
    pub fn go_to(&self, day: &str) {
        let moment = self.clock.go_to(day);
        for node in self.nodes.iter().filter(|node| self.is_running(&node.name)) {
            let ledger = self.ledger(&[&node.name]);
            until(&format!("{} is at {day}", node.name), Deadline::default(), || {
                let (header, _) = ledger.gateway().ask(|node| node.latest_header()).ok()?.value;
                (header.time >= moment).then_some(())
            });
        }
    }

    /// What time it is in the network.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The clock of the network.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Runs `fengni` with these arguments and standard input, on the network's clock.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn fengni(&self, arguments: &[&str], input: &[u8]) -> Answer {
        run(&self.clock, "fengni", arguments, input)
    }

    /// Starts every node and waits until each is ready.
    pub fn start_all(&self) {
        for node in &self.nodes {
            self.run(&node.name);
        }
        for node in &self.nodes {
            self.wait_ready(&node.name);
        }
    }

    /// Makes a network and starts nothing.
    ///
    /// # Panics
    /// When `fengni sample` fails.
    pub fn made() -> Self {
        Self::made_with(&[])
    }

    /// Makes a network with these further arguments of `fengni sample`, and starts nothing.
    ///
    /// # Panics
    /// When `fengni sample` fails.
    pub fn made_with(arguments: &[&str]) -> Self {
        Self::made_in(tempfile::tempdir().expect("a folder for the test"), Clock::default(), arguments)
    }

    fn made_in(folder: TempDir, clock: Clock, arguments: &[&str]) -> Self {
        let home = folder.path().join("net");
        let path = home.display().to_string();
        let block = ports::free_block();
        let base = block.to_string();
        let sample = [&["sample", "--home", &path, "--base-port", &base], arguments].concat();
        let _ = run(&clock, "fengni", &sample, b"").expect(0);
        let map = std::fs::read_to_string(home.join("network.json")).expect("sample wrote the map");
        let map: Value = serde_json::from_str(&map).expect("the map is JSON");
        let mut nodes: Vec<Node> = serde_json::from_value(map["nodes"].clone()).expect("the map lists nodes");
        for node in &mut nodes {
            node.home = home.join(&node.home);
        }
        Self { folder, clock, nodes, more_ports: block + ports::SAMPLE, running: RefCell::default() }
    }

    /// Adds a node that the sample does not know.
    pub(crate) fn add(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Five ports for one more node: four nodes have room.
    pub fn more_ports(&mut self) -> [u16; 5] {
        let first = self.more_ports;
        self.more_ports += 5;
        std::array::from_fn(|place| first + u16::try_from(place).expect("below five"))
    }

    /// The network's folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    /// A folder for what a test writes besides.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// The network's map, for `--network`.
    pub fn map(&self) -> String {
        self.home().join("network.json").display().to_string()
    }

    /// What `fengni audit replay` says of every block from the founding on, as a node gives them. The
    /// levels that execute nothing come to the same root, by handovers and recoveries alone.
    ///
    /// # Panics
    /// When the state is not equal, or a level says otherwise.
    pub fn replayed(&self, node: &str) -> Value {
        let gateway = &self.node(node).gateway;
        let genesis = self.home().join("genesis.bin").display().to_string();
        let command = ["--json", "audit", "replay", "--gateway", gateway, "--genesis", &genesis];
        let full = self.fengni(&command, b"").expect(0).json();
        for level in ["headers", "trees"] {
            let more = ["--level", level, "--to", &full["height"].to_string()];
            let lower = self.fengni(&[&command[..], &more].concat(), b"").expect(0).json();
            for fact in ["state_root", "transactions", "recoveries"] {
                assert_eq!(lower[fact], full[fact], "{fact} at level {level}");
            }
        }
        full
    }

    /// Every node.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes that vote.
    pub fn validators(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.role == "validator")
    }

    /// A node by name.
    ///
    /// # Panics
    /// When there is none.
    pub fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("there is no node {name}"))
    }

    /// Starts a node's process.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, name: &str) {
        let home = &self.node(name).home;
        self.run_home(name, home);
    }

    /// Starts a node process in a folder of its own making, under a name of its own.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_home(&self, name: &str, home: &Path) {
        let log =
            File::options().create(true).append(true).open(home.join("node.log")).expect("the folder is writable");
        let mut command = Command::new(binary("fengni-node"));
        command.args(["run", "--home"]).arg(home).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file has more than one handle")).stderr(log);
        let child = self.clock.start(&mut command);
        self.running.borrow_mut().insert(name.to_owned(), child);
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&self, name: &str) {
        let mut child = self.running.borrow_mut().remove(name).expect("the node is running");
        child.kill().expect("our own child can be killed");
        child.wait().expect("our own child can be waited for");
    }

    /// Asks the process to end (SIGTERM) and returns its exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub fn terminate(&self, name: &str) -> Option<i32> {
        let mut child = self.running.borrow_mut().remove(name).expect("the node is running");
        let id = child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill is there");
        assert!(asked.success(), "the process takes signals");
        until("the node stops", Deadline::default(), || child.try_wait().expect("our own child")).code()
    }

    /// The process id.
    ///
    /// # Panics
    /// When it is not running.
    pub fn pid(&self, name: &str) -> u32 {
        self.running.borrow().get(name).expect("the node is running").id()
    }

    /// Waits until a vote of now by a node's member is in a certificate; starts the node again as its
    /// supervisor would.
    pub fn wait_votes(&self, name: &str) {
        self.wait_votes_within(name, Deadline::default());
    }

    /// As [`Network::wait_votes`], with a deadline.
    pub(crate) fn wait_votes_within(&self, name: &str, deadline: Deadline) {
        let member = sample::member(&name.to_ascii_uppercase()).expect("a sample member");
        let gateway = if name == "gov" { "psb" } else { "gov" };
        // What it said before it died may still be in the certificate of the next height.
        let said = self.height(gateway) + 1;
        until(&format!("{name} votes again"), deadline, || {
            if !self.is_running(name) {
                self.run(name);
            }
            let newest = self.ledger(&[gateway]).gateway().ask(|node| node.latest_header());
            let (_, certificate) = newest.ok()?.value;
            let signed = certificate.signatures.iter().any(|signature| signature.member == member);
            (signed && certificate.height.0 > said).then_some(())
        });
    }

    /// Waits until a process ends by itself, and returns its exit code.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_end(&self, name: &str) -> Option<i32> {
        let mut child = self.running.borrow_mut().remove(name).expect("the node is running");
        let ended = || child.try_wait().expect("our own child");
        until(&format!("{name} ends by itself"), Deadline::default(), ended).code()
    }

    /// Whether the process still runs.
    pub fn is_running(&self, name: &str) -> bool {
        let mut running = self.running.borrow_mut();
        running.get_mut(name).is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// Waits until a node says it is ready.
    ///
    /// # Panics
    /// When it does not, with the end of its log.
    pub fn wait_ready(&self, name: &str) {
        self.wait_ready_within(name, Deadline::default());
    }

    /// As [`Network::wait_ready`], with a deadline.
    pub(crate) fn wait_ready_within(&self, name: &str, deadline: Deadline) {
        let node = self.node(name);
        let url = format!("{}/readyz", node.admin);
        let ready = || get(&url).is_some_and(|(status, _)| status == 200).then_some(());
        let alive = || {
            assert!(self.is_running(name), "{name} ended: {}", self.log_end(name));
            ready()
        };
        until(&format!("{name} is ready"), deadline, alive);
    }

    /// What a node says of itself, if it answers.
    pub fn status(&self, name: &str) -> Option<NodeStatus> {
        let (_, body) = get(&format!("{}/v1/status", self.node(name).admin))?;
        serde_json::from_str(&body).ok()
    }

    /// A node's last final height; 0 where it does not answer.
    pub fn height(&self, name: &str) -> u64 {
        self.status(name).map_or(0, |status| status.height)
    }

    /// Waits until a node's last final height is at least this.
    pub fn wait_height(&self, name: &str, height: u64) {
        until(&format!("{name} reaches height {height}"), Deadline::default(), || {
            (self.height(name) >= height).then_some(())
        });
    }

    /// The state root a node serves for a height.
    ///
    /// # Panics
    /// When it does not serve the height.
    pub fn state_root(&self, name: &str, height: u64) -> String {
        let url = format!("{}/v1/headers/{height}", self.node(name).gateway);
        let (status, body) = get(&url).expect("the node answers");
        assert_eq!(status, 200, "{body}");
        let header: Value = serde_json::from_str(&body).expect("headers are JSON");
        header["header"]["state_root"].as_str().expect("a header has a state root").to_owned()
    }

    /// Waits until these nodes have the highest height among them, compares their states there and
    /// returns it.
    ///
    /// # Panics
    /// When one does not get there or has another state.
    pub fn wait_agreed(&self, names: &[&str]) -> u64 {
        let height = names.iter().map(|name| self.height(name)).max().unwrap_or_default();
        let mut first = None;
        for name in names {
            self.wait_height(name, height);
            let root = self.state_root(name, height);
            assert_eq!(*first.get_or_insert_with(|| root.clone()), root, "{name} at height {height}");
        }
        height
    }

    /// Waits until every node that runs has the highest height among them. A command asks its member's own
    /// node or the observer, and that of another member may have been answered by a node that is ahead.
    pub fn wait_together(&self) {
        let running = self.nodes.iter().map(|node| node.name.as_str()).filter(|name| self.is_running(name));
        let _ = self.wait_agreed(&running.collect::<Vec<_>>());
    }

    /// Status and body of `/readyz`, if the node answers.
    pub fn readiness(&self, name: &str) -> Option<(u16, Value)> {
        let (status, body) = get(&format!("{}/readyz", self.node(name).admin))?;
        Some((status, serde_json::from_str(&body).expect("readiness is JSON")))
    }

    /// A counter of a node, such as `fengni_network_refused_total`, for labels that contain a
    /// text, summed up; 0 where the node does not answer.
    ///
    /// # Panics
    /// When the node answers and knows no such counter.
    pub fn count(&self, name: &str, counter: &str, label: &str) -> u64 {
        let Some((_, text)) = get(&format!("{}/metrics", self.node(name).admin)) else { return 0 };
        let named = |line: &&str| line.split(['{', ' ']).next() == Some(counter);
        assert!(text.lines().any(|line| named(&line)), "{name} counts no {counter}");
        let ours = text.lines().filter(named);
        let values = ours.filter(|line| line.contains(label)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<u64>().expect("a counter is a whole number")).sum()
    }

    /// Everything a node logged.
    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.node(name).home.join("node.log")).unwrap_or_default()
    }

    /// The end of a node's log.
    pub fn log_end(&self, name: &str) -> String {
        let log = self.log(name);
        let lines: Vec<&str> = log.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in self.running.borrow_mut().values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Status and body of a GET, if there is an answer.
pub(crate) fn get(url: &str) -> Option<(u16, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .into();
    let mut response = agent.get(url).call().ok()?;
    let status = response.status().as_u16();
    Some((status, response.body_mut().read_to_string().ok()?))
}
