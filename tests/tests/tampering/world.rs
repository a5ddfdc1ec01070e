//! The network, what was done on it, and the files that were taken from it.

use std::path::{Path, PathBuf};

use fengni_client::standing;
use fengni_client::submit::Settlement;
use fengni_client::wallet::{Show, Wallet};
use fengni_client::{clock, decision::Decision};
use fengni_core::certificate::CertificateFile;
use fengni_core::operation::{Cause, Operation, StandingChange};
use fengni_core::proof::Place;
use fengni_core::record::{Measure, MemberStatus};
use fengni_core::{ActNumber, BookNumber, Digest, Height, KeyAlgorithm, LineNumber, LinePlace, ReasonCode, SecretKey};
use fengni_genesis::{Genesis, sample};
use fengni_tests::liar::Liar;
use fengni_tests::{Actor, Answer, Network, Paper, holder_key, random};

use crate::foreign;
use crate::rows::{self, Tool};

/// Heights from a vote to its effect.
const AHEAD: u64 = 24;
const PURPOSE: &str = "交通执法";

/// One network, and everything that the rows tamper with.
pub struct World {
    network: Network,
    /// Stands in front of a node's gateway.
    pub liar: Liar,
    /// The founding document.
    pub genesis: PathBuf,
    /// Another network's.
    pub other_genesis: PathBuf,
    /// History of the first certificate.
    pub history: PathBuf,
    /// Audit of the book.
    pub audit: PathBuf,
    /// Verdict on a code.
    pub verdict: PathBuf,
    /// A trust store that is up to date.
    store: PathBuf,
    /// The book that everything is in.
    pub book: BookNumber,
    /// A height at which everything is on record.
    pub done: Height,
    /// A height before the last acts.
    pub before: Height,
    /// The height of the last act.
    pub acted: Height,
    /// A certificate in force, with its phone's key.
    held: (CertificateFile, SecretKey),
    /// The founding document, read.
    pub founding: Genesis,
}

impl World {
    /// Starts the network and tells the story.
    pub fn start() -> Self {
        let network = Network::start();
        let founding = network.genesis();
        let mut psb = network.actor("psb", "issuing", 1, "psb");
        let mut police = network.actor("psb", "enforcement", 2, "psb");
        let book = psb.open_book("T-DL", &founding);
        let papers: Vec<Paper> = (1..=4).map(Paper::licence).collect();
        let mut held: Vec<(CertificateFile, SecretKey)> =
            papers.iter().map(|paper| certified(&founding, paper)).collect();
        for run in [0..1, 1..3, 3..4] {
            let mut files: Vec<CertificateFile> = held[run.clone()].iter().map(|(file, _)| file.clone()).collect();
            psb.seal(book, &mut files);
            held[run].iter_mut().zip(files).for_each(|(held, file)| held.0 = file);
        }
        let c1 = LinePlace { book, line: LineNumber(0) };
        let second = LinePlace { book, line: LineNumber(1) };
        police.done(standing::suspend(c1, None, ground(&police, 201)));
        change_power(&network, &mut psb, 2);
        let hold = sample::member("PSB").expect("a sample member");
        police.done(standing::give_back(c1, hold, ground(&police, 203)));
        change_power(&network, &mut psb, 3);
        let before = Height(network.height("psb"));
        police.done(standing::suspend(second, None, ground(&police, 201)));
        let next = certified(&founding, &Paper { version: 2, ..papers[0].clone() }).0.line(&founding.domain());
        psb.done(standing::supersede(c1, book, next, Cause::Change, ground(&psb, 103)));
        let dispute = StandingChange::Dispute;
        psb.done(Operation::Change {
            place: LinePlace { line: LineNumber(2), ..c1 },
            change: dispute,
            ground: ground(&psb, 201),
        });
        let last = psb.ledger.prove(&[Place::Act(book, ActNumber(4))]).expect("it was done").value;
        let acted = last.act(book, ActNumber(4)).expect("it was asked for").height;
        // A replay does not end with the last act.
        block(&mut psb);
        let done = Height(network.wait_agreed(&["gov", "psb", "amr", "hrs"]));
        let folder = network.scratch().to_owned();
        let liar = Liar::before(&network.node("gov").gateway);
        let genesis = network.home().join("genesis.bin");
        let other_genesis = folder.join("other.bin");
        std::fs::write(&other_genesis, foreign::genesis().encode()).expect("the folder is writable");
        let held = held.remove(3);
        let world = Self {
            liar,
            genesis,
            other_genesis,
            history: folder.join("c1.history"),
            audit: folder.join("book.audit"),
            verdict: folder.join("c4.verdict"),
            store: folder.join("desk.trust"),
            book,
            done,
            before,
            acted,
            held,
            founding,
            network,
        };
        world.take_files();
        world
    }

    /// Has the tools write what is tampered with.
    fn take_files(&self) {
        let honest = self.honest();
        let ask = |arguments: &[&str], rest: &[&str]| {
            let connect = ["--gateway", &honest, "--genesis", &text(&self.genesis)].map(str::to_owned);
            let arguments =
                arguments.iter().chain(rest).map(|text| (*text).to_owned()).chain(connect).collect::<Vec<_>>();
            let _ = rows::run(&arguments).expect(0);
        };
        let line = format!("{}/0", self.book);
        ask(&["history", &line, "--prove", "--out"], &[&text(&self.history)]);
        ask(
            &["audit", "book", &self.book.to_string(), "--from", "1", "--to", &self.done.to_string(), "--out"],
            &[&text(&self.audit)],
        );
        ask(&["verify", &self.code(), "--as", "3", "--purpose", PURPOSE, "--proof"], &[&text(&self.verdict)]);
        ask(&["trust", "init"], &[&text(&self.store)]);
        ask(&["trust", "update"], &[&text(&self.store)]);
    }

    /// URL of a gateway that does not lie, of another node than the liar's.
    pub fn honest(&self) -> String {
        self.network.node("amr").gateway.clone()
    }

    /// A file of a row.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.network.scratch().join(name)
    }

    /// Checks a file without any network.
    pub fn check(&self, file: &Path, genesis: &Path) -> Answer {
        rows::run(&["check".into(), text(file), "--genesis".into(), text(genesis)])
    }

    /// Asks a tool through these gateways.
    pub fn ask(&self, tool: Tool, gateways: &[&str], genesis: &Path) -> Answer {
        self.ask_with(tool, gateways, genesis, &[])
    }

    /// The same with more arguments.
    pub fn ask_with(&self, tool: Tool, gateways: &[&str], genesis: &Path, more: &[&str]) -> Answer {
        let line = format!("{}/0", self.book);
        let mut arguments: Vec<String> = match tool {
            Tool::History => vec!["history".into(), line, "--prove".into()],
            Tool::Book => vec!["audit".into(), "book".into(), self.book.to_string()],
            Tool::Department => vec!["audit".into(), "book".into(), self.department()],
            Tool::Verify => ["verify", &self.code(), "--as", "3", "--purpose", PURPOSE].map(str::to_owned).to_vec(),
            Tool::Trust => {
                // A store of its own, which is as new as the world.
                let store = self.scratch("row.trust");
                std::fs::copy(&self.store, &store).expect("the folder is writable");
                vec!["trust".into(), "update".into(), text(&store)]
            }
            Tool::Replay => vec!["audit".into(), "replay".into(), "--to".into(), self.done.to_string()],
            Tool::Check => return self.check(&self.history, genesis),
        };
        for gateway in gateways {
            arguments.extend(["--gateway".into(), (*gateway).to_owned()]);
        }
        if tool != Tool::Trust {
            arguments.extend(["--genesis".into(), text(genesis)]);
        }
        arguments.extend(more.iter().map(|text| (*text).to_owned()));
        rows::run(&arguments)
    }

    /// Name of the department that keeps the book.
    fn department(&self) -> String {
        let member = sample::member("PSB").expect("a sample member");
        self.founding.members[member.0 as usize].name.clone()
    }

    /// The code that the phone shows now.
    fn code(&self) -> String {
        let (file, key) = &self.held;
        let mut wallet = Wallet::new(self.founding.domain());
        self.founding.types.iter().for_each(|known| wallet.learn(known.clone()));
        wallet.add(file.clone(), Some(key.clone())).expect("of this network");
        wallet.refresh(&mut self.network.ledger(&["amr"])).expect("an honest node");
        let show = Show::everyday(fengni_tests::purpose_code(PURPOSE), clock::now()).expect("randomness");
        wallet.show(&file.identifier(), &show).expect("the wallet holds it").to_text()
    }
}

fn certified(founding: &Genesis, paper: &Paper) -> (CertificateFile, SecretKey) {
    let key = holder_key(KeyAlgorithm::P256);
    (paper.certify(founding, &founding.domain(), &key), key)
}

fn ground(actor: &Actor, reason: u16) -> fengni_core::operation::Ground {
    let document: [u8; 16] = random();
    let decision = Decision::of(&actor.ledger.domain(), &document).expect("randomness");
    let ground = decision.ground(ReasonCode(reason));
    assert_ne!(ground.decision, Digest::default());
    ground
}

/// Members give HRS another weight: the set of validators changes, and a handover follows.
fn change_power(network: &Network, clerk: &mut Actor, power: u64) {
    let member = sample::member("HRS").expect("a sample member");
    let read: fengni_core::record::Member = network.ledger(&["gov"]).record(member.0).expect("the node answers");
    let measure = Measure::ChangeMember {
        member,
        superior: read.superior,
        roles: read.roles,
        power,
        status: MemberStatus::Active,
    };
    let effective = network.decide(measure, &["gov", "psb", "amr"], AHEAD);
    // Blocks come when there is something to do.
    while network.height("psb") < effective.0 + 2 {
        block(clerk);
    }
    network.wait_height("gov", effective.0 + 2);
}

/// Has a block made: an act that is refused will do.
fn block(clerk: &mut Actor) {
    let nowhere = LinePlace { book: BookNumber(0), line: LineNumber(900) };
    let refused = standing::suspend(nowhere, None, ground(clerk, 201));
    assert!(matches!(clerk.submit(refused), Settlement::Refused { .. }), "there is no such line");
}

/// A path as text.
pub fn text(path: &Path) -> String {
    path.display().to_string()
}
