//! A ledger for tests: one validator, one book, blocks made in this process.

use fengni_core::book::{Line, Subject, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::export::{BlockWriter, ExportedBlock};
use fengni_core::finality::{CommitSignature, VoteStep, vote_bytes};
use fengni_core::operation::Operation;
use fengni_core::record::{KeyPurpose, Role};
use fengni_core::transaction::TransactionBody;
use fengni_core::{
    Block, BookNumber, CommitCertificate, Digest, Domain, Height, KeyNumber, MemberNumber, Millis, SecretKey,
    ValidatorSet,
};
use fengni_genesis::{Genesis, ValidatorEntry, sample};
use fengni_state::{MemoryRecords, Proposal, RecentIds, State, assemble};

const FOUNDED: u64 = 1_767_196_800_000;

/// A founding and its first blocks.
pub(crate) struct Ledger {
    pub(crate) genesis: Genesis,
    pub(crate) blocks: Vec<ExportedBlock>,
}

impl Ledger {
    /// A network whose only validator is the first member. Its first block opens a book; every other
    /// one holds as many seals of three lines as `seals` says, and one that is refused.
    pub(crate) fn with(heights: u64, seals: u64) -> Self {
        let genesis = founding();
        let domain = genesis.domain();
        let mut state = State::found(domain, genesis.founding());
        let (mut records, mut recent) = (MemoryRecords::default(), RecentIds::default());
        let mut blocks: Vec<ExportedBlock> = Vec::new();
        for height in (1..=heights).map(Height) {
            let transactions = transactions(&genesis, height, seals);
            let proposal = Proposal {
                clock: Millis(FOUNDED + height.0 * 1_000),
                proposer: MemberNumber(0),
                parent_certificate: blocks.last().map(|block| block.certificate.clone()),
            };
            let (checked, applied) = assemble(&state, &records, &recent, &(), proposal, transactions);
            records.write(&applied.writes);
            recent.push(checked.ids(), state.parameters().window);
            blocks.push(exported(&genesis, &checked.block, None));
            state = applied.state;
        }
        Self { genesis, blocks }
    }

    /// The stream of these blocks, whose heights are made to rise by one.
    pub(crate) fn stream(&self, blocks: &[ExportedBlock]) -> Vec<u8> {
        let mut writer = BlockWriter::begin(Vec::new(), self.genesis.domain(), Height(1)).expect("memory");
        for (block, height) in blocks.iter().zip(1..) {
            writer.write(&ExportedBlock { height: Height(height), ..block.clone() }).expect("memory");
        }
        writer.finish().expect("memory")
    }
}

/// A block with the certificate of the only validator.
pub(crate) fn exported(genesis: &Genesis, block: &Block, next: Option<ValidatorSet>) -> ExportedBlock {
    ExportedBlock {
        height: block.header.height,
        certificate: certify(&genesis.domain(), block),
        next,
        terms: None,
        block: Bytes(block.encode()),
    }
}

/// The certificate of the only validator.
fn certify(domain: &Domain, block: &Block) -> CommitCertificate {
    let (height, id, member) = (block.header.height, block.header.id(domain), MemberNumber(0));
    let message = vote_bytes(domain, VoteStep::Precommit, height, 0, Some(id), member);
    let signature = sample::test_secret("GOV", KeyPurpose::Consensus, 0).sign(&message);
    CommitCertificate { height, round: 0, block: id, signatures: vec![CommitSignature { member, signature }] }
}

fn founding() -> Genesis {
    let mut document = sample::network(Millis(FOUNDED), &sample::test_key);
    for member in document.members.iter_mut().skip(1).filter(|member| member.roles.contains(&Role::Validator)) {
        member.roles.retain(|role| *role != Role::Validator);
        member.roles.push(Role::Observer);
        member.keys.retain(|key| key.purpose != KeyPurpose::Consensus);
    }
    document.validators = vec![ValidatorEntry { member: document.members[0].key.clone(), power: 1 }];
    document.parameters.validators_min = 1;
    document.check().expect("a sample with one validator holds")
}

fn transactions(genesis: &Genesis, height: Height, seals: u64) -> Vec<Bytes> {
    let issuer = sample::member("PSB").expect("a sample member");
    if height == Height(1) {
        let certificate_type = sample::certificate_type("T-DL").expect("a sample type");
        let division = genesis.authorities.iter().find(|it| it.member == issuer).expect("it may issue").division;
        let subject = Subject::Certificates { certificate_type };
        return vec![sign(genesis, height, 0, Operation::OpenBook { subject, division })];
    }
    let seal = |serial: u64| {
        let lines = (0..3).map(|place| line(height.0 * 1000 + serial * 10 + place)).collect();
        sign(genesis, height, serial, Operation::Seal { book: BookNumber(0), lines })
    };
    let empty = Operation::Seal { book: BookNumber(0), lines: Vec::new() };
    (0..seals).map(seal).chain((seals > 0).then(|| sign(genesis, height, seals, empty))).collect()
}

fn line(number: u64) -> Line {
    let mut tag = [7; 16];
    tag[..8].copy_from_slice(&number.to_le_bytes());
    Line { tag: Tag(tag), commitment: Digest([9; 32]) }
}

fn sign(genesis: &Genesis, height: Height, serial: u64, operation: Operation) -> Bytes {
    let (domain, member) = (genesis.domain(), sample::member("PSB").expect("a sample member"));
    let number = genesis.members[member.0 as usize].keys.iter().position(|key| key.purpose == KeyPurpose::Issuing);
    let number = KeyNumber(u16::try_from(number.expect("it issues")).expect("a few keys"));
    let secret: SecretKey = sample::test_secret("PSB", KeyPurpose::Issuing, 0);
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&height.0.to_le_bytes());
    salt[8..].copy_from_slice(&serial.to_le_bytes());
    let body = TransactionBody { network: domain.network, member, valid_until: height, salt, operation };
    Bytes(body.sign(&domain, &[(number, &secret)]).encode())
}
