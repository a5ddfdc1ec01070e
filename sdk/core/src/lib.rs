//! What a list, a page, a certificate and a proof are.

#![forbid(unsafe_code)]

pub mod assurance;
pub mod audit;
pub mod block;
pub mod book;
pub mod bytes;
pub mod case;
pub mod certificate;
pub mod challenge;
pub mod code;
pub mod codec;
pub mod day;
pub mod digest;
pub mod event;
pub mod evidence;
pub mod export;
pub mod finality;
pub mod history;
pub mod id;
pub mod keys;
pub mod light;
pub mod limits;
pub mod list;
pub mod number;
pub mod operation;
pub mod outcome;
pub mod pack;
pub mod proof;
pub mod record;
pub mod recovery;
pub mod sharing;
pub mod shelf;
pub mod standing;
pub mod transaction;
pub mod tree;
pub mod trust;
pub mod verdict;
pub mod verify;

pub use block::{Block, BlockId, Header};
pub use day::{Day, Millis};
pub use digest::{Digest, Domain, NetworkId, Suite};
pub use finality::{CommitCertificate, CommitSignature, Validator, ValidatorSet, VoteStep, proposal_bytes, vote_bytes};
pub use keys::{KeyAlgorithm, PublicKey, SecretKey, Signature};
pub use number::*;
