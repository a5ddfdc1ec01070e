//! Registry records: what the shelves of the ledger hold.
//!
//! A registry is a numbered list of versioned records. A restriction is a field of the record it
//! restricts, never a separate entry that somebody could leave out. Rules:
//! `sdk/spec/registries.md`.

mod agreement;
mod application;
mod authority;
mod certificate_type;
mod codes;
mod item;
mod member;
mod objection;
mod offence;
mod order;
mod parameters;
mod proposal;
mod request;
mod resource;

pub use agreement::{Agreement, AgreementStatus, AgreementTerms, Party, Term};
pub use application::{Applicant, Application, ApplicationStatus};
pub use authority::Authority;
pub use certificate_type::{CertificateType, ClaimSpec, Derived, DerivedRule, HolderKind, Profile, Schema};
pub use codes::{Code, CodeSet};
pub use item::{ItemStatus, ItemTerms, Need, ServiceItem};
pub use member::{KeyPurpose, Member, MemberKey, MemberStatus, NewKey, Role, Roles};
pub use objection::{Objection, ObjectionStatus};
pub use offence::{DoubleSigning, Offence, SignedKind, SignedStatement};
pub use order::{Order, Scope};
pub use parameters::{Parameters, Voting, Weights};
pub use proposal::{Ballot, Measure, Proposal, ProposalStatus};
pub use request::{AccessBasis, Clock, Extension, Overdue, Request, RequestStatus, RequestTerms};
pub use resource::{DataLevel, DataSubject, Field, Mode, Resource, ResourceStatus, ResourceTerms, Sharing};

use bincode::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::limits;
use crate::shelf::Shelf;

/// A record that stands on a shelf.
pub trait Record: Encode + Decode<()> {
    /// The shelf it stands on.
    const SHELF: Shelf;

    /// The bytes that enter the shelf's list.
    fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads the bytes of a list entry.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, limits::RECORD_BYTES)
    }
}
