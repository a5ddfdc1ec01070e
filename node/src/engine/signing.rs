//! Signing and verifying, in the ledger's bytes.
//!
//! What is signed is exactly what `fengni_core` rebuilds for light clients. Every vote and every
//! proposal passes the guard of its key first: see [`Ring`].

use std::sync::Arc;

use async_trait::async_trait;
use fengni_core::{Domain, MemberNumber, PublicKey, Signature};
use malachite::app::types::core::{SignedExtension, SignedMessage, ValidatorProof, VoteExtensionScope};
use malachite_signing::{Error, Signer, VerificationResult, Verifier};
use prometheus_client::metrics::counter::Counter;
use tracing::error;

use super::chain::SignedStep;
use super::context::{Context, Proposal, Vote, VoteType};
use super::guard::Statement;
use super::ring::Ring;

/// Verifies votes and proposals.
#[derive(Clone, Debug)]
pub(crate) struct LedgerVerifier {
    pub(crate) domain: Domain,
}

impl LedgerVerifier {
    fn check(key: &PublicKey, bytes: Option<Vec<u8>>, signature: &Signature) -> VerificationResult {
        VerificationResult::from_bool(bytes.is_some_and(|bytes| key.verify(&bytes, signature)))
    }
}

#[async_trait]
impl Verifier<Context> for LedgerVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(Self::check(key, vote.bytes(&self.domain), signature))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(Self::check(key, proposal.bytes(&self.domain), signature))
    }

    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Context>,
        _: &(),
        _: &Signature,
        _: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        // Nobody signs extensions, so none can be valid.
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(&self, _: &ValidatorProof<Context>) -> Result<VerificationResult, Error> {
        // Peers are known by the member registry, not by proofs of their own.
        Ok(VerificationResult::Invalid)
    }
}

/// Signs as one member, with the keys of its ring and behind their guards.
pub(crate) struct LedgerSigner {
    domain: Domain,
    ring: Arc<Ring>,
    refusals: Counter,
    unsigned: Arc<dyn Fn(String) + Send + Sync>,
}

impl LedgerSigner {
    /// A signer; `unsigned` hears the reason whenever there is no signature.
    pub(crate) fn new(
        domain: Domain,
        ring: Arc<Ring>,
        refusals: Counter,
        unsigned: Arc<dyn Fn(String) + Send + Sync>,
    ) -> Self {
        Self { domain, ring, refusals, unsigned }
    }

    /// Signs once the guard has the statement on disk, on a thread that may wait for a token. An
    /// error ends the engine, which is right: going on would mean to vote twice, or not at all.
    async fn sign(&self, statement: Statement, bytes: Option<Vec<u8>>) -> Result<Signature, Error> {
        let bytes = bytes.ok_or_else(|| Error::from_source("a statement without a round"))?;
        let ring = Arc::clone(&self.ring);
        let signed = tokio::task::spawn_blocking(move || ring.sign(&statement, &bytes)).await;
        let reason = match signed {
            Ok(Ok(signature)) => return Ok(signature),
            Ok(Err(error)) if error.is_refusal() => {
                self.refusals.inc();
                format!("a signature was refused: {error}")
            }
            Ok(Err(error)) => format!("no signature: {error}"),
            Err(error) => format!("no signature: {error}"),
        };
        error!("{reason}");
        (self.unsigned)(reason.clone());
        Err(Error::from_source(reason))
    }

    fn own(&self, member: MemberNumber) -> Result<(), Error> {
        if member == self.ring.member() {
            return Ok(());
        }
        Err(Error::from_source(format!("member {member} is not this node's member {}", self.ring.member())))
    }
}

#[async_trait]
impl Signer<Context> for LedgerSigner {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<Context, Vote>, Error> {
        self.own(vote.address.0)?;
        let statement = Statement {
            height: vote.height.0,
            round: vote.round.as_u32().unwrap_or(u32::MAX),
            step: match vote.step {
                VoteType::Prevote => SignedStep::Prevote,
                VoteType::Precommit => SignedStep::Precommit,
            },
            block: vote.block(),
            valid_round: None,
        };
        let signature = self.sign(statement, vote.bytes(&self.domain)).await?;
        Ok(SignedMessage::new(vote, signature))
    }

    async fn sign_proposal(&self, proposal: Proposal) -> Result<SignedMessage<Context, Proposal>, Error> {
        self.own(proposal.address.0)?;
        let statement = Statement {
            height: proposal.height.0,
            round: proposal.round.as_u32().unwrap_or(u32::MAX),
            step: SignedStep::Proposal,
            block: Some(proposal.value.0),
            valid_round: proposal.valid_round.as_u32(),
        };
        let signature = self.sign(statement, proposal.bytes(&self.domain)).await?;
        Ok(SignedMessage::new(proposal, signature))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Context>,
        (): (),
    ) -> Result<SignedExtension<Context>, Error> {
        Err(Error::from_source("votes carry no extensions"))
    }

    async fn sign_validator_proof(&self, _: Vec<u8>, _: Vec<u8>) -> Result<ValidatorProof<Context>, Error> {
        Err(Error::from_source("peers are known by the member registry"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::context::{Address, EngineHeight, EngineValue, NilOrVal, Round, ValueId};
    use super::*;
    use fengni_core::{BlockId, Digest, Height, KeyAlgorithm, NetworkId, SecretKey, Suite, VoteStep};
    use malachite::app::types::core::Context as _;
    use std::sync::Mutex;

    pub(crate) fn domain() -> Domain {
        Domain { suite: Suite::Standard, network: NetworkId(Digest([3; 32])) }
    }

    pub(crate) fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(KeyAlgorithm::Ed25519, &[seed; 32]).expect("any seed is an ed25519 key")
    }

    fn signer(home: &std::path::Path, heard: &Arc<Mutex<Vec<String>>>) -> LedgerSigner {
        let voter = super::super::Voter { member: MemberNumber(4), keys: vec![Arc::new(key(1))] };
        let ring = Ring::open(home, domain(), &voter).expect("a new record");
        for height in [2, 9, 10] {
            ring.name(Height(height), &key(1).public());
        }
        let heard = Arc::clone(heard);
        let refused = Arc::new(move |reason| heard.lock().expect("not poisoned").push(reason));
        LedgerSigner::new(domain(), Arc::new(ring), Counter::default(), refused)
    }

    /// Light clients rebuild these bytes: the engine must sign no others.
    #[tokio::test]
    async fn the_engine_signs_exactly_the_ledgers_bytes() {
        let home = tempfile::tempdir().expect("a folder");
        let signer = signer(home.path(), &Arc::default());
        let (height, block, member) = (Height(9), BlockId(Digest([5; 32])), MemberNumber(4));
        let cases = [(VoteStep::Prevote, Some(block)), (VoteStep::Precommit, Some(block))];
        for (step, value) in cases {
            let id = value.map_or(NilOrVal::Nil, |block| NilOrVal::Val(ValueId(block)));
            let (height, round, address) = (EngineHeight(height), Round::new(2), Address::of(member));
            let vote = match step {
                VoteStep::Prevote => Context.new_prevote(height, round, id, address),
                VoteStep::Precommit => Context.new_precommit(height, round, id, address),
            };
            let signed = signer.sign_vote(vote).await.expect("signed");
            let bytes = fengni_core::vote_bytes(&domain(), step, height.0, 2, value, member);
            assert!(key(1).public().verify(&bytes, &signed.signature));
            assert_eq!(signed.signature, key(1).sign(&bytes));
        }
        let proposal = Context.new_proposal(
            EngineHeight(Height(10)),
            Round::new(3),
            EngineValue(block),
            Round::new(1),
            Address::of(member),
        );
        let signed = signer.sign_proposal(proposal).await.expect("signed");
        let bytes = fengni_core::proposal_bytes(&domain(), Height(10), 3, Some(1), block, member);
        assert_eq!(signed.signature, key(1).sign(&bytes));
        // The bytes themselves, once and for all.
        let bytes = fengni_core::vote_bytes(&domain(), VoteStep::Precommit, Height(9), 2, Some(block), member);
        let expected = [
            b"fengni/1/vote\0".as_slice(),
            &[3; 32],
            &[2],
            &9u64.to_be_bytes(),
            &2u32.to_be_bytes(),
            &[1],
            &[5; 32],
            &4u32.to_be_bytes(),
        ]
        .concat();
        assert_eq!(bytes, expected);
    }

    #[tokio::test]
    async fn a_second_vote_is_not_signed_and_says_why() {
        let home = tempfile::tempdir().expect("a folder");
        let heard = Arc::default();
        let signer = signer(home.path(), &heard);
        let vote = |id| Context.new_prevote(EngineHeight(Height(2)), Round::new(0), id, Address::of(MemberNumber(4)));
        signer.sign_vote(vote(NilOrVal::Nil)).await.expect("the first");
        signer.sign_vote(vote(NilOrVal::Nil)).await.expect("the same again");
        let other = vote(NilOrVal::Val(ValueId(BlockId(Digest([1; 32])))));
        assert!(signer.sign_vote(other).await.is_err());
        assert!(heard.lock().expect("not poisoned")[0].contains("another value is signed"));
        assert_eq!(signer.refusals.get(), 1);
        let mut stranger = vote(NilOrVal::Nil);
        stranger.address = Address::of(MemberNumber(5));
        assert!(signer.sign_vote(stranger).await.is_err());
        let mut roundless = vote(NilOrVal::Nil);
        roundless.round = Round::Nil;
        assert!(signer.sign_vote(roundless).await.is_err());
        let verifier = LedgerVerifier { domain: domain() };
        let mut hostile = vote(NilOrVal::Nil);
        hostile.round = Round::Nil;
        let result = verifier.verify_signed_vote(&hostile, &key(1).sign(b"x"), &key(1).public()).await;
        assert!(result.expect("an answer").is_invalid());
    }
}
