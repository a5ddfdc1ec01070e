//! Standings (状态): where each certificate stands, and how acts change that.
//!
//! A page record lists only the exceptions: a line that is not listed is in force. Suspension is
//! not a state but a set of holds, one a body, so that what one body withheld no other body gives
//! back. Rules S-1 to S-9: `sdk/spec/standings.md`; states and operations as in CRT-03.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError, encoded_as, encoded_by_number};
use crate::day::Millis;
use crate::digest::Digest;
use crate::limits::RECORD_BYTES;
use crate::number::{ActNumber, Height, KeyNumber, LineNumber, LinePlace, MemberNumber, ReasonCode};

/// State of a line: the low nibble of a standing. A case is active or closed, a grant active or withdrawn,
/// and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum State {
    /// 有效 (01). With a live hold: 暂扣 (02).
    Active = 0,
    /// 撤销 (03): should not have been granted.
    Annulled = 1,
    /// 注销 (04): deregistered.
    Cancelled = 2,
    /// 失效 (05): its end was recorded.
    Expired = 3,
    /// 转出 (06): leaving to another issuer.
    TransferringOut = 4,
    /// 吊销 (07): penalty.
    Revoked = 5,
    /// 已换发: replaced by renewal, change or correction, or taken over by another issuer.
    Superseded = 6,
    /// 已核销: a one-time document that was used.
    Consumed = 7,
    /// Replaced by a line with a new holder key (补绑); the certificate goes on there.
    Rekeyed = 8,
    /// 办结: a case that was handled to its end.
    Closed = 9,
    /// 撤回: a grant that its holder withdrew.
    Withdrawn = 10,
}

impl State {
    fn from_nibble(nibble: u8) -> Option<Self> {
        Some(match nibble {
            0 => Self::Active,
            1 => Self::Annulled,
            2 => Self::Cancelled,
            3 => Self::Expired,
            4 => Self::TransferringOut,
            5 => Self::Revoked,
            6 => Self::Superseded,
            7 => Self::Consumed,
            8 => Self::Rekeyed,
            9 => Self::Closed,
            10 => Self::Withdrawn,
            _ => return None,
        })
    }
}

const DISPUTED: u8 = 0x10;
const KEY_BLOCKED: u8 = 0x20;

/// State and flags of a line, one byte on the ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Standing {
    /// The state.
    pub state: State,
    /// 异议标注: an objection is open; a warning, not a bar.
    pub disputed: bool,
    /// The holder's key was reported lost: codes are refused, the certificate stands.
    pub key_blocked: bool,
}

impl Standing {
    /// What a line has that no exception names.
    pub const ACTIVE: Self = Self { state: State::Active, disputed: false, key_blocked: false };

    /// The standing with another state.
    pub fn with(self, state: State) -> Self {
        Self { state, ..self }
    }
}

impl From<Standing> for u8 {
    fn from(standing: Standing) -> u8 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        standing.state as u8 | flag(standing.disputed, DISPUTED) | flag(standing.key_blocked, KEY_BLOCKED)
    }
}

impl TryFrom<u8> for Standing {
    type Error = String;

    fn try_from(byte: u8) -> Result<Self, String> {
        let state = State::from_nibble(byte & 0x0f).filter(|_| byte & 0xc0 == 0);
        let state = state.ok_or_else(|| format!("no standing has the byte {byte:#04x}"))?;
        Ok(Self { state, disputed: byte & DISPUTED != 0, key_blocked: byte & KEY_BLOCKED != 0 })
    }
}

encoded_as!(Standing, u8);

/// One body's suspension of a line (暂扣).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Hold {
    /// The body.
    pub by: MemberNumber,
    /// When it ends by itself, if it does (CRT-06).
    pub until: Option<Millis>,
}

impl Hold {
    /// Whether it still holds at a moment.
    pub fn is_live(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A line that is not simply in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Exception {
    /// The line's place on its page.
    pub place: u16,
    /// State and flags.
    pub standing: Standing,
    /// Suspensions, by rising member number, one a body.
    pub holds: Vec<Hold>,
}

/// A page's record: what its book's list of pages holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Page {
    /// Lines on the page, 1 to 1,024.
    pub lines: u16,
    /// Root of the lines.
    pub root: Digest,
    /// Lines that are not simply in force, by rising place.
    pub exceptions: Vec<Exception>,
}

impl Page {
    /// A line's exception, if it has one.
    pub fn exception(&self, place: u16) -> Option<&Exception> {
        let found = self.exceptions.binary_search_by_key(&place, |exception| exception.place).ok()?;
        Some(&self.exceptions[found])
    }

    /// Standing and holds of a line.
    pub fn standing(&self, place: u16) -> (Standing, &[Hold]) {
        self.exception(place).map_or((Standing::ACTIVE, &[]), |found| (found.standing, &found.holds))
    }

    /// Puts a line's standing and holds, dropping the exception where the line is simply in force.
    pub fn set(&mut self, place: u16, standing: Standing, holds: Vec<Hold>) {
        let plain = standing == Standing::ACTIVE && holds.is_empty();
        match self.exceptions.binary_search_by_key(&place, |exception| exception.place) {
            Ok(found) if plain => drop(self.exceptions.remove(found)),
            Ok(found) => self.exceptions[found] = Exception { place, standing, holds },
            Err(_) if plain => (),
            Err(gap) => self.exceptions.insert(gap, Exception { place, standing, holds }),
        }
    }

    /// The bytes that enter the book's list of pages.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an entry of the list of pages. Rule S-2: exceptions and holds rise, places exist, and
    /// no exception says what its absence would say.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let page: Self = codec::decode(bytes, RECORD_BYTES)?;
        let rising = page.exceptions.windows(2).all(|pair| pair[0].place < pair[1].place);
        let each = page.exceptions.iter().all(|exception| {
            exception.place < page.lines
                && (exception.standing != Standing::ACTIVE || !exception.holds.is_empty())
                && exception.holds.windows(2).all(|pair| pair[0].by < pair[1].by)
        });
        if rising && each { Ok(page) } else { Err(DecodeError::NotCanonical) }
    }
}

/// What an act does. Numbers are permanent; the code of the exchange format stands in brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum ActKind {
    /// 暂扣 (03).
    Suspend = 0,
    /// 暂扣发还 (06).
    Return = 1,
    /// 注销 (05).
    Cancel = 2,
    /// 撤销 (05).
    Annul = 3,
    /// 吊销 (05).
    Revoke = 4,
    /// 转出 (05).
    TransferOut = 5,
    /// 取消转出 (10).
    CancelTransfer = 6,
    /// 过期失效 (04), recorded.
    Expire = 7,
    /// 异议标注.
    Dispute = 8,
    /// 撤销异议标注.
    ClearDispute = 9,
    /// 挂失: blocks the holder's key, leaves the certificate alone.
    BlockKey = 10,
    /// 延续 (02).
    Renew = 11,
    /// 变更.
    Change = 12,
    /// 更正 (09).
    Correct = 13,
    /// 补绑: a new holder key.
    Rekey = 14,
    /// 转入 (08).
    TransferIn = 15,
    /// 核销.
    Consume = 16,
    /// 办理进展: a step of a case, or its end.
    Step = 17,
    /// 撤回授权: a grant's, by whoever knows its secret.
    Withdraw = 18,
}

impl ActKind {
    /// Every act, by number.
    pub const ALL: [Self; 19] = [
        Self::Suspend,
        Self::Return,
        Self::Cancel,
        Self::Annul,
        Self::Revoke,
        Self::TransferOut,
        Self::CancelTransfer,
        Self::Expire,
        Self::Dispute,
        Self::ClearDispute,
        Self::BlockKey,
        Self::Renew,
        Self::Change,
        Self::Correct,
        Self::Rekey,
        Self::TransferIn,
        Self::Consume,
        Self::Step,
        Self::Withdraw,
    ];

    /// Every act on a certificate, by number.
    pub fn of_certificates() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| !matches!(kind, Self::Step | Self::Withdraw))
    }

    /// The set of reference codes that its reason is of.
    pub fn reasons(self) -> &'static str {
        if self == Self::Step { "steps" } else { "reasons" }
    }

    /// Whether nothing can follow it: such acts need two persons.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Cancel | Self::Annul | Self::Revoke)
    }
}

encoded_by_number!(ActKind);

/// A set of acts on certificates, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct ActKinds(u32);

impl ActKinds {
    /// Every act there is on a certificate.
    pub fn all() -> Self {
        ActKind::of_certificates().collect()
    }

    /// The set of these acts.
    pub fn of(kinds: &[ActKind]) -> Self {
        kinds.iter().copied().collect()
    }

    /// Whether the set holds this act.
    pub fn has(self, kind: ActKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl FromIterator<ActKind> for ActKinds {
    fn from_iter<I: IntoIterator<Item = ActKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8))
    }
}

/// An act (行为) on a line, as the book records it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Act {
    /// The line.
    pub line: LineNumber,
    /// What was done.
    pub kind: ActKind,
    /// Standing before.
    pub from: Standing,
    /// Standing after.
    pub to: Standing,
    /// Why, from the reference codes; of a case, which step; 0 for a grant, whose holder says no reason.
    pub reason: ReasonCode,
    /// Freshly salted hash of the decision document; zeros for a grant.
    pub decision: Digest,
    /// When.
    pub height: Height,
    /// Who.
    pub by: MemberNumber,
    /// With which of its keys.
    pub keys: Vec<KeyNumber>,
    /// Whose hold was lifted, for a return.
    pub hold: Option<MemberNumber>,
    /// When a suspension ends by itself.
    pub until: Option<Millis>,
    /// Who the line was given up to, for a transfer out and every act while it is in transfer.
    pub target: Option<MemberNumber>,
    /// The line that goes on from here, for a renewal, change, correction, new key or transfer in.
    pub successor: Option<LinePlace>,
    /// The act before on the same line: a history is complete or visibly broken.
    pub previous: Option<ActNumber>,
}

impl Act {
    /// The bytes that enter the book's list of acts.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an entry of the list of acts.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, RECORD_BYTES)
    }
}

/// The latest act of each line of a page that had any: an entry of the book's list of heads.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, Encode, Decode)]
pub struct ActHeads {
    /// (place, latest act), by rising place.
    pub heads: Vec<(u16, ActNumber)>,
}

impl ActHeads {
    /// The latest act on a line.
    pub fn of(&self, place: u16) -> Option<ActNumber> {
        let found = self.heads.binary_search_by_key(&place, |head| head.0).ok()?;
        Some(self.heads[found].1)
    }

    /// Notes a new latest act.
    pub fn set(&mut self, place: u16, act: ActNumber) {
        match self.heads.binary_search_by_key(&place, |head| head.0) {
            Ok(found) => self.heads[found].1 = act,
            Err(gap) => self.heads.insert(gap, (place, act)),
        }
    }

    /// The bytes that enter the book's list of heads.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an entry of the list of heads. Places rise.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let heads: Self = codec::decode(bytes, RECORD_BYTES)?;
        let rising = heads.heads.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if rising { Ok(heads) } else { Err(DecodeError::NotCanonical) }
    }
}
