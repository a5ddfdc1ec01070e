//! A finding: the first check that did not hold.

use crate::proof::ProofError;
use crate::verdict::{Answer, Detail, Verdict, VerdictCode};

/// Why the answer is not valid.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    code: VerdictCode,
    detail: Option<Detail>,
}

impl Finding {
    pub(super) fn new(code: VerdictCode, detail: Detail) -> Self {
        Self { code, detail: Some(detail) }
    }

    /// A code whose own sentence says it all.
    pub(super) fn plain(code: VerdictCode) -> Self {
        Self { code, detail: None }
    }

    /// Something that was not proven, so that nothing can be said.
    pub(super) fn missing(what: impl Into<String>) -> Self {
        Self::new(VerdictCode::LedgerUnreachable, Detail::Missing { what: what.into() })
    }

    pub(super) fn is_refusal(&self) -> bool {
        self.code.answer() == Answer::Refused
    }

    /// The verdict, without what was established before.
    pub(super) fn verdict(self) -> Verdict {
        Verdict::new(self.code, self.detail)
    }
}

/// An entry that a gateway left out, or that this version cannot read, proves nothing.
impl From<ProofError> for Finding {
    fn from(error: ProofError) -> Self {
        Self::missing(error.to_string())
    }
}
