//! Membership: what the register says of this node, and whom it lets in.
//!
//! The member registry alone says which peers may connect and who votes; the configuration says
//! only which member's node this is and whom to dial. So a member that joins, leaves or takes
//! other keys is followed by every node from the height on at which the register says so, and
//! nobody edits a file.

use std::sync::Arc;

use fengni_core::id::CreditCode;
use fengni_core::record::{KeyPurpose, Member, MemberStatus};
use fengni_core::{MemberNumber, PublicKey};
use fengni_signer::Signer;
use fengni_state::State;

/// What a node knows of itself.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Credit code of the member whose node this is.
    pub code: CreditCode,
    /// The key that names the node on the network.
    pub peer: PublicKey,
    /// The keys it could vote with; none for an observer.
    pub consensus: Vec<PublicKey>,
}

impl Membership {
    /// Why this node is not what its operator means it to be at the next height, with the next
    /// step; `None` where all is well.
    pub fn trouble(&self, state: &State) -> Option<String> {
        let height = state.height().next();
        let Some(number) = find(state, &self.code) else {
            return Some(format!(
                "the register lists no member {} at height {height}: peers refuse this node until a vote has admitted \
                 its member; next: apply for membership, or wait for its first height",
                self.code
            ));
        };
        let member = state.member(number)?;
        if member.status != MemberStatus::Active {
            return Some(format!(
                "member {number} is {} at height {height}: peers refuse this node and it does not vote; next: stop it, \
                 or have the member made active by a vote",
                if member.status == MemberStatus::Suspended { "suspended" } else { "removed" }
            ));
        }
        let valid = |purpose, key: &PublicKey| {
            member.keys.iter().any(|known| known.purpose == purpose && known.key == *key && known.is_valid_at(height))
        };
        let seat = state.recovery().and_then(|handover| handover.plan.seats.iter().find(|seat| seat.member == number));
        let seated = seat.is_some_and(|seat| seat.peer == Some(self.peer));
        if !seated && !valid(KeyPurpose::Peer, &self.peer) {
            return Some(format!(
                "peers refuse this node's key: {} is not a peer key of member {number} at height {height}; next: wait \
                 for its first height, have it registered, or name the key file that is",
                self.peer
            ));
        }
        let named = state.next_validators().get(number).map(|validator| validator.key);
        match named {
            Some(key) if !self.consensus.is_empty() && !self.consensus.contains(&key) => Some(format!(
                "this node does not vote: the register names {key} for member {number} at height {height}, which is no \
                 consensus key of this node; next: name that key's file in [keys]"
            )),
            None if !self.consensus.is_empty() => Some(format!(
                "this node does not vote: member {number} has no vote at height {height}; next: wait for the first \
                 height of its consensus key, or run the node as an observer"
            )),
            _ => None,
        }
    }
}

/// The member with a credit code: the active one, or else the latest that had it.
pub fn find(state: &State, code: &CreditCode) -> Option<MemberNumber> {
    let of_code = || state.members().iter().zip(0..).filter(|(member, _)| member.code == *code);
    let active = of_code().find(|(member, _)| member.status == MemberStatus::Active);
    active.or_else(|| of_code().last()).map(|(_, number)| MemberNumber(number))
}

/// Peer keys that the register lets in at the next height, each with its member; and those of a
/// recovery that the next block records, whose nodes are known by its plan alone until then.
pub fn listed(state: &State) -> Vec<(PublicKey, MemberNumber)> {
    let height = state.height().next();
    let keys = |member: &Member| {
        let valid = member.keys.iter().filter(|key| key.purpose == KeyPurpose::Peer && key.is_valid_at(height));
        valid.map(|key| key.key).collect::<Vec<_>>()
    };
    let active = state.members().iter().zip(0..).filter(|(member, _)| member.status == MemberStatus::Active);
    let listed =
        active.flat_map(|(member, number)| keys(member).into_iter().map(move |key| (key, MemberNumber(number))));
    let seats = state.recovery().into_iter().flat_map(|handover| &handover.plan.seats);
    listed.chain(seats.filter_map(|seat| Some((seat.peer?, seat.member)))).collect()
}

/// The consensus keys of a node that may vote from the next height on: a recovery that the next block
/// records ends every key that the register knows, and what these have signed binds nobody.
pub fn voting_keys(state: &State, keys: &[Arc<dyn Signer>]) -> Vec<Arc<dyn Signer>> {
    let ends = |key: &PublicKey| {
        let mut known = state.members().iter().flat_map(|member| &member.keys);
        state.recovery().is_some() && known.any(|known| known.key == *key)
    };
    keys.iter().filter(|key| !ends(&key.public())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use fengni_core::{Height, Millis};
    use fengni_genesis::sample;
    use fengni_state::{Founding, State};

    use super::*;

    fn founding() -> (fengni_core::Domain, Founding) {
        let genesis =
            sample::network(Millis(1_800_000_000_000), &sample::test_key).check().expect("the sample is right");
        (genesis.domain(), genesis.founding())
    }

    fn key(purpose: KeyPurpose) -> PublicKey {
        sample::test_secret("PSB", purpose, 0).public()
    }

    /// What a validator of PSB says of itself under a founding that differs from the sample.
    fn trouble(change: impl Fn(&mut Member)) -> Option<String> {
        let (domain, mut founding) = founding();
        let number = sample::member("PSB").expect("a sample member");
        let code = founding.members[number.0 as usize].code;
        change(&mut founding.members[number.0 as usize]);
        let peer = key(KeyPurpose::Peer);
        let own = Membership { code, peer, consensus: vec![key(KeyPurpose::Consensus)] };
        own.trouble(&State::found(domain, founding))
    }

    type Change = fn(&mut Member);

    fn from_height_9(member: &mut Member, purpose: KeyPurpose) {
        member.keys.iter_mut().filter(|key| key.purpose == purpose).for_each(|key| key.from = Height(9));
    }

    #[test]
    fn a_node_says_what_the_register_denies_it() {
        assert_eq!(trouble(|_| {}), None);
        let other = founding().1.members[0].code;
        let cases: [(Change, &str); 5] = [
            (|member| member.status = MemberStatus::Removed, "is removed at height 1"),
            (|member| member.status = MemberStatus::Suspended, "is suspended at height 1"),
            (|member| from_height_9(member, KeyPurpose::Peer), "peers refuse this node's key"),
            (|member| from_height_9(member, KeyPurpose::Consensus), "has no vote at height 1"),
            (|member| member.power = 0, "has no vote at height 1"),
        ];
        for (change, expected) in cases {
            let said = trouble(change).expect("a trouble");
            assert!(said.contains(expected) && said.contains("; next: "), "{said}");
        }
        let unlisted = trouble(|member| member.code = other).expect("a trouble");
        assert!(unlisted.contains("lists no member"), "{unlisted}");
    }

    #[test]
    fn the_list_of_peers_is_the_register_and_follows_its_heights() {
        let (domain, mut founding) = founding();
        let number = sample::member("PSB").expect("a sample member");
        let has = |founding: &Founding| {
            let list = listed(&State::found(domain, founding.clone()));
            list.contains(&(key(KeyPurpose::Peer), number))
        };
        assert!(has(&founding));
        let place = number.0 as usize;
        founding.members[place].status = MemberStatus::Suspended;
        assert!(!has(&founding));
        founding.members[place].status = MemberStatus::Active;
        from_height_9(&mut founding.members[place], KeyPurpose::Peer);
        assert!(!has(&founding));
    }
}
