//! Governing: members that decide together, newcomers with their nodes, and commands with a decision.

use std::path::{Path, PathBuf};
use std::thread;

use fengni_client::governance;
use fengni_core::light::LightClient;
use fengni_core::outcome::Effect;
use fengni_core::record::{Application, ApplicationStatus, Measure, Proposal, ProposalStatus};
use fengni_core::{Height, MemberNumber, ProposalNumber, ValidatorSet};
use fengni_genesis::sample;

use crate::network::{Network, Node};
use crate::wait::{Deadline, until};

/// A department that applies.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer {
    /// Short name of a sample body, such as `YHR`.
    pub key: &'static str,
    /// Short name of the member above it.
    pub superior: Option<&'static str>,
}

impl Newcomer {
    /// The department of journey J1.
    pub const YHR: Self = Self { key: "YHR", superior: Some("YGOV") };

    /// The name of its folder and of its node.
    pub fn name(&self) -> String {
        self.key.to_lowercase()
    }

    /// Its credit code.
    ///
    /// # Panics
    /// When the sample has no such body.
    pub fn code(&self) -> &'static str {
        self.body().code
    }

    fn body(&self) -> &'static sample::Body {
        sample::bodies().iter().find(|body| body.key == self.key).expect("a sample body")
    }
}

impl Network {
    /// Writes the application of a department that is to validate, with fresh keys in its folder.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn apply(&self, newcomer: &Newcomer, keys: &Path) -> PathBuf {
        let out = keys.with_extension("application.json");
        let (shown, folder) = (out.display().to_string(), keys.display().to_string());
        let body = newcomer.body();
        let mut command = vec!["member", "apply", "--code", body.code, "--name", body.name, "--division"];
        command.extend([body.division, "--roles", "validator,requester,verifier", "--plain", "--keys", &folder]);
        command.extend(["--contact", "desk 7", "--out", &shown]);
        command.extend(newcomer.superior.iter().flat_map(|above| ["--superior", above]));
        let _ = self.view(&command).expect(0);
        out
    }

    /// Has an application filed and confirmed by GOV, and returns its number.
    ///
    /// # Panics
    /// When it is refused.
    pub fn file_and_confirm(&self, application: &Path) -> u32 {
        let path = application.display().to_string();
        let filed = self.member_command("gov", &["member", "file", &path]).expect(0).json();
        let number = filed["effect"]["application"]["application"].as_u64().expect("an application's number");
        let note = application.with_extension("contact.json").display().to_string();
        let review = ["member", "review", &number.to_string(), "--confirm", "--note", &note];
        let _ = self.decree("gov", &review, "101").expect(0);
        u32::try_from(number).expect("few applications")
    }

    /// The number of a member that an application became.
    ///
    /// # Panics
    /// When it was not admitted.
    pub fn admitted(&self, application: u32) -> MemberNumber {
        let record: Application = self.ledger(&["gov"]).record(application).expect("the node answers");
        match record.status {
            ApplicationStatus::Admitted { member, .. } => member,
            other => panic!("application {application} is {other:?}"),
        }
    }

    /// Writes the folder of a newcomer's node, which dials every validator there is, and takes the
    /// node's keys there. The process is started by [`Network::run`].
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn add_node(&mut self, newcomer: &Newcomer, keys: &Path) {
        let (name, home) = (newcomer.name(), self.home().join("nodes").join(newcomer.name()));
        let folder = home.join("keys");
        std::fs::create_dir_all(&folder).expect("the folder is writable");
        for key in ["consensus.json", "peer.json"] {
            std::fs::copy(keys.join(key), folder.join(key)).expect("the application made the key");
        }
        if self.nodes().iter().any(|node| node.name == name) {
            return;
        }
        let ports: [String; 5] = self.more_ports().map(|port| format!("127.0.0.1:{port}"));
        let text = node_toml(newcomer.code(), &ports, self.validators());
        std::fs::write(home.join("node.toml"), text).expect("the folder is writable");
        self.add(node_at(name, "validator", home, &ports));
    }

    /// Writes the folder of a second node with the keys of one that there is, which dials these peers
    /// alone, under a name of its own: what must never be. The process is started by [`Network::run`].
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn add_twin(&mut self, of: &str, name: &str, dials: &[&str]) {
        let home = self.home().join("nodes").join(name);
        let keys = home.join("keys");
        std::fs::create_dir_all(&keys).expect("the folder is writable");
        for key in ["consensus.json", "peer.json"] {
            std::fs::copy(self.node(of).home.join("keys").join(key), keys.join(key)).expect("sample made the key");
        }
        let code = sample::bodies().iter().find(|body| body.key.eq_ignore_ascii_case(of)).expect("a sample body").code;
        let ports: [String; 5] = self.more_ports().map(|port| format!("127.0.0.1:{port}"));
        let text = node_toml(code, &ports, dials.iter().map(|name| self.node(name)));
        std::fs::write(home.join("node.toml"), text).expect("the folder is writable");
        self.add(node_at(name.to_owned(), "twin", home, &ports));
    }

    /// Notes in a newcomer's key files where the ledger lists them.
    ///
    /// # Panics
    /// When it does not.
    pub fn place_keys(&self, keys: &Path) {
        for name in ["admin-a.json", "admin-b.json"] {
            let file = keys.join(name).display().to_string();
            let _ = self.view(&["key", "place", &file]).expect(0);
        }
    }

    /// Has GOV propose a measure for so many heights ahead.
    ///
    /// # Panics
    /// When it is refused.
    pub fn propose(&self, measure: Measure, ahead: u64) -> (ProposalNumber, Height) {
        let mut actor = self.actor("gov", "admin", 1, "gov");
        let ground = actor.ground(101);
        let effective = Height(self.height("gov") + ahead);
        match actor.done(governance::propose(measure, effective, ground)) {
            Effect::Proposal { proposal, status: ProposalStatus::Open } => (proposal, effective),
            other => panic!("another effect: {other:?}"),
        }
    }

    /// Has members approve a proposal, at the same time.
    ///
    /// # Panics
    /// When a vote is refused.
    pub fn approve(&self, number: ProposalNumber, voters: &[&str]) -> ProposalStatus {
        let ballots: Vec<_> = voters
            .iter()
            .map(|voter| {
                let mut actor = self.actor(voter, "admin", 1, "gov");
                thread::spawn(move || {
                    let read: Proposal = actor.ledger.record(number.0).expect("the node answers");
                    actor.done(governance::vote(&actor.ledger.domain(), number, &read, true))
                })
            })
            .collect();
        for ballot in ballots {
            ballot.join().expect("the vote counts");
        }
        let read: Proposal = self.ledger(&["gov"]).record(number.0).expect("the node answers");
        read.status
    }

    /// Has members decide a measure, which rules from the height that is returned.
    ///
    /// # Panics
    /// When it does not pass.
    pub fn decide(&self, measure: Measure, voters: &[&str], ahead: u64) -> Height {
        let (number, effective) = self.propose(measure, ahead);
        let status = self.approve(number, voters);
        assert!(matches!(status, ProposalStatus::Passed { .. }), "{status:?}");
        effective
    }

    /// The members in the validator set of a height, by their numbers.
    pub fn set_of(&self, height: Height) -> Vec<u32> {
        self.validators_at(height).iter().map(|validator| validator.member.0).collect()
    }

    /// The validator set of a height, by the handovers from the founding on.
    ///
    /// # Panics
    /// When the node does not tell.
    pub fn validators_at(&self, height: Height) -> ValidatorSet {
        let mut ledger = self.ledger(&["gov"]);
        let found = ledger.header(height).expect("the node answers").value;
        let checkpoint = self.genesis().checkpoint();
        let handovers = ledger.handovers(&checkpoint, &found).expect("the node has them all");
        // A quorum of the old set may have signed a block of the next: the handovers say which it was.
        let mut light = LightClient::of_the_past(checkpoint);
        for handover in &handovers {
            light.follow(handover, self.now()).expect("each is signed by the set before");
        }
        light.validators_at(height).expect("the handovers lead there").clone()
    }

    /// Waits until a member's signature is in the newest certificate of a node.
    ///
    /// # Panics
    /// When it does not sign.
    pub fn wait_signs(&self, member: MemberNumber, node: &str) {
        let ledger = self.ledger(&[node]);
        until(&format!("member {member} signs"), Deadline::default(), || {
            let newest = ledger.gateway().ask(|node| node.latest_header()).ok()?;
            newest.value.1.signatures.iter().any(|signature| signature.member == member).then_some(())
        });
    }
}

/// The configuration of a validator's node: consensus, transactions, gateway, relay and admin at these
/// addresses.
fn node_toml<'a>(code: &str, ports: &[String; 5], peers: impl Iterator<Item = &'a Node>) -> String {
    let [consensus, transactions, gateway, relay, admin] = ports;
    let mut text = format!(
        "mode = \"validator\"\nmember = \"{code}\"\ngenesis = \"../../genesis.bin\"\ndata = \"data\"\n\n\
         [keys]\nconsensus = \"keys/consensus.json\"\npeer = \"keys/peer.json\"\n\n\
         [network]\nconsensus = \"{consensus}\"\ntransactions = \"{transactions}\"\n"
    );
    for peer in peers {
        let (Some(consensus), Some(transactions)) = (&peer.consensus, &peer.transactions) else { continue };
        text.push_str(&format!(
            "\n[[network.peers]]\nkey = \"{}\"\nconsensus = \"{consensus}\"\ntransactions = \"{transactions}\"\n",
            peer.peer_key()
        ));
    }
    for (door, address) in [("gateway", gateway), ("relay", relay), ("admin", admin)] {
        text.push_str(&format!("\n[{door}]\nlisten = \"{address}\"\n"));
    }
    text + "\n[log]\nformat = \"json\"\nlevel = \"info\"\n"
}

/// A node at these addresses.
fn node_at(name: String, role: &str, home: PathBuf, ports: &[String; 5]) -> Node {
    let [consensus, transactions, gateway, relay, admin] = ports;
    let url = |address: &String| format!("http://{address}");
    Node {
        name,
        role: role.to_owned(),
        home,
        gateway: url(gateway),
        relay: Some(url(relay)),
        admin: url(admin),
        consensus: Some(consensus.clone()),
        transactions: Some(transactions.clone()),
    }
}
