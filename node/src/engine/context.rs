//! The ledger's words in the engine's grammar.
//!
//! A value is a block id: bodies travel as proposal parts. A validator's address is its member
//! number. Equality is by value and nothing carries a time, so that two nodes never disagree on
//! whether two messages are the same.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use fengni_core::{BlockId, Domain, Height, MemberNumber, PublicKey, Signature, ValidatorSet, VoteStep};
use fengni_core::{proposal_bytes, vote_bytes};
use malachite::app::types::core as engine;
pub(crate) use malachite::app::types::core::{NilOrVal, Round, VoteType};

use super::parts::Part;

macro_rules! wrap {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub(crate) struct $name(pub(crate) $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

wrap! {
    /// A height.
    EngineHeight(Height);
    /// A value's id: the block's.
    ValueId(BlockId);
    /// A value: again the block's id.
    EngineValue(BlockId);
}

/// A validator: its member number.
///
/// The engine asks whether it votes at a height by looking its own address up in the set. That one
/// carries a mark, so that a set can be silent for it ([`EngineSet::silent`]) and still know the
/// member, whose votes may come from another machine. Addresses are the same where their members
/// are; the mark never leaves the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) MemberNumber, bool);

impl Address {
    /// The address of a node that is no validator: no member has it.
    pub(crate) const OBSERVER: Self = Self(MemberNumber(u32::MAX), true);

    /// A member's address.
    pub(crate) fn of(member: MemberNumber) -> Self {
        Self(member, false)
    }

    /// This node's own address.
    pub(crate) fn own(member: MemberNumber) -> Self {
        Self(member, true)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Address {}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for EngineHeight {
    fn default() -> Self {
        Self(Height(0))
    }
}

impl engine::Height for EngineHeight {
    const ZERO: Self = Self(Height(0));
    const INITIAL: Self = Self(Height(1));

    fn increment_by(&self, n: u64) -> Self {
        // Saturating: a peer may name any height.
        Self(Height(self.0.0.saturating_add(n)))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.0.checked_sub(n).map(|height| Self(Height(height)))
    }

    fn as_u64(&self) -> u64 {
        self.0.0
    }
}

impl engine::Address for Address {}

impl engine::Value for EngineValue {
    type Id = ValueId;

    fn id(&self) -> ValueId {
        ValueId(self.0)
    }
}

/// A vote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Vote {
    pub(crate) step: VoteType,
    pub(crate) height: EngineHeight,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<ValueId>,
    pub(crate) address: Address,
}

impl Vote {
    /// The ledger's bytes of this vote; `None` for a vote without a round.
    pub(crate) fn bytes(&self, domain: &Domain) -> Option<Vec<u8>> {
        let round = self.round.as_u32()?;
        Some(vote_bytes(domain, step_of(self.step), self.height.0, round, self.block(), self.address.0))
    }

    /// The block voted for.
    pub(crate) fn block(&self) -> Option<BlockId> {
        match self.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(id) => Some(id.0),
        }
    }
}

/// The ledger's word for a vote type.
pub(crate) fn step_of(step: VoteType) -> VoteStep {
    match step {
        VoteType::Prevote => VoteStep::Prevote,
        VoteType::Precommit => VoteStep::Precommit,
    }
}

impl engine::Vote<Context> for Vote {
    fn height(&self) -> EngineHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<ValueId> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<ValueId> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.step
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }

    // Votes carry no extensions: the policy of every height forbids them.
    fn extension(&self) -> Option<&engine::SignedExtension<Context>> {
        None
    }

    fn take_extension(&mut self) -> Option<engine::SignedExtension<Context>> {
        None
    }

    fn extend(self, _: engine::SignedExtension<Context>) -> Self {
        self
    }
}

/// A proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proposal {
    pub(crate) height: EngineHeight,
    pub(crate) round: Round,
    pub(crate) value: EngineValue,
    pub(crate) valid_round: Round,
    pub(crate) address: Address,
}

impl Proposal {
    /// The ledger's bytes of this proposal; `None` for one without a round.
    pub(crate) fn bytes(&self, domain: &Domain) -> Option<Vec<u8>> {
        let round = self.round.as_u32()?;
        let valid = self.valid_round.as_u32();
        Some(proposal_bytes(domain, self.height.0, round, valid, self.value.0, self.address.0))
    }
}

impl engine::Proposal<Context> for Proposal {
    fn height(&self) -> EngineHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &EngineValue {
        &self.value
    }

    fn take_value(self) -> EngineValue {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.valid_round
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }
}

/// A validator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EngineValidator {
    address: Address,
    key: PublicKey,
    power: u64,
}

impl engine::Validator<Context> for EngineValidator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

/// The validators of a height, by rising member number: the same on every node, because the set
/// comes from the state of the block before and its own constructor keeps the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EngineSet {
    validators: Arc<Vec<EngineValidator>>,
    silent: bool,
}

impl EngineSet {
    pub(crate) fn new(set: &ValidatorSet) -> Self {
        let validators = set.iter().map(|validator| EngineValidator {
            address: Address::of(validator.member),
            key: validator.key,
            power: validator.power,
        });
        Self { validators: Arc::new(validators.collect()), silent: false }
    }

    /// The same validators at a height where this node only follows, whoever it is.
    pub(crate) fn silent(self) -> Self {
        Self { silent: true, ..self }
    }

    /// Whether this node votes at the height, as a member.
    pub(crate) fn votes(&self, member: MemberNumber) -> bool {
        !self.silent && self.key(member).is_some()
    }

    /// Whose turn it is: each in turn, the next one when a round fails.
    pub(crate) fn proposer(&self, height: Height, round: u32) -> MemberNumber {
        self.in_turn(height, round).address.0
    }

    fn in_turn(&self, height: Height, round: u32) -> &EngineValidator {
        let count = u64::try_from(self.validators.len()).expect("a set has at most 256 validators");
        let turn = height.0.wrapping_add(u64::from(round)) % count;
        &self.validators[usize::try_from(turn).expect("the turn is below the number of validators")]
    }

    /// The key a member signs with.
    pub(crate) fn key(&self, member: MemberNumber) -> Option<&PublicKey> {
        let found = self.validators.binary_search_by_key(&member, |validator| validator.address.0).ok()?;
        Some(&self.validators[found].key)
    }

    /// The members in the set.
    pub(crate) fn members(&self) -> impl Iterator<Item = MemberNumber> {
        self.validators.iter().map(|validator| validator.address.0)
    }
}

impl engine::ValidatorSet<Context> for EngineSet {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.validators.iter().map(|validator| validator.power).sum()
    }

    fn get_by_address(&self, address: &Address) -> Option<&EngineValidator> {
        if self.silent && address.1 {
            return None;
        }
        let found = self.validators.binary_search_by_key(address, |validator| validator.address).ok()?;
        self.validators.get(found)
    }

    fn get_by_index(&self, index: usize) -> Option<&EngineValidator> {
        self.validators.get(index)
    }
}

/// The signature scheme of votes and proposals: tagged keys and signatures of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scheme;

impl engine::SigningScheme for Scheme {
    type DecodingError = fengni_core::keys::KeyError;
    type Signature = Signature;
    type PublicKey = PublicKey;
    // The secret key stays in the signer, behind the guard.
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, Self::DecodingError> {
        Signature::from_wire(bytes)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.wire()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, Self::DecodingError> {
        PublicKey::from_wire(bytes)
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.wire()
    }
}

/// The engine's name for all of these together.
#[derive(Clone, Debug)]
pub(crate) struct Context;

impl engine::Context for Context {
    type Address = Address;
    type Height = EngineHeight;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = EngineValidator;
    type ValidatorSet = EngineSet;
    type Timeouts = engine::LinearTimeouts;
    type Value = EngineValue;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, set: &'a EngineSet, height: EngineHeight, round: Round) -> &'a EngineValidator {
        set.in_turn(height.0, round.as_u32().unwrap_or(0))
    }

    fn new_proposal(
        &self,
        height: EngineHeight,
        round: Round,
        value: EngineValue,
        valid_round: Round,
        address: Address,
    ) -> Proposal {
        Proposal { height, round, value, valid_round, address }
    }

    fn new_prevote(&self, height: EngineHeight, round: Round, value: NilOrVal<ValueId>, address: Address) -> Vote {
        Vote { step: VoteType::Prevote, height, round, value, address }
    }

    fn new_precommit(&self, height: EngineHeight, round: Round, value: NilOrVal<ValueId>, address: Address) -> Vote {
        Vote { step: VoteType::Precommit, height, round, value, address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::ValidatorSet as _;
    use fengni_core::Validator;

    #[test]
    fn each_validator_has_its_turn_and_a_failed_round_moves_on() {
        let key = super::super::signing::tests::key(1).public();
        let members = [3, 5, 9].map(MemberNumber);
        let set = members.map(|member| Validator { member, key, power: 10 });
        let set = EngineSet::new(&ValidatorSet::new(set.to_vec()).expect("a set"));
        let turns: Vec<u32> = (3..9).map(|height| set.proposer(Height(height), 0).0).collect();
        assert_eq!(turns, [3, 5, 9, 3, 5, 9]);
        assert_ne!(set.proposer(Height(3), 0), set.proposer(Height(3), 1));
        // Neither overflows nor panics at the far end.
        set.proposer(Height(u64::MAX), u32::MAX);
    }

    #[test]
    fn a_silent_set_knows_the_member_and_not_this_node() {
        let key = super::super::signing::tests::key;
        let validator = |seed: u8| Validator { member: MemberNumber(seed.into()), key: key(seed).public(), power: 1 };
        let set = fengni_core::ValidatorSet::new((1..=4).map(validator).collect()).expect("four validators");
        let (own, member) = (Address::own(MemberNumber(3)), Address::of(MemberNumber(3)));
        assert_eq!(own, member);
        let set = EngineSet::new(&set);
        assert!(set.votes(own.0) && set.get_by_address(&own).is_some());
        let set = set.silent();
        assert!(!set.votes(own.0) && set.get_by_address(&own).is_none(), "this node does not vote");
        assert_eq!(set.get_by_address(&member).map(|found| found.power), Some(1), "the member's votes count");
        assert_eq!((set.count(), set.total_voting_power(), set.key(own.0).is_some()), (4, 4, true));
    }
}
