//! The wire and log forms of the engine's messages, in the ledger's one encoding.
//!
//! Every message has a form of plain ledger types, and every form a size limit of its own; what
//! decodes is canonical and complete, or refused. Votes and proposals without a round have no
//! form at all.

use bincode::{Decode, Encode};
use bytes::Bytes;
use fengni_core::bytes::Bytes as WireBytes;
use fengni_core::codec::{self, DecodeError};
use fengni_core::limits::{BLOCK_BYTES, VALIDATORS};
use fengni_core::{BlockId, CommitCertificate, CommitSignature, Height, MemberNumber, Signature};
use malachite::app::consensus::LivenessMsg;
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite::app::types::codec::{Codec, HasEncodedLen};
use malachite::app::types::core as engine;
use malachite::app::types::core::{Round, RoundCertificateType, SignedMessage, Validity, VoteType};
use malachite::app::types::{ProposedValue, SignedConsensusMsg};
use malachite_sync as sync;
use thiserror::Error;

use super::context::{Address, Context, EngineHeight, EngineValue, NilOrVal, Proposal, ValueId, Vote};
use super::parts::{Init, PIECE_BYTES, Part, STREAM_NAME_BYTES};

/// Bytes of a vote or a proposal.
pub(crate) const MESSAGE_BYTES: usize = 512;
/// Bytes of a certificate: a signature, its member, its vote and its lengths for each validator.
pub(crate) const CERTIFICATE_BYTES: usize = VALIDATORS * 160 + 512;
/// Bytes of a part.
pub(crate) const PART_BYTES: usize = PIECE_BYTES + 128;
/// Bytes of a status or of a request.
pub(crate) const STATUS_BYTES: usize = 256;
/// Bytes of an answer with final blocks: one block of any size, or several smaller ones.
pub(crate) const ANSWER_BYTES: usize = 2 * BLOCK_BYTES + 64 * CERTIFICATE_BYTES;

/// Why a message has no wire form, or bytes are none.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum WireError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("{0} has no wire form")]
    Form(&'static str),
}

/// A message with a form of plain ledger types.
pub(crate) trait Wire: Sized {
    type Form: Encode + Decode<()>;
    const LIMIT: usize;
    fn to_form(&self) -> Result<Self::Form, WireError>;
    fn from_form(form: Self::Form) -> Result<Self, WireError>;
}

/// The codec of every message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireCodec;

impl<T: Wire> Codec<T> for WireCodec {
    type Error = WireError;

    fn decode(&self, bytes: Bytes) -> Result<T, WireError> {
        T::from_form(codec::decode(&bytes, T::LIMIT)?)
    }

    fn encode(&self, message: &T) -> Result<Bytes, WireError> {
        Ok(codec::encode(&message.to_form()?).into())
    }
}

impl<T: Wire> HasEncodedLen<T> for WireCodec {
    fn encoded_len(&self, message: &T) -> Result<usize, WireError> {
        Ok(codec::encode(&message.to_form()?).len())
    }
}

/// Decodes a message.
pub(crate) fn decode<T: Wire>(bytes: Bytes) -> Result<T, WireError> {
    WireCodec.decode(bytes)
}

/// Encodes a message.
pub(crate) fn encode<T: Wire>(message: &T) -> Result<Bytes, WireError> {
    WireCodec.encode(message)
}

fn round_number(round: Round) -> Result<u32, WireError> {
    round.as_u32().ok_or(WireError::Form("a message without a round"))
}

fn step_number(step: VoteType) -> u8 {
    match step {
        VoteType::Prevote => 1,
        VoteType::Precommit => 2,
    }
}

fn step_of(number: u8) -> Result<VoteType, WireError> {
    match number {
        1 => Ok(VoteType::Prevote),
        2 => Ok(VoteType::Precommit),
        _ => Err(WireError::Form("an unknown step")),
    }
}

fn block_of(value: &NilOrVal<ValueId>) -> Option<BlockId> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(id.0),
    }
}

fn value_of(block: Option<BlockId>) -> NilOrVal<ValueId> {
    block.map_or(NilOrVal::Nil, |block| NilOrVal::Val(ValueId(block)))
}

fn few<T>(signatures: Vec<T>) -> Result<Vec<T>, WireError> {
    if signatures.len() > VALIDATORS {
        return Err(WireError::Form("a certificate with too many signatures"));
    }
    Ok(signatures)
}

#[derive(Encode, Decode)]
pub(crate) struct VoteForm {
    step: u8,
    height: Height,
    round: u32,
    block: Option<BlockId>,
    member: MemberNumber,
    signature: Signature,
}

type SignedVote = SignedMessage<Context, Vote>;
type SignedProposal = SignedMessage<Context, Proposal>;

impl VoteForm {
    fn of(signed: &SignedVote) -> Result<Self, WireError> {
        let vote = &signed.message;
        Ok(Self {
            step: step_number(vote.step),
            height: vote.height.0,
            round: round_number(vote.round)?,
            block: vote.block(),
            member: vote.address.0,
            signature: signed.signature,
        })
    }

    fn vote(self) -> Result<SignedVote, WireError> {
        let vote = Vote {
            step: step_of(self.step)?,
            height: EngineHeight(self.height),
            round: Round::new(self.round),
            value: value_of(self.block),
            address: Address::of(self.member),
        };
        Ok(SignedMessage::new(vote, self.signature))
    }
}

#[derive(Encode, Decode)]
pub(crate) struct ProposalForm {
    height: Height,
    round: u32,
    valid_round: Option<u32>,
    block: BlockId,
    member: MemberNumber,
    signature: Signature,
}

impl ProposalForm {
    fn of(signed: &SignedProposal) -> Result<Self, WireError> {
        let proposal = &signed.message;
        Ok(Self {
            height: proposal.height.0,
            round: round_number(proposal.round)?,
            valid_round: proposal.valid_round.as_u32(),
            block: proposal.value.0,
            member: proposal.address.0,
            signature: signed.signature,
        })
    }

    fn proposal(self) -> SignedProposal {
        let proposal = Proposal {
            height: EngineHeight(self.height),
            round: Round::new(self.round),
            value: EngineValue(self.block),
            valid_round: Round::from(self.valid_round),
            address: Address::of(self.member),
        };
        SignedMessage::new(proposal, self.signature)
    }
}

#[derive(Encode, Decode)]
pub(crate) enum MessageForm {
    Vote(VoteForm),
    Proposal(ProposalForm),
}

impl Wire for SignedConsensusMsg<Context> {
    type Form = MessageForm;
    const LIMIT: usize = MESSAGE_BYTES;

    fn to_form(&self) -> Result<MessageForm, WireError> {
        Ok(match self {
            Self::Vote(vote) => MessageForm::Vote(VoteForm::of(vote)?),
            Self::Proposal(proposal) => MessageForm::Proposal(ProposalForm::of(proposal)?),
        })
    }

    fn from_form(form: MessageForm) -> Result<Self, WireError> {
        Ok(match form {
            MessageForm::Vote(vote) => Self::Vote(vote.vote()?),
            MessageForm::Proposal(proposal) => Self::Proposal(proposal.proposal()),
        })
    }
}

#[derive(Encode, Decode)]
pub(crate) struct PolkaForm {
    height: Height,
    round: u32,
    block: BlockId,
    signatures: Vec<CommitSignature>,
}

impl Wire for engine::PolkaCertificate<Context> {
    type Form = PolkaForm;
    const LIMIT: usize = CERTIFICATE_BYTES;

    fn to_form(&self) -> Result<PolkaForm, WireError> {
        let signatures = self.polka_signatures.iter();
        Ok(PolkaForm {
            height: self.height.0,
            round: round_number(self.round)?,
            block: self.value_id.0,
            signatures: signatures
                .map(|signed| CommitSignature { member: signed.address.0, signature: signed.signature })
                .collect(),
        })
    }

    fn from_form(form: PolkaForm) -> Result<Self, WireError> {
        let signatures = few(form.signatures)?.into_iter();
        Ok(Self {
            height: EngineHeight(form.height),
            round: Round::new(form.round),
            value_id: ValueId(form.block),
            polka_signatures: signatures
                .map(|signed| engine::PolkaSignature::new(Address::of(signed.member), signed.signature))
                .collect(),
        })
    }
}

#[derive(Encode, Decode)]
pub(crate) struct RoundForm {
    height: Height,
    round: u32,
    precommits: bool,
    signatures: Vec<RoundSignatureForm>,
}

#[derive(Encode, Decode)]
struct RoundSignatureForm {
    step: u8,
    block: Option<BlockId>,
    member: MemberNumber,
    signature: Signature,
}

impl Wire for engine::RoundCertificate<Context> {
    type Form = RoundForm;
    const LIMIT: usize = CERTIFICATE_BYTES;

    fn to_form(&self) -> Result<RoundForm, WireError> {
        let signatures = self.round_signatures.iter();
        Ok(RoundForm {
            height: self.height.0,
            round: round_number(self.round)?,
            precommits: self.cert_type == RoundCertificateType::Precommit,
            signatures: signatures
                .map(|signed| RoundSignatureForm {
                    step: step_number(signed.vote_type),
                    block: block_of(&signed.value_id),
                    member: signed.address.0,
                    signature: signed.signature,
                })
                .collect(),
        })
    }

    fn from_form(form: RoundForm) -> Result<Self, WireError> {
        let signature = |signed: RoundSignatureForm| {
            Ok(engine::RoundSignature {
                vote_type: step_of(signed.step)?,
                value_id: value_of(signed.block),
                address: Address::of(signed.member),
                signature: signed.signature,
            })
        };
        Ok(Self {
            height: EngineHeight(form.height),
            round: Round::new(form.round),
            cert_type: if form.precommits { RoundCertificateType::Precommit } else { RoundCertificateType::Skip },
            round_signatures: few(form.signatures)?.into_iter().map(signature).collect::<Result<_, WireError>>()?,
        })
    }
}

#[derive(Encode, Decode)]
pub(crate) enum LivenessForm {
    Vote(VoteForm),
    Polka(PolkaForm),
    Round(RoundForm),
}

impl Wire for LivenessMsg<Context> {
    type Form = LivenessForm;
    const LIMIT: usize = CERTIFICATE_BYTES;

    fn to_form(&self) -> Result<LivenessForm, WireError> {
        Ok(match self {
            Self::Vote(vote) => LivenessForm::Vote(VoteForm::of(vote)?),
            Self::PolkaCertificate(certificate) => LivenessForm::Polka(certificate.to_form()?),
            Self::SkipRoundCertificate(certificate) => LivenessForm::Round(certificate.to_form()?),
        })
    }

    fn from_form(form: LivenessForm) -> Result<Self, WireError> {
        Ok(match form {
            LivenessForm::Vote(vote) => Self::Vote(vote.vote()?),
            LivenessForm::Polka(form) => Self::PolkaCertificate(Wire::from_form(form)?),
            LivenessForm::Round(form) => Self::SkipRoundCertificate(Wire::from_form(form)?),
        })
    }
}

/// The log keeps proposed values.
#[derive(Encode, Decode)]
pub(crate) struct ProposedForm {
    height: Height,
    round: u32,
    valid_round: Option<u32>,
    proposer: MemberNumber,
    block: BlockId,
    valid: bool,
}

impl Wire for ProposedValue<Context> {
    type Form = ProposedForm;
    const LIMIT: usize = MESSAGE_BYTES;

    fn to_form(&self) -> Result<ProposedForm, WireError> {
        Ok(ProposedForm {
            height: self.height.0,
            round: round_number(self.round)?,
            valid_round: self.valid_round.as_u32(),
            proposer: self.proposer.0,
            block: self.value.0,
            valid: self.validity.is_valid(),
        })
    }

    fn from_form(form: ProposedForm) -> Result<Self, WireError> {
        Ok(Self {
            height: EngineHeight(form.height),
            round: Round::new(form.round),
            valid_round: Round::from(form.valid_round),
            proposer: Address::of(form.proposer),
            value: EngineValue(form.block),
            validity: Validity::from_bool(form.valid),
        })
    }
}

#[derive(Encode, Decode)]
pub(crate) struct PartForm {
    stream: [u8; STREAM_NAME_BYTES],
    sequence: u32,
    part: PartBodyForm,
}

#[derive(Encode, Decode)]
enum PartBodyForm {
    Init { height: Height, round: u32, valid_round: Option<u32>, proposer: MemberNumber, length: u32 },
    Piece(WireBytes),
}

impl Wire for StreamMessage<Part> {
    type Form = PartForm;
    const LIMIT: usize = PART_BYTES;

    fn to_form(&self) -> Result<PartForm, WireError> {
        let stream = self.stream_id.to_bytes();
        Ok(PartForm {
            stream: stream[..].try_into().map_err(|_| WireError::Form("a stream without a name of ours"))?,
            sequence: u32::try_from(self.sequence).map_err(|_| WireError::Form("a part beyond any body"))?,
            part: match &self.content {
                StreamContent::Data(Part::Init(init)) => PartBodyForm::Init {
                    height: init.height,
                    round: init.round,
                    valid_round: init.valid_round,
                    proposer: init.proposer,
                    length: init.length,
                },
                StreamContent::Data(Part::Piece(piece)) => PartBodyForm::Piece(WireBytes(piece.to_vec())),
                StreamContent::Fin => return Err(WireError::Form("the end of a stream")),
            },
        })
    }

    fn from_form(form: PartForm) -> Result<Self, WireError> {
        let part = match form.part {
            PartBodyForm::Init { height, round, valid_round, proposer, length } => {
                Part::Init(Init { height, round, valid_round, proposer, length })
            }
            PartBodyForm::Piece(piece) => Part::Piece(piece.0.into()),
        };
        let stream = StreamId::new(Bytes::copy_from_slice(&form.stream));
        Ok(Self::new(stream, u64::from(form.sequence), StreamContent::Data(part)))
    }
}

#[derive(Encode, Decode)]
pub(crate) struct StatusForm {
    peer: WireBytes,
    tip: Height,
    first_kept: Height,
}

impl Wire for sync::Status<Context> {
    type Form = StatusForm;
    const LIMIT: usize = STATUS_BYTES;

    fn to_form(&self) -> Result<StatusForm, WireError> {
        Ok(StatusForm {
            peer: WireBytes(self.peer_id.to_bytes()),
            tip: self.tip_height.0,
            first_kept: self.history_min_height.0,
        })
    }

    fn from_form(form: StatusForm) -> Result<Self, WireError> {
        Ok(Self {
            peer_id: sync::PeerId::from_bytes(&form.peer.0).map_err(|_| WireError::Form("a strange peer id"))?,
            tip_height: EngineHeight(form.tip),
            history_min_height: EngineHeight(form.first_kept),
        })
    }
}

impl Wire for sync::Request<Context> {
    type Form = (Height, Height);
    const LIMIT: usize = STATUS_BYTES;

    fn to_form(&self) -> Result<Self::Form, WireError> {
        let Self::ValueRequest(request) = self;
        Ok((request.range.start().0, request.range.end().0))
    }

    fn from_form((first, last): Self::Form) -> Result<Self, WireError> {
        let range = EngineHeight(first)..=EngineHeight(last);
        Ok(Self::ValueRequest(sync::ValueRequest::new(range)))
    }
}

#[derive(Encode, Decode)]
pub(crate) struct AnswerForm {
    first: Height,
    blocks: Vec<FinalForm>,
}

#[derive(Encode, Decode)]
struct FinalForm {
    body: WireBytes,
    certificate: CommitCertificate,
}

impl Wire for sync::Response<Context> {
    type Form = AnswerForm;
    const LIMIT: usize = ANSWER_BYTES;

    fn to_form(&self) -> Result<AnswerForm, WireError> {
        let Self::ValueResponse(response) = self;
        let block = |value: &sync::RawDecidedValue<Context>| {
            Ok(FinalForm {
                body: WireBytes(value.value_bytes.to_vec()),
                certificate: certificate(&value.certificate.trim_vote_extensions())?,
            })
        };
        Ok(AnswerForm {
            first: response.start_height.0,
            blocks: response.values.iter().map(block).collect::<Result<_, WireError>>()?,
        })
    }

    fn from_form(form: AnswerForm) -> Result<Self, WireError> {
        let value = |block: FinalForm| {
            let certificate = few(block.certificate.signatures.clone()).map(|_| extended(&block.certificate))?;
            Ok(sync::RawDecidedValue::new(block.body.0.into(), certificate))
        };
        let values = form.blocks.into_iter().map(value).collect::<Result<_, WireError>>()?;
        Ok(Self::ValueResponse(sync::ValueResponse::new(EngineHeight(form.first), values)))
    }
}

/// The ledger's certificate of the engine's, its signatures by rising member.
pub(crate) fn certificate(of: &engine::CommitCertificate<Context>) -> Result<CommitCertificate, WireError> {
    let mut signatures: Vec<CommitSignature> = of
        .commit_signatures
        .iter()
        .map(|signed| CommitSignature { member: signed.address.0, signature: signed.signature })
        .collect();
    signatures.sort_by_key(|signed| signed.member);
    Ok(CommitCertificate { height: of.height.0, round: round_number(of.round)?, block: of.value_id.0, signatures })
}

/// The engine's certificate of the ledger's.
pub(crate) fn extended(of: &CommitCertificate) -> engine::ExtendedCommitCertificate<Context> {
    engine::ExtendedCommitCertificate {
        height: EngineHeight(of.height),
        round: Round::new(of.round),
        value_id: ValueId(of.block),
        commit_signatures: of
            .signatures
            .iter()
            .map(|signed| engine::ExtendedCommitSignature::new(Address::of(signed.member), signed.signature, None))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parts::stream;
    use super::super::signing::tests::key;
    use super::*;
    use fengni_core::Digest;
    use std::fmt::Debug;

    const BLOCK: BlockId = BlockId(Digest([6; 32]));

    fn signature() -> Signature {
        key(1).sign(b"anything")
    }

    fn vote(round: Round, block: Option<BlockId>) -> SignedVote {
        let (step, height, address) = (VoteType::Precommit, EngineHeight(Height(4)), Address::of(MemberNumber(2)));
        SignedMessage::new(Vote { step, height, round, value: value_of(block), address }, signature())
    }

    fn proposal(valid_round: Round) -> SignedProposal {
        let (height, round, address) = (EngineHeight(Height(4)), Round::new(3), Address::of(MemberNumber(2)));
        let value = EngineValue(BLOCK);
        SignedMessage::new(Proposal { height, round, value, valid_round, address }, signature())
    }

    fn commit(signers: u32) -> CommitCertificate {
        let signatures =
            (0..signers).map(|member| CommitSignature { member: MemberNumber(member), signature: signature() });
        CommitCertificate { height: Height(4), round: 1, block: BLOCK, signatures: signatures.collect() }
    }

    /// What comes back is what went, and no spelling with one byte less, more or other is taken
    /// for it.
    fn holds<T: Wire + PartialEq + Debug>(message: &T) {
        let bytes = encode(message).expect("a form");
        assert!(bytes.len() <= T::LIMIT, "{} bytes", bytes.len());
        assert_eq!(&decode::<T>(bytes.clone()).expect("as written"), message);
        let (step, last) = (bytes.len() / 300 + 1, bytes.len() - 1);
        for place in (0..bytes.len()).step_by(step).chain([last]) {
            assert!(decode::<T>(bytes.slice(..place)).is_err(), "cut at {place}");
            let mut other = bytes.to_vec();
            other[place] ^= 0x40;
            if let Ok(found) = decode::<T>(other.into()) {
                assert_ne!(&found, message, "byte {place}");
            }
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(decode::<T>(longer.into()).is_err());
    }

    #[test]
    fn every_message_comes_back_as_it_went() {
        for value in [None, Some(BLOCK)] {
            holds(&SignedConsensusMsg::Vote(vote(Round::new(0), value)));
            holds(&LivenessMsg::Vote(vote(Round::new(7), value)));
        }
        for valid in [Round::Nil, Round::new(2)] {
            holds(&SignedConsensusMsg::Proposal(proposal(valid)));
            let (round, valid_round, height) = (Round::new(1), valid, EngineHeight(Height(9)));
            let (proposer, value) = (Address::of(MemberNumber(1)), EngineValue(BLOCK));
            for validity in [Validity::Valid, Validity::Invalid] {
                holds(&ProposedValue::<Context> { height, round, valid_round, proposer, value, validity });
            }
        }
        let polka = engine::PolkaCertificate::<Context> {
            height: EngineHeight(Height(4)),
            round: Round::new(1),
            value_id: ValueId(BLOCK),
            polka_signatures: vec![engine::PolkaSignature::new(Address::of(MemberNumber(2)), signature())],
        };
        holds(&polka);
        holds(&LivenessMsg::PolkaCertificate(polka));
        for cert_type in [RoundCertificateType::Skip, RoundCertificateType::Precommit] {
            holds(&LivenessMsg::SkipRoundCertificate(engine::RoundCertificate::<Context> {
                height: EngineHeight(Height(4)),
                round: Round::new(1),
                cert_type,
                round_signatures: vec![engine::RoundSignature {
                    vote_type: VoteType::Prevote,
                    value_id: value_of(None),
                    address: Address::of(MemberNumber(2)),
                    signature: signature(),
                }],
            }));
        }
        let body = Bytes::from(vec![7; PIECE_BYTES + 5]);
        let length = u32::try_from(body.len()).expect("short");
        let init = Init { height: Height(3), round: 1, valid_round: Some(0), proposer: MemberNumber(2), length };
        for part in stream(init, 8, &body) {
            holds(&part);
        }
        let peer_id =
            sync::PeerId::from_bytes(&crate::network::peer_id(&key(1).public()).expect("an ed25519 key").to_bytes())
                .expect("a peer id");
        let (tip_height, history_min_height) = (EngineHeight(Height(9)), EngineHeight(Height(1)));
        holds(&sync::Status::<Context> { peer_id, tip_height, history_min_height });
        holds(&sync::Request::<Context>::ValueRequest(sync::ValueRequest::new(history_min_height..=tip_height)));
        let value = sync::RawDecidedValue::new(Bytes::from_static(b"body"), extended(&commit(3)));
        holds(&sync::Response::<Context>::ValueResponse(sync::ValueResponse::new(tip_height, vec![value])));
    }

    #[test]
    fn the_largest_certificates_fit_and_larger_ones_are_refused() {
        let most = u32::try_from(VALIDATORS).expect("few");
        let answer = |signers| {
            let value = sync::RawDecidedValue::new(Bytes::new(), extended(&commit(signers)));
            sync::Response::<Context>::ValueResponse(sync::ValueResponse::new(EngineHeight(Height(4)), vec![value]))
        };
        let bytes = encode(&answer(most)).expect("a form");
        assert!(bytes.len() <= CERTIFICATE_BYTES);
        assert!(decode::<sync::Response<Context>>(bytes).is_ok());
        assert!(decode::<sync::Response<Context>>(encode(&answer(most + 1)).expect("a form")).is_err());
    }

    #[test]
    fn hostile_bytes_are_refused_and_cost_no_memory() {
        let none: SignedConsensusMsg<Context> = SignedConsensusMsg::Vote(vote(Round::Nil, None));
        assert!(encode(&none).is_err(), "a vote without a round has no form");
        for length in [0, 1, 8, 40, 200, 5000, 200_000] {
            for byte in [0x00, 0x01, 0x7f, 0xff] {
                let bytes = Bytes::from(vec![byte; length]);
                let _ = decode::<SignedConsensusMsg<Context>>(bytes.clone());
                let _ = decode::<LivenessMsg<Context>>(bytes.clone());
                let _ = decode::<StreamMessage<Part>>(bytes.clone());
                let _ = decode::<sync::Status<Context>>(bytes.clone());
                let _ = decode::<sync::Request<Context>>(bytes.clone());
                let _ = decode::<sync::Response<Context>>(bytes.clone());
                let _ = decode::<ProposedValue<Context>>(bytes);
            }
        }
        // A list that claims 2^64 - 1 entries.
        let mut claims = vec![0; 8];
        claims.extend([0xff; 8]);
        assert!(decode::<sync::Response<Context>>(claims.into()).is_err());
        assert!(decode::<sync::Response<Context>>(Bytes::from(vec![0; ANSWER_BYTES + 1])).is_err());
    }

    #[test]
    fn a_certificate_is_handed_to_the_ledger_by_rising_member() {
        let mut shuffled = extended(&commit(3)).trim_vote_extensions();
        shuffled.commit_signatures.reverse();
        assert_eq!(certificate(&shuffled), Ok(commit(3)));
    }
}
