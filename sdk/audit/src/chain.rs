//! The chain of headers: each follows the one before, and a quorum of its validators signed it.

use bincode::{Decode, Encode};
use fengni_core::block::{Header, PROTOCOL_VERSION};
use fengni_core::export::ExportedBlock;
use fengni_core::finality::FinalityError;
use fengni_core::record::Parameters;
use fengni_core::recovery::LastFinal;
use fengni_core::{Block, BlockId, CommitCertificate, Domain, Height, Millis, ValidatorSet};
use fengni_genesis::Genesis;
use fengni_state::recovery_of;

use crate::fault::Fault;

/// The headers so far, as far as the next one needs them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Chain {
    domain: Domain,
    founded: Millis,
    /// The last header, but for the beginning.
    pub(crate) last: Option<Header>,
    /// Who decided it.
    pub(crate) deciders: Option<ValidatorSet>,
    /// Who decides the next one, unless a recovery names others.
    next: ValidatorSet,
}

impl Chain {
    /// Before the first block.
    pub(crate) fn begin(genesis: &Genesis) -> Self {
        let (domain, founded, next) = (genesis.domain(), genesis.founding().time, genesis.validators());
        Self { domain, founded, last: None, deciders: None, next }
    }

    /// Height of the last block.
    pub(crate) fn height(&self) -> Height {
        self.last.as_ref().map_or(Height(0), |header| header.height)
    }

    /// Id of the last block.
    pub(crate) fn id(&self) -> BlockId {
        self.last.as_ref().map(|header| header.id(&self.domain)).unwrap_or_default()
    }

    /// The height in a header is the next.
    pub(crate) fn check_height(&self, header: &Header) -> Result<(), Fault> {
        if header.height == self.height().next() { Ok(()) } else { Err(Fault::Height { found: header.height }) }
    }

    /// Who decides a block: the validators that the block before names, or those of a recovery, which
    /// the parameters given with the block must allow. Rules F-7 and F-9.
    pub(crate) fn deciders_of(&self, exported: &ExportedBlock, block: &Block) -> Result<ValidatorSet, Fault> {
        let terms = exported.terms.as_ref();
        let Some(handover) = recovery_of(block) else {
            return if terms.is_none() { Ok(self.next.clone()) } else { Err(Fault::OtherTerms) };
        };
        let (terms, last) = (terms.ok_or(Fault::NoTerms)?, self.last.as_ref().ok_or(Fault::OtherTerms)?);
        if terms.header != *last {
            return Err(Fault::OtherTerms);
        }
        let parameters: Parameters = terms.verify_under_final_header(&self.domain)?.record(0)?;
        Ok(handover.verify(&self.domain, parameters.recovery.as_ref(), &LastFinal::of(&self.domain, last))?)
    }

    /// Whether a quorum of these validators made the next header final, and it follows the last one.
    /// Rules H-5, H-6 and F-5 to F-7.
    pub(crate) fn judge(
        &self,
        header: &Header,
        id: BlockId,
        certificate: &CommitCertificate,
        deciders: &ValidatorSet,
    ) -> Result<(), Fault> {
        if header.domain() != self.domain {
            return Err(Fault::OtherNetwork);
        }
        // What the quorum signed comes first: whatever else is wrong with a header that somebody
        // altered says nothing about the ledger.
        certificate.verify(&self.domain, deciders, header.height, id).map_err(|error| match error {
            FinalityError::OtherBlock => Fault::Header,
            other => Fault::NotFinal(other),
        })?;
        if header.version > PROTOCOL_VERSION {
            return Err(Fault::LaterVersion { version: header.version, speaks: PROTOCOL_VERSION });
        }
        if header.parent != self.id() {
            return Err(Fault::Parent);
        }
        let before = self.last.as_ref().map_or(self.founded, |last| last.time);
        if header.time <= before { Err(Fault::Time { time: header.time, before }) } else { Ok(()) }
    }

    /// Whether the validators given with a block, if any are, are those that its header names for the
    /// next one.
    pub(crate) fn judge_next(&self, exported: &ExportedBlock, header: &Header) -> Result<(), Fault> {
        let given = exported.next.as_ref().map(|next| next.digest(&self.domain));
        if given.is_none_or(|given| given == header.next_validators) { Ok(()) } else { Err(Fault::OtherValidators) }
    }

    /// Who decides the block after a header, without executing it: those given, else those before.
    pub(crate) fn successors(
        &self,
        exported: &ExportedBlock,
        header: &Header,
        deciders: &ValidatorSet,
    ) -> Result<ValidatorSet, Fault> {
        match &exported.next {
            Some(next) => Ok(next.clone()),
            None if deciders.digest(&self.domain) == header.next_validators => Ok(deciders.clone()),
            None => Err(Fault::NoValidators),
        }
    }

    /// Goes on from a header that holds.
    pub(crate) fn advance(&mut self, header: Header, deciders: ValidatorSet, next: ValidatorSet) {
        self.last = Some(header);
        self.deciders = Some(deciders);
        self.next = next;
    }

    /// Goes on from a header of which nobody asks whether it is final.
    pub(crate) fn pass(&mut self, header: Header) {
        self.last = Some(header);
    }

    /// The parent certificate of the next block makes the last one final. Rule H-8.
    pub(crate) fn check_parent(&self, certificate: Option<&CommitCertificate>) -> Result<(), Fault> {
        match (certificate, &self.deciders) {
            (None, None) => Ok(()),
            (Some(certificate), Some(deciders)) => {
                let verified = certificate.verify(&self.domain, deciders, self.height(), self.id());
                verified.map_err(Fault::ParentNotFinal)
            }
            _ => Err(Fault::ParentCertificate),
        }
    }
}
