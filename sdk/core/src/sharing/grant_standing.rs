//! Where a grant stands, as its holder is told. Rules I-5 and Z-7.

use serde::Serialize;

use super::grant_line::GrantLine;
use super::presented::PresentedGrant;
use crate::day::Millis;
use crate::digest::Domain;
use crate::proof::{ProofError, Proven};

/// Where a grant stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantStanding {
    /// 有效.
    Active,
    /// 撤回.
    Withdrawn,
    /// 到期, or not begun.
    OutsidePeriod,
    /// 被暂停.
    Suspended,
}

impl PresentedGrant {
    /// Where it stands; `None` where the line at its place is not this grant's.
    ///
    /// - `proven`: the book, the line and its page record.
    ///
    /// # Errors
    /// [`ProofError`] where one of them was not proven: nothing can be said.
    pub fn standing(&self, domain: &Domain, proven: &Proven, now: Millis) -> Result<Option<GrantStanding>, ProofError> {
        let found = GrantLine::load(proven, self.place, now)?;
        let found = found.filter(|found| self.is_line(domain, found));
        let terms = self.content.terms();
        Ok(found.map(|found| match found {
            GrantLine { is_withdrawn: true, .. } => GrantStanding::Withdrawn,
            GrantLine { is_suspended: true, .. } => GrantStanding::Suspended,
            _ if now < terms.from || now > terms.until => GrantStanding::OutsidePeriod,
            _ => GrantStanding::Active,
        }))
    }
}
