//! A presented grant held against the ledger: for judging an access, and for looking at a code.
//!
//! Rules I-10, steps 15 to 19: `sdk/spec/access.md`; V-21: `sdk/spec/verdicts.md`.

use super::grant::{GrantTerms, Granted};
use super::grant_line::GrantLine;
use super::presented::PresentedGrant;
use super::refusal::AccessRefusal;
use crate::day::Millis;
use crate::digest::Domain;
use crate::keys::PublicKey;
use crate::number::{MemberNumber, PurposeCode, TypeNumber};
use crate::proof::Proven;
use crate::record::Parameters;
use crate::verify::SKEW_SECS;

/// A grant that the ledger shows to hold now.
#[derive(Clone, Copy)]
pub struct HeldGrant<'a>(&'a GrantTerms);

impl PresentedGrant {
    /// Rule V-21: the grant, where the ledger shows that it holds now, for this member.
    ///
    /// - `proven`: parameters, and book, line and page record of the grant's place.
    ///
    /// # Errors
    /// [`AccessRefusal::Stale`] where nothing recent enough was proven; otherwise why it does not hold.
    pub fn prove(
        &self,
        domain: &Domain,
        proven: &Proven,
        grantee: MemberNumber,
        now: Millis,
    ) -> Result<HeldGrant<'_>, AccessRefusal> {
        let stale = |_| AccessRefusal::Stale;
        let parameters: Parameters = proven.record(0).map_err(stale)?;
        let (time, skew) = (proven.header().time.0, Millis::from_secs(SKEW_SECS).0);
        let latest = Millis::from_secs(parameters.online_age_secs.into()).0.saturating_add(time).saturating_add(skew);
        // A clock behind the ledger's would take an ended grant for a current one.
        let is_recent = (time.saturating_sub(skew)..=latest).contains(&now.0);
        if !is_recent || proven.header().domain() != *domain {
            return Err(AccessRefusal::Stale);
        }
        let line = GrantLine::load(proven, self.place, now).map_err(stale)?;
        self.check_line(domain, line.as_ref(), grantee, now).map(HeldGrant)
    }

    /// Rule I-10, steps 15 to 19: what it says, where it holds now for this member.
    pub(super) fn check_line(
        &self,
        domain: &Domain,
        line: Option<&GrantLine>,
        grantee: MemberNumber,
        now: Millis,
    ) -> Result<&GrantTerms, AccessRefusal> {
        let terms = self.content.terms();
        let is_its_own = |line: &&GrantLine| self.is_line(domain, line) && self.check(domain).is_ok();
        let line = line.filter(is_its_own).ok_or(AccessRefusal::GrantInvalid)?;
        AccessRefusal::first_of(&[
            (terms.grantee == grantee, AccessRefusal::OtherGrantee),
            (!line.is_withdrawn, AccessRefusal::GrantWithdrawn),
            (!line.is_suspended, AccessRefusal::GrantSuspended),
            (terms.from <= now, AccessRefusal::GrantNotYetValid),
            (now <= terms.until, AccessRefusal::GrantExpired),
        ])?;
        Ok(terms)
    }
}

impl HeldGrant<'_> {
    /// Rule V-21: whether it lets a member look at a certificate for a purpose.
    ///
    /// - `key`: the certificate's, which has to have signed the grant.
    pub fn covers(
        &self,
        member: MemberNumber,
        purpose: PurposeCode,
        certificate_type: TypeNumber,
        is_sensitive: bool,
        key: &PublicKey,
    ) -> bool {
        let Self(terms) = self;
        let of_type = Granted::Showing { certificate_type };
        (terms.grantee, terms.purpose) == (member, purpose)
            && terms.holder == *key
            && (terms.separate_consent || !is_sensitive)
            && terms.kinds.iter().any(|kind| kind.what == of_type)
    }
}
