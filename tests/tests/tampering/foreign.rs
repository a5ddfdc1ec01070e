//! Another network, that only ever existed in this test: its founding, and a header its validators sign.

use fengni_core::finality::{CommitCertificate, CommitSignature, VoteStep, vote_bytes};
use fengni_core::record::KeyPurpose;
use fengni_core::{Header, Millis};
use fengni_genesis::{Genesis, sample};

/// Its founding.
pub fn genesis() -> Genesis {
    sample::network(Millis(1_767_196_800_000), &sample::test_key).check().expect("the sample holds")
}

/// The header as this network would have it, with a quorum that is its own.
pub fn header(of: &Header) -> (Header, CommitCertificate) {
    let domain = genesis().domain();
    let header = Header { network: domain.network, suite: domain.suite, ..of.clone() };
    let certificate = signed_by_its_own(&header);
    (header, certificate)
}

/// A header in the name of whatever network, signed by those who are validators of this one.
pub fn signed_by_its_own(of: &Header) -> CommitCertificate {
    let domain = of.domain();
    let block = of.id(&domain);
    let signatures = ["GOV", "PSB", "AMR", "HRS"].map(|name| {
        let member = sample::member(name).expect("a sample member");
        let message = vote_bytes(&domain, VoteStep::Precommit, of.height, 0, Some(block), member);
        let secret = sample::test_secret(name, KeyPurpose::Consensus, 0);
        CommitSignature { member, signature: secret.sign(&message) }
    });
    CommitCertificate { height: of.height, round: 0, block, signatures: signatures.to_vec() }
}
