//! Replay: whoever has the founding and the blocks gets the same state at every height, and a
//! node that cannot trust its store says so and fetches the ledger again. AUD-04, AUD-05;
//! invariant 2.

#![forbid(unsafe_code)]

use std::path::Path;

use fengni_client::submit::Settlement;
use fengni_client::{agreement, standing};
use fengni_core::block::Block;
use fengni_core::bytes::Bytes;
use fengni_core::certificate::CertificateFile;
use fengni_core::finality::CommitCertificate;
use fengni_core::operation::{Cause, Ground, Operation};
use fengni_core::outcome::{Decision, Effect, Refusal};
use fengni_core::{BookNumber, Digest, Height, KeyAlgorithm, LineNumber, LinePlace, MemberNumber, ValidatorSet};
use fengni_genesis::{Genesis, sample};
use fengni_state::{Applied, CheckedBlock, MemoryRecords, RecentIds, State, check, execute};
use fengni_tests::{Actor, Network, Paper, fengni, holder_key, random};

/// A ledger run again outside any node. Written apart from `fengni audit replay`, so that a
/// mistake has to be made twice.
struct Replay {
    state: State,
    records: MemoryRecords,
    recent: RecentIds,
    validators: Option<ValidatorSet>,
}

impl Replay {
    fn new(genesis: &Genesis) -> Self {
        let state = State::found(genesis.domain(), genesis.founding());
        Self { state, records: MemoryRecords::default(), recent: RecentIds::default(), validators: None }
    }

    /// What a block would do, if every rule lets it.
    fn try_block(&self, bytes: &[u8], certificate: &CommitCertificate) -> Result<(CheckedBlock, Applied), String> {
        let block = Block::decode(bytes).map_err(|error| error.to_string())?;
        let checked = check(&self.state, &self.recent, &(), self.validators.as_ref(), None, block);
        let checked = checked.map_err(|error| error.to_string())?;
        let (height, deciders) = (checked.block.header.height, self.state.next_validators());
        let verified = certificate.verify(self.state.domain(), &deciders, height, checked.id);
        verified.map_err(|error| error.to_string())?;
        let applied = execute(&self.state, &self.records, &checked).map_err(|error| error.to_string())?;
        Ok((checked, applied))
    }

    /// Runs the next block and returns what became of its transactions.
    fn run(&mut self, bytes: &[u8], certificate: &CommitCertificate) -> Vec<Decision> {
        let (checked, applied) = self.try_block(bytes, certificate).expect("a final block holds");
        let deciders = self.state.next_validators();
        self.records.write(&applied.writes);
        self.recent.push(checked.ids(), self.state.parameters().window);
        (self.state, self.validators) = (applied.state, Some(deciders));
        applied.outcomes.into_iter().map(|outcome| outcome.decision).collect()
    }
}

fn block(network: &Network, node: &str, height: u64) -> (Bytes, CommitCertificate) {
    let ledger = network.ledger(&[node]);
    ledger.gateway().ask(|node| node.block(Height(height))).expect("the node has the block").value
}

/// Members act on their certificates: most kinds of operations, and refused ones too; with how
/// many were done and refused.
struct Story<'a> {
    network: &'a Network,
    genesis: Genesis,
    done: u64,
    refused: u64,
    serial: u64,
}

impl Story<'_> {
    fn actor(&self, member: &str, purpose: &str, persons: usize) -> Actor {
        self.network.actor(member, purpose, persons, "gov")
    }

    fn does(&mut self, actor: &mut Actor, operation: Operation) -> Effect {
        self.done += 1;
        actor.done(operation)
    }

    #[track_caller]
    fn is_refused(&mut self, actor: &mut Actor, operation: Operation, why: Refusal) {
        self.refused += 1;
        match actor.submit(operation) {
            Settlement::Refused { refusal, .. } if refusal == why => {}
            other => panic!("{why:?} was expected: {other:?}"),
        }
    }

    fn paper(&mut self, kind: &'static str, issuer: &'static str) -> CertificateFile {
        self.serial += 1;
        let paper = Paper { kind, issuer, ..Paper::licence(self.serial) };
        paper.certify(&self.genesis, &self.genesis.domain(), &holder_key(KeyAlgorithm::P256))
    }

    fn seal(&mut self, actor: &mut Actor, book: BookNumber, file: &CertificateFile) -> LinePlace {
        let lines = vec![file.line(&self.genesis.domain())];
        let Effect::Sealed { first, .. } = self.does(actor, Operation::Seal { book, lines }) else {
            panic!("another effect")
        };
        LinePlace { book, line: first }
    }

    fn tell(&mut self) {
        let domain = self.genesis.domain();
        let mut psb = self.actor("psb", "issuing", 1);
        let mut police = self.actor("psb", "enforcement", 2);
        let ground = |actor: &Actor, reason| -> Ground { actor.ground(reason) };
        let genesis = self.genesis.clone();
        let book = psb.open_book("T-DL", &genesis);
        self.done += 1;
        let files: Vec<CertificateFile> = (0..4).map(|_| self.paper("T-DL", "PSB")).collect();
        let places: Vec<LinePlace> = files.iter().map(|file| self.seal(&mut psb, book, file)).collect();

        let psb_number: MemberNumber = sample::member("PSB").expect("a sample member");
        let suspended = standing::suspend(places[0], None, ground(&police, 201));
        self.does(&mut police, suspended);
        let again = standing::suspend(places[0], None, ground(&police, 201));
        self.is_refused(&mut police, again, Refusal::AlreadyHeld);
        let returned = standing::give_back(places[0], psb_number, ground(&police, 203));
        self.does(&mut police, returned);

        let renewed = self.paper("T-DL", "PSB").line(&domain);
        let supersede = standing::supersede(places[1], book, renewed, Cause::Renew, ground(&psb, 103));
        self.does(&mut psb, supersede);
        let mut rekeyed = files[2].line(&domain);
        rekeyed.commitment = Digest(random());
        let rekey = standing::rekey(places[2], rekeyed, ground(&psb, 105));
        self.does(&mut psb, rekey);
        let doubled = Operation::Seal { book, lines: vec![files[3].line(&domain)] };
        self.is_refused(&mut psb, doubled, Refusal::DuplicateTag);
        let nowhere = LinePlace { book, line: LineNumber(900) };
        let unknown = standing::suspend(nowhere, None, ground(&police, 201));
        self.is_refused(&mut police, unknown, Refusal::UnknownLine);

        let mut ciq = self.actor("ciq", "issuing", 1);
        let clearances = ciq.open_book("T-CL", &genesis);
        self.done += 1;
        let clearance = self.paper("T-CL", "CIQ");
        let place = self.seal(&mut ciq, clearances, &clearance);
        let mut port = self.actor("gov", "enforcement", 1);
        let consume = standing::consume(place, ground(&port, 501));
        self.does(&mut port, consume);
        let twice = standing::consume(place, ground(&port, 501));
        self.is_refused(&mut port, twice, Refusal::AlreadyConsumed);

        let mut gov = self.actor("gov", "admin", 1);
        let Effect::Agreement { agreement, .. } = self.does(&mut gov, agreement::propose(sample::agreement_terms()))
        else {
            panic!("another effect")
        };
        let mut ygov = self.actor("ygov", "admin", 1);
        let read = ygov.ledger.record(agreement.0).expect("it was proposed");
        self.does(&mut ygov, agreement::sign(&domain, agreement, &read));
        let withheld = agreement::suspend(agreement, ground(&ygov, 601));
        self.does(&mut ygov, withheld);
    }
}

#[test]
fn aud05_the_blocks_alone_give_the_state_of_every_height() {
    let network = Network::start();
    let genesis = network.genesis();
    let mut story = Story { network: &network, genesis: genesis.clone(), done: 0, refused: 0, serial: 0 };
    story.tell();
    let (done, refused) = (story.done, story.refused);
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    let last = network.height("psb");

    // In the test, block by block, against what another node serves.
    let mut replay = Replay::new(&genesis);
    let (mut found_done, mut found_refused, mut damaged) = (0, 0, 0);
    for height in 1..=last {
        let (bytes, certificate) = block(&network, "psb", height);
        // Of some blocks every changed byte is refused, before the true block is run.
        let block = Block::decode(&bytes.0).expect("a final block is one");
        if damaged < 3 && height > 1 && !block.transactions.is_empty() {
            damaged += 1;
            assert_no_byte_counts_for_nothing(&replay, &bytes.0, &certificate);
        }
        for decision in replay.run(&bytes.0, &certificate) {
            match decision {
                Decision::Done(_) => found_done += 1,
                Decision::Refused { .. } => found_refused += 1,
            }
        }
        assert_eq!(replay.state.root().to_string(), network.state_root("amr", height), "height {height}");
    }
    assert_eq!((found_done, found_refused), (done, refused));
    assert_eq!(damaged, 3);

    // By the auditor's command.
    let gateway = network.node("observer").gateway.clone();
    let founding = network.home().join("genesis.bin").display().to_string();
    let to = last.to_string();
    let arguments = ["audit", "replay", "--gateway", &gateway, "--genesis", &founding, "--to", &to, "--json"];
    let replayed = fengni(&arguments, b"").expect(0).json();
    assert_eq!(replayed["result"], "equal");
    assert_eq!(replayed["height"], last);
    assert_eq!(replayed["transactions"], done + refused);
    assert_eq!(replayed["refused_transactions"], refused);
    assert_eq!(replayed["state_root"], replay.state.root().to_string());
    // Another founding makes it another ledger.
    let mut contents = genesis.into_contents();
    contents.parameters.window += 1;
    let other = network.scratch().join("other.bin");
    std::fs::write(&other, Genesis::new(contents).expect("no rule is broken").encode())
        .expect("the folder is writable");
    let other = other.display().to_string();
    let _ = fengni(&["audit", "replay", "--gateway", &gateway, "--genesis", &other, "--to", &to], b"").expect(1);

    // A node that starts again rebuilds the same state from its store.
    assert_eq!(network.terminate("psb"), Some(0));
    network.run("psb");
    network.wait_ready("psb");
    assert_eq!(network.state_root("psb", last), replay.state.root().to_string());
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
}

/// Flips one byte at a time, all over the block.
fn assert_no_byte_counts_for_nothing(replay: &Replay, bytes: &[u8], certificate: &CommitCertificate) {
    for place in 0..bytes.len() {
        let mut damaged = bytes.to_vec();
        damaged[place] ^= 1;
        assert!(replay.try_block(&damaged, certificate).is_err(), "byte {place} of {} counts for nothing", bytes.len());
    }
    let cut = &bytes[..bytes.len() - 1];
    assert!(replay.try_block(cut, certificate).is_err(), "the last byte counts for nothing");
    let mut other = certificate.clone();
    other.signatures.truncate(2);
    assert!(replay.try_block(bytes, &other).is_err(), "two of four are no quorum");
}

#[test]
fn aud04_a_damaged_store_is_noticed_at_the_start_and_fetched_again() {
    let network = Network::start();
    let mut psb = network.actor("psb", "issuing", 1, "psb");
    let genesis = network.genesis();
    let book = psb.open_book("T-DL", &genesis);
    let mut file = [Paper::licence(1).certify(&genesis, &genesis.domain(), &holder_key(KeyAlgorithm::P256))];
    psb.seal(book, &mut file);
    network.wait_agreed(&["gov", "psb", "amr", "hrs"]);

    let name = "hrs";
    let home = network.node(name).home.clone();
    assert_eq!(network.terminate(name), Some(0));
    let packed =
        std::process::Command::new(fengni_tests::binary("fengni-node")).args(["compact", "--home"]).arg(&home).output();
    assert!(packed.is_ok_and(|packed| packed.status.success()), "a stopped node's store can be packed");
    let store = home.join("data/store");
    assert!(damage(&store) > 0, "a packed store has tables");
    network.run(name);
    let code = network.wait_end(name);
    assert!(code.is_some_and(|code| code != 0), "{code:?}: a damaged store was taken");
    assert!(network.log_end(name).contains("cannot open the store"), "{}", network.log_end(name));
    assert_eq!(network.status(name).map(|status| status.height), None);

    // The next step that the message names: away with the store. The record of signed votes stays,
    // so that the node first follows in silence, and then votes again.
    std::fs::rename(&store, network.scratch().join("damaged")).expect("the folder is ours");
    network.run(name);
    network.wait_votes(name);
    network.wait_agreed(&["gov", "psb", "amr", "hrs"]);
    assert_eq!(network.count("gov", "fengni_consensus_evidence_total", ""), 0);
}

/// Flips a bit in every 512th byte of every table.
fn damage(store: &Path) -> usize {
    let mut tables = 0;
    for entry in std::fs::read_dir(store).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "sst") {
            continue;
        }
        tables += 1;
        let mut bytes = std::fs::read(&path).expect("the table can be read");
        bytes.iter_mut().step_by(512).for_each(|byte| *byte ^= 0x10);
        std::fs::write(&path, bytes).expect("the table can be written");
    }
    tables
}
