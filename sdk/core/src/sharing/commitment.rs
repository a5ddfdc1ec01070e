//! What a grant's line commits to, and the tag that follows from it. Rule Z-6: `sdk/spec/sharing.md`.

use crate::book::{Line, Tag};
use crate::digest::{Digest, Domain};

/// Rule Z-6: the digest of the secret with which a holder withdraws a grant. Whoever is shown the grant
/// gets this in its place.
pub fn secret_digest(domain: &Domain, secret: &[u8; 32]) -> Digest {
    domain.digest("grant-secret", &[secret])
}

/// Rule Z-6: the commitment of a grant's line.
///
/// - `content`: salted digest of what was granted.
/// - `secret`: of the holder's wallet, freshly drawn for this grant.
pub fn grant_commitment(domain: &Domain, content: &Digest, secret: &[u8; 32]) -> Digest {
    shown_commitment(domain, content, &secret_digest(domain, secret))
}

/// The same for whoever knows only the secret's digest.
pub fn shown_commitment(domain: &Domain, content: &Digest, secret: &Digest) -> Digest {
    domain.digest("grant", &[&content.0, &secret.0])
}

/// Rule Z-6: the line of a grant. A tag stands in a register once, so that a grant does.
pub fn grant_line(domain: &Domain, commitment: Digest) -> Line {
    Line { tag: Tag::head(&domain.digest("grant-tag", &[&commitment.0])), commitment }
}
