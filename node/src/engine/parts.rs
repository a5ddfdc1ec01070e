//! Proposal parts: a block's body on its way to the other validators.
//!
//! A stream is one `Init` and then the body in pieces of [`PIECE_BYTES`]. The engine does not sign
//! parts, so a stream is bound to whom it comes from: in a full mesh every part comes straight
//! from its proposer, and the peer's member must be the one the `Init` names and whose turn the
//! round is. The body's own hash binds the rest. Streams, pieces, bytes and rounds are limited
//! per peer, and everything below the current height is dropped when a height starts.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::{Height, MemberNumber};
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite::app::types::core as engine;
use thiserror::Error;

use super::context::Context;
use crate::network::PeerId;

/// Bytes of every piece but the last.
pub(crate) const PIECE_BYTES: usize = 128 * 1024;
/// Streams one peer may have open.
const STREAMS_PER_PEER: usize = 3;
/// Bodies one peer may complete for one round: one, and one again after a reconnection.
const BODIES_PER_ROUND: usize = 2;
/// Rounds ahead of the current one that are looked at; the engine looks as far.
const ROUNDS_AHEAD: u32 = 10;

/// A part of a proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// What the stream is.
    Init(Init),
    /// A piece of the body.
    Piece(Bytes),
}

/// What a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Init {
    pub(crate) height: Height,
    pub(crate) round: u32,
    pub(crate) valid_round: Option<u32>,
    pub(crate) proposer: MemberNumber,
    /// Bytes of the body.
    pub(crate) length: u32,
}

impl engine::ProposalPart<Context> for Part {
    fn is_first(&self) -> bool {
        matches!(self, Self::Init(_))
    }

    fn is_last(&self) -> bool {
        // A body ends where its length says.
        false
    }
}

/// Names a stream: height, round, and a number its sender never repeats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct StreamName {
    pub(crate) height: Height,
    pub(crate) round: u32,
    pub(crate) number: u64,
}

/// Bytes of a stream's name.
pub(crate) const STREAM_NAME_BYTES: usize = 20;

impl StreamName {
    /// The name as bytes.
    pub(crate) fn bytes(self) -> [u8; STREAM_NAME_BYTES] {
        let mut bytes = [0; STREAM_NAME_BYTES];
        bytes[..8].copy_from_slice(&self.height.0.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.round.to_be_bytes());
        bytes[12..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    /// The name of a stream id of ours.
    pub(crate) fn of(id: &StreamId) -> Option<Self> {
        let bytes = id.to_bytes();
        let (height, rest) = bytes.split_first_chunk::<8>()?;
        let (round, rest) = rest.split_first_chunk::<4>()?;
        let number = <[u8; 8]>::try_from(rest).ok()?;
        Some(Self {
            height: Height(u64::from_be_bytes(*height)),
            round: u32::from_be_bytes(*round),
            number: u64::from_be_bytes(number),
        })
    }
}

/// Cuts a body into the messages of one stream.
pub(crate) fn stream(init: Init, number: u64, body: &Bytes) -> Vec<StreamMessage<Part>> {
    let name = StreamName { height: init.height, round: init.round, number };
    let id = StreamId::new(Bytes::copy_from_slice(&name.bytes()));
    let pieces = (0..body.len()).step_by(PIECE_BYTES).map(|from| {
        let to = (from + PIECE_BYTES).min(body.len());
        Part::Piece(body.slice(from..to))
    });
    std::iter::once(Part::Init(init))
        .chain(pieces)
        .zip(0..)
        .map(|(part, sequence)| StreamMessage::new(id.clone(), sequence, StreamContent::Data(part)))
        .collect()
}

/// A body that is complete, and what its stream said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Assembled {
    pub(crate) init: Init,
    pub(crate) body: Bytes,
}

/// Why a part was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum PartError {
    #[error("the stream has no name of ours")]
    Name,
    #[error("height {0} is not the current or the next one")]
    Height(Height),
    #[error("round {0} is too far ahead")]
    Round(u32),
    #[error("the proposer named is not the sender's member")]
    Proposer,
    #[error("it is not member {0}'s turn")]
    Turn(MemberNumber),
    #[error("the stream contradicts itself or a limit")]
    Malformed,
    #[error("the peer has sent enough bodies for round {0}")]
    Enough(u32),
}

/// Where consensus stands, for judging parts.
pub(crate) struct Standing<'a> {
    /// The height in progress.
    pub(crate) height: Height,
    /// The round in progress.
    pub(crate) round: u32,
    /// Whose turn a round of the height in progress is.
    pub(crate) turn: &'a dyn Fn(u32) -> Option<MemberNumber>,
}

/// Puts the parts of each peer's streams together.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    peers: BTreeMap<PeerId, PeerStreams>,
}

#[derive(Debug, Default)]
struct PeerStreams {
    /// The oldest first.
    open: Vec<OpenStream>,
    completed: BTreeMap<(Height, u32), usize>,
}

#[derive(Debug)]
struct OpenStream {
    name: StreamName,
    init: Option<Init>,
    pieces: BTreeMap<u64, Bytes>,
    bytes: usize,
}

impl Assembler {
    /// Takes a part of a peer that belongs to `member`; returns the body it completes.
    ///
    /// # Errors
    /// [`PartError`]; the part is dropped, and with it a stream that cannot come out right.
    pub(crate) fn add(
        &mut self,
        from: PeerId,
        member: MemberNumber,
        message: StreamMessage<Part>,
        standing: &Standing<'_>,
    ) -> Result<Option<Assembled>, PartError> {
        let name = StreamName::of(&message.stream_id).ok_or(PartError::Name)?;
        self.judge(name, member, standing)?;
        let streams = self.peers.entry(from).or_default();
        let completed = streams.completed.get(&(name.height, name.round)).copied().unwrap_or(0);
        if completed >= BODIES_PER_ROUND {
            return Err(PartError::Enough(name.round));
        }
        let stream = streams.open(name);
        let StreamContent::Data(part) = message.content else { return Ok(None) };
        let added = match part {
            Part::Init(init) if init.proposer != member => Err(PartError::Proposer),
            Part::Init(init) => stream.begin(init, message.sequence),
            Part::Piece(piece) => stream.piece(message.sequence, piece),
        };
        let body = added.and_then(|()| stream.body());
        if !matches!(body, Ok(None)) {
            streams.open.retain(|open| open.name != name);
        }
        if let Ok(Some(_)) = &body {
            *streams.completed.entry((name.height, name.round)).or_default() += 1;
        }
        body
    }

    /// Forgets everything below a height.
    pub(crate) fn start_height(&mut self, height: Height) {
        self.peers.retain(|_, streams| {
            streams.open.retain(|stream| stream.name.height >= height);
            streams.completed.retain(|(of, _), _| *of >= height);
            !streams.open.is_empty() || !streams.completed.is_empty()
        });
    }

    fn judge(&self, name: StreamName, member: MemberNumber, standing: &Standing<'_>) -> Result<(), PartError> {
        let current = name.height == standing.height;
        if !current && name.height != standing.height.next() {
            return Err(PartError::Height(name.height));
        }
        let round = if current { standing.round } else { 0 };
        if name.round > round.saturating_add(ROUNDS_AHEAD) {
            return Err(PartError::Round(name.round));
        }
        // The validators of the next height are known only once this one is final.
        if current && (standing.turn)(name.round).is_some_and(|turn| turn != member) {
            return Err(PartError::Turn(member));
        }
        Ok(())
    }
}

impl PeerStreams {
    fn open(&mut self, name: StreamName) -> &mut OpenStream {
        if let Some(place) = self.open.iter().position(|stream| stream.name == name) {
            return &mut self.open[place];
        }
        if self.open.len() >= STREAMS_PER_PEER {
            self.open.remove(0);
        }
        self.open.push(OpenStream { name, init: None, pieces: BTreeMap::new(), bytes: 0 });
        self.open.last_mut().expect("a stream was just added")
    }
}

impl OpenStream {
    fn begin(&mut self, init: Init, sequence: u64) -> Result<(), PartError> {
        let length = usize::try_from(init.length).map_err(|_| PartError::Malformed)?;
        let named = (init.height, init.round) == (self.name.height, self.name.round);
        let repeated = self.init.is_some_and(|before| before != init);
        let valid_round = init.valid_round.is_none_or(|valid| valid < init.round);
        if sequence != 0 || !named || repeated || !valid_round || length == 0 || length > BLOCK_BYTES {
            return Err(PartError::Malformed);
        }
        self.init = Some(init);
        Ok(())
    }

    fn piece(&mut self, sequence: u64, piece: Bytes) -> Result<(), PartError> {
        let most = BLOCK_BYTES.div_ceil(PIECE_BYTES);
        let place = usize::try_from(sequence).map_err(|_| PartError::Malformed)?;
        if place == 0 || place > most || piece.is_empty() || piece.len() > PIECE_BYTES {
            return Err(PartError::Malformed);
        }
        self.bytes += piece.len();
        match self.pieces.insert(sequence, piece) {
            Some(_) => Err(PartError::Malformed),
            None => Ok(()),
        }
    }

    /// The body, once every piece is there; an error once it cannot come out right.
    fn body(&self) -> Result<Option<Assembled>, PartError> {
        let Some(init) = self.init else { return Ok(None) };
        let length = usize::try_from(init.length).map_err(|_| PartError::Malformed)?;
        let count = length.div_ceil(PIECE_BYTES);
        let last = self.pieces.last_key_value().map_or(0, |(last, _)| *last);
        let beyond = usize::try_from(last).map_or(true, |last| last > count);
        if beyond || self.bytes > length {
            return Err(PartError::Malformed);
        }
        if self.pieces.len() < count {
            return Ok(None);
        }
        if self.bytes < length {
            return Err(PartError::Malformed);
        }
        let mut body = BytesMut::with_capacity(length);
        for piece in self.pieces.values() {
            body.extend_from_slice(piece);
        }
        Ok(Some(Assembled { init, body: body.freeze() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: MemberNumber = MemberNumber(2);

    fn peer(seed: u8) -> PeerId {
        crate::network::peer_id(&super::super::signing::tests::key(seed).public()).expect("an ed25519 key")
    }

    fn init(round: u32, body: &Bytes) -> Init {
        let length = u32::try_from(body.len()).expect("a short body");
        Init { height: Height(5), round, valid_round: None, proposer: MEMBER, length }
    }

    fn body(bytes: usize) -> Bytes {
        (0..bytes).map(|place| u8::try_from(place % 251).expect("below 251")).collect()
    }

    fn add(assembler: &mut Assembler, message: StreamMessage<Part>) -> Result<Option<Assembled>, PartError> {
        let standing = Standing { height: Height(5), round: 0, turn: &|_| Some(MEMBER) };
        assembler.add(peer(1), MEMBER, message, &standing)
    }

    fn all(assembler: &mut Assembler, parts: Vec<StreamMessage<Part>>) -> Vec<Result<Option<Assembled>, PartError>> {
        parts.into_iter().map(|part| add(assembler, part)).collect()
    }

    #[test]
    fn a_body_comes_out_as_it_went_in_in_any_order() {
        for bytes in [1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let body = body(bytes);
            let parts = stream(init(0, &body), 1, &body);
            assert_eq!(parts.len(), 1 + bytes.div_ceil(PIECE_BYTES));
            let whole = Ok(Some(Assembled { init: init(0, &body), body: body.clone() }));
            let mut assembler = Assembler::default();
            assert_eq!(all(&mut assembler, parts.clone()).pop(), Some(whole.clone()));
            let mut assembler = Assembler::default();
            assert_eq!(all(&mut assembler, parts.into_iter().rev().collect()).pop(), Some(whole));
        }
    }

    #[test]
    fn a_stream_of_another_member_height_round_or_turn_is_dropped() {
        let body = body(10);
        let first = |init: Init| stream(init, 1, &body).swap_remove(0);
        let mut assembler = Assembler::default();
        let good = init(0, &body);
        let cases = [
            (Init { proposer: MemberNumber(3), ..good }, PartError::Proposer),
            (Init { height: Height(4), ..good }, PartError::Height(Height(4))),
            (Init { height: Height(7), ..good }, PartError::Height(Height(7))),
            (Init { height: Height(u64::MAX), ..good }, PartError::Height(Height(u64::MAX))),
            (Init { round: 11, ..good }, PartError::Round(11)),
            (Init { valid_round: Some(0), ..good }, PartError::Malformed),
            (Init { length: u32::MAX, ..good }, PartError::Malformed),
            (Init { length: 0, ..good }, PartError::Malformed),
        ];
        for (init, error) in cases {
            assert_eq!(add(&mut assembler, first(init)), Err(error), "{init:?}");
        }
        let standing = Standing { height: Height(5), round: 0, turn: &|_| Some(MemberNumber(9)) };
        assert_eq!(assembler.add(peer(1), MEMBER, first(good), &standing), Err(PartError::Turn(MEMBER)));
        let nameless = StreamMessage::new(StreamId::new(Bytes::from_static(b"x")), 0, StreamContent::Fin);
        assert_eq!(add(&mut assembler, nameless), Err(PartError::Name));
        assert!(assembler.peers.values().all(|streams| streams.open.is_empty()));
    }

    #[test]
    fn streams_pieces_bytes_and_bodies_are_limited() {
        let body = body(2 * PIECE_BYTES);
        let parts = stream(init(0, &body), 1, &body);
        let mut assembler = Assembler::default();
        // A piece twice, one beyond the length, one too long, and one at no place.
        let beyond = StreamMessage::new(parts[0].stream_id.clone(), 3, parts[1].content.clone());
        for bad in [
            vec![parts[1].clone(), parts[1].clone()],
            vec![parts[0].clone(), beyond],
            vec![StreamMessage::new(parts[0].stream_id.clone(), 0, parts[1].content.clone())],
            vec![StreamMessage::new(parts[0].stream_id.clone(), u64::MAX, parts[1].content.clone())],
            vec![StreamMessage::new(
                parts[0].stream_id.clone(),
                1,
                StreamContent::Data(Part::Piece(Bytes::from(vec![0; PIECE_BYTES + 1]))),
            )],
        ] {
            assert_eq!(all(&mut assembler, bad).pop(), Some(Err(PartError::Malformed)));
            assert!(assembler.peers.values().all(|streams| streams.open.is_empty()), "the stream is gone");
        }
        // Many streams of one peer: only the newest stay.
        for number in 0..100 {
            assert_eq!(add(&mut assembler, stream(init(0, &body), number, &body).swap_remove(0)), Ok(None));
        }
        assert_eq!(assembler.peers[&peer(1)].open.len(), STREAMS_PER_PEER);
        // The same body again and again: enough is enough.
        let last: Vec<_> = (100..103)
            .map(|number| all(&mut assembler, stream(init(0, &body), number, &body)).pop().expect("parts"))
            .collect();
        assert!(matches!(last[..], [Ok(Some(_)), Ok(Some(_)), Err(PartError::Enough(0))]));
        assembler.start_height(Height(6));
        assert!(assembler.peers.is_empty());
    }
}
