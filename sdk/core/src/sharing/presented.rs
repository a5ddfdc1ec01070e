//! A grant in somebody's hands: the holder's with its secret, the grantee's without.
//!
//! Whoever has the secret withdraws the grant; whoever has its digest alone shows that the line is
//! that of the grant, and can do no more. Rule I-5: `sdk/spec/access.md`.

use bincode::Encode;
use serde::{Deserialize, Serialize};

use super::form::unprinted;
use super::grant::{GrantContent, GrantError, Secret};
use super::grant_line::GrantLine;
use super::identity::Identity;
use crate::digest::{Digest, Domain, NetworkId};
use crate::keys::Signature;
use crate::number::LinePlace;

/// A grant as its holder keeps it. Rule I-5.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantFile {
    /// The network.
    pub network: NetworkId,
    /// Where its line stands.
    pub place: LinePlace,
    /// What it says.
    pub content: GrantContent,
    /// By the holder's key over [`GrantContent::message`].
    pub signature: Signature,
    /// Who the holder is.
    pub identity: Identity,
    /// Withdraws it.
    pub secret: Secret,
}

/// A grant as its grantee has it, and shows it to providers. Rule I-5.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode)]
#[serde(deny_unknown_fields)]
pub struct PresentedGrant {
    /// The network.
    pub network: NetworkId,
    /// Where its line stands.
    pub place: LinePlace,
    /// What it says.
    pub content: GrantContent,
    /// By the holder's key over [`GrantContent::message`].
    pub signature: Signature,
    /// Who the holder is.
    pub identity: Identity,
    /// Stands for the secret in the commitment.
    pub withdrawal: Digest,
}

/// What withdraws a grant, for any member to bring to the ledger. Rule Z-7.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The grant.
    pub place: LinePlace,
    /// Digest of its content.
    pub content: Digest,
    /// What the holder's wallet kept.
    pub secret: Secret,
}

unprinted!(GrantFile, PresentedGrant, Withdrawal);

impl GrantFile {
    /// What the holder hands to the grantee.
    pub fn present(&self, domain: &Domain) -> PresentedGrant {
        PresentedGrant {
            network: self.network,
            place: self.place,
            content: self.content.clone(),
            signature: self.signature,
            identity: self.identity.clone(),
            withdrawal: self.secret.withdrawal(domain),
        }
    }

    /// Rule Z-7: what the holder hands to whoever brings its withdrawal to the ledger.
    pub fn withdrawal(&self, domain: &Domain) -> Withdrawal {
        Withdrawal { place: self.place, content: self.content.digest(domain), secret: self.secret.clone() }
    }
}

impl PresentedGrant {
    /// Rule I-5: what the line at its place has to commit to.
    pub fn commitment(&self, domain: &Domain) -> Digest {
        self.content.commitment(domain, &self.withdrawal)
    }

    /// Rule I-10, step 15: whether a line is this grant's. Each member has a book of grants, so that the
    /// same commitment may stand in others; the one that the grantee opened has it once.
    pub fn is_line(&self, domain: &Domain, line: &GrantLine) -> bool {
        line.opener == self.content.terms().grantee && line.line.commitment == self.commitment(domain)
    }

    /// Rule I-5: whether it holds by itself. What the ledger says of its line and of the
    /// certificate behind it is for [`super::judge()`].
    ///
    /// # Errors
    /// [`GrantError::OtherNetwork`], [`GrantError::OtherKey`] and [`GrantError::Signature`].
    pub fn check(&self, domain: &Domain) -> Result<(), GrantError> {
        let holder = &self.content.terms().holder;
        if self.network != domain.network {
            Err(GrantError::OtherNetwork)
        } else if self.identity.key() != holder {
            Err(GrantError::OtherKey)
        } else if !holder.verify(&self.content.message(domain, &self.withdrawal), &self.signature) {
            Err(GrantError::Signature)
        } else {
            Ok(())
        }
    }
}
