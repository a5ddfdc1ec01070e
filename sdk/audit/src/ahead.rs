//! What can be checked of a block before its turn: all that costs time, but execution.
//!
//! A key's number never comes to mean another key, so a signature that verifies by a member's key of
//! now verifies at its turn; whether the key is good at that height is judged then. A member or key
//! that is not known yet leaves the arithmetic to that turn as well.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use fengni_core::bytes::Bytes;
use fengni_core::export::ExportedBlock;
use fengni_core::record::Member;
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Block, BlockId, Domain};
use fengni_state::{Known, Registry};

use crate::bodies;
use crate::fault::Fault;
use crate::level::Level;

/// The members as far as execution has come.
pub(crate) type Members = RwLock<Option<Arc<Registry<Member>>>>;

/// A block whose turn may come.
pub(crate) struct Prepared {
    pub(crate) exported: ExportedBlock,
    /// The block with its id, or why it is none.
    pub(crate) block: Result<(Block, BlockId), Fault>,
    /// Whether header and body belong together; not looked at below [`Level::Trees`].
    pub(crate) body: Result<(), Fault>,
    pub(crate) verified: Verified,
}

/// Transactions whose signatures hold, with the exact bytes that were checked.
#[derive(Default)]
pub(crate) struct Verified(HashMap<TransactionId, Bytes>);

impl Known for Verified {
    fn is_verified(&self, id: &TransactionId, bytes: &[u8]) -> bool {
        self.0.get(id).is_some_and(|known| known.0 == bytes)
    }
}

/// Checks what needs no other block.
pub(crate) fn prepare(domain: &Domain, level: Level, members: &Members, exported: ExportedBlock) -> Prepared {
    let mut prepared = Prepared {
        block: Block::decode(&exported.block.0).map_err(Fault::from).map(|block| {
            let id = block.header.id(domain);
            (block, id)
        }),
        exported,
        body: Ok(()),
        verified: Verified::default(),
    };
    if level < Level::Trees {
        return prepared;
    }
    let Ok((block, _)) = &prepared.block else { return prepared };
    match bodies::check(domain, block) {
        Err(fault) => prepared.body = Err(fault),
        Ok(transactions) if level == Level::Full => {
            let members = members.read().unwrap_or_else(PoisonError::into_inner).clone();
            let verified = transactions.iter().zip(&block.transactions).filter(|((id, transaction), _)| {
                members.as_ref().is_some_and(|members| holds(domain, members, *id, transaction))
            });
            prepared.verified = Verified(verified.map(|((id, _), bytes)| (*id, bytes.clone())).collect());
        }
        Ok(_) => (),
    }
    prepared
}

/// Whether every signature is by a key that the member has.
fn holds(domain: &Domain, members: &Registry<Member>, id: TransactionId, transaction: &Transaction) -> bool {
    let Some(member) = members.get(transaction.body.member.0) else { return false };
    transaction.verifies(domain, id, member)
}
