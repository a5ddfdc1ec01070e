//! A register without a network: the sample members, one book, blocks made in this process.

use fengni_core::book::Subject;
use fengni_core::bytes::Bytes;
use fengni_core::export::ExportedBlock;
use fengni_core::id::Division;
use fengni_core::operation::Operation;
use fengni_core::outcome::Decision;
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::TransactionBody;
use fengni_core::{
    CommitCertificate, CommitSignature, Domain, Header, Height, KeyNumber, MemberNumber, Millis, SecretKey, TypeNumber,
    VoteStep, vote_bytes,
};
use fengni_genesis::{Genesis, sample};
use fengni_state::{Known, MemoryRecords, Proposal, RecentIds, State, assemble};

const FOUNDED: Millis = Millis(1_767_196_800_000);
/// When every block is made, in seconds.
pub(super) const BLOCKS_SECS: u64 = 1_772_670_665;

/// The register and whoever issues into it.
pub(super) struct Register {
    pub genesis: Genesis,
    pub domain: Domain,
    pub state: State,
    pub records: MemoryRecords,
    /// The issuer.
    pub issuer: MemberNumber,
    /// What it issues.
    pub kind: TypeNumber,
    /// Where.
    pub division: Division,
    recent: RecentIds,
    last: Option<(Header, CommitCertificate)>,
    signers: Vec<(KeyNumber, SecretKey)>,
}

impl Register {
    /// The sample network's register with the police's open book of driving licences.
    pub fn founded() -> Self {
        Self::opened(None).0
    }

    /// The same, with its first block; `window` instead of the sample's.
    pub fn opened(window: Option<u64>) -> (Self, ExportedBlock) {
        let mut document = sample::network(FOUNDED, &sample::test_key);
        document.parameters.window = window.unwrap_or(document.parameters.window);
        let genesis = document.check().expect("the sample holds");
        let domain = genesis.domain();
        let issuer = sample::member("PSB").expect("the sample has it");
        let kind = sample::certificate_type("T-DL").expect("the sample has it");
        let mut register = Self {
            domain,
            state: State::found(domain, genesis.founding()),
            records: MemoryRecords::default(),
            issuer,
            kind,
            division: genesis.authorities.iter().find(|a| a.member == issuer).expect("it may issue").division,
            recent: RecentIds::default(),
            last: None,
            signers: issuing_keys(&genesis, issuer),
            genesis,
        };
        let subject = Subject::Certificates { certificate_type: kind };
        let open = register.sign(Operation::OpenBook { subject, division: register.division }, [0; 16]);
        let first = register.block(&(), vec![open]);
        (register, first)
    }

    /// A transaction of the issuer, with the signatures of all its persons.
    pub fn sign(&self, operation: Operation, salt: [u8; 16]) -> Bytes {
        self.signed_by(self.signers.len(), Height(100), operation, salt)
    }

    /// A transaction of the issuer, with the signature of one person, for the next block.
    pub fn sign_alone(&self, operation: Operation, salt: [u8; 16]) -> Bytes {
        self.signed_by(1, self.state.height().next(), operation, salt)
    }

    fn signed_by(&self, persons: usize, valid_until: Height, operation: Operation, salt: [u8; 16]) -> Bytes {
        let signers = self.signers.iter().take(persons);
        let signers: Vec<(KeyNumber, &SecretKey)> = signers.map(|(number, key)| (*number, key)).collect();
        let (network, member) = (self.domain.network, self.issuer);
        let body = TransactionBody { network, member, valid_until, salt, operation };
        Bytes(body.sign(&self.domain, &signers).encode())
    }

    /// Makes a block final.
    ///
    /// # Panics
    /// When it does not take every transaction: then no figure means anything.
    pub fn block(&mut self, known: &impl Known, transactions: Vec<Bytes>) -> ExportedBlock {
        let count = transactions.len();
        let proposal = Proposal {
            clock: Millis::from_secs(BLOCKS_SECS),
            proposer: MemberNumber(0),
            parent_certificate: self.last.take().map(|(_, certificate)| certificate),
        };
        let (checked, applied) = assemble(&self.state, &self.records, &self.recent, known, proposal, transactions);
        let done = applied.outcomes.iter().filter(|outcome| matches!(outcome.decision, Decision::Done(_)));
        assert_eq!(done.count(), count, "every transaction is done");
        self.records.write(&applied.writes);
        self.recent.push(checked.ids(), 10);
        let block = Bytes(checked.block.encode());
        let header = checked.block.header;
        let (height, certificate) = (header.height, certify(&self.state, &header));
        self.last = Some((header, certificate.clone()));
        self.state = applied.state;
        ExportedBlock { height, certificate, next: None, terms: None, block }
    }

    /// Checks a transaction as a pool does at its door: form, window, replay, both signatures.
    ///
    /// # Panics
    /// When it may stand in no block.
    pub fn admit(&self, transaction: &Bytes) {
        let checked = self.state.check_transaction(&self.recent, transaction);
        assert!(checked.is_ok(), "{:?}", checked.err());
    }

    /// The last block's header with its certificate.
    pub fn last(&self) -> (Header, CommitCertificate) {
        self.last.clone().expect("a book was opened")
    }
}

fn issuing_keys(genesis: &Genesis, member: MemberNumber) -> Vec<(KeyNumber, SecretKey)> {
    let keys = &genesis.members[member.0 as usize].keys;
    let issuing = (0..).zip(keys).filter(|(_, key)| key.purpose == KeyPurpose::Issuing);
    issuing
        .zip(0..)
        .map(|((number, _), index)| (KeyNumber(number), sample::test_secret("PSB", KeyPurpose::Issuing, index)))
        .collect()
}

/// The precommits of all validators.
pub(super) fn certify(state: &State, header: &Header) -> CommitCertificate {
    let domain = *state.domain();
    let (height, block) = (header.height, header.id(&domain));
    let validators = state.next_validators();
    let signatures = validators.iter().map(|validator| {
        let member = validator.member;
        let message = vote_bytes(&domain, VoteStep::Precommit, height, 0, Some(block), member);
        let name = ["GOV", "PSB", "AMR", "CIQ", "HRS"].into_iter().find(|name| sample::member(name) == Some(member));
        let key = sample::test_secret(name.expect("a sample validator"), KeyPurpose::Consensus, 0);
        CommitSignature { member, signature: key.sign(&message) }
    });
    CommitCertificate { height, round: 0, block, signatures: signatures.collect() }
}
