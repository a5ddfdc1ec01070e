//! The replay cache (VER-04): a code counts once for one verifier.
//!
//! It keys on the hash of what the holder signed and forgets a code when its time is over. It is
//! asked last: a code that was not accepted is not used up, so that a scan that failed for want of
//! a network can be repeated. Verifiers that share a cache, or challenge, catch a code that is
//! shown at two places; a live relay remains possible.

use std::collections::HashMap;

use crate::code::Code;
use crate::day::Millis;
use crate::digest::Digest;
use crate::verdict::{Check, Verdict, VerdictCode};

use super::{Context, SKEW_SECS};

/// Codes that were accepted and may still hold.
#[derive(Clone, Debug)]
pub struct ReplayCache {
    seen: HashMap<Digest, Millis>,
    limit: usize,
    next_sweep: Millis,
}

impl ReplayCache {
    /// An empty cache for at most `limit` codes at a time.
    pub fn new(limit: usize) -> Self {
        Self { seen: HashMap::new(), limit, next_sweep: Millis::default() }
    }

    /// How many codes it remembers.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether it remembers none.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Rule V-18: lets a valid verdict stand once, and turns it into `CODE_REPLAYED` after that.
    /// Other verdicts pass as they are.
    ///
    /// A full cache cannot tell a new code from an old one, which is undecided.
    pub fn admit(&mut self, verdict: Verdict, code: &Code, context: &Context) -> Verdict {
        if !verdict.is_valid() {
            return verdict;
        }
        self.sweep(context.now);
        let Ok(hash) = code.signed_hash(&context.domain) else {
            return Verdict::malformed(&"the siblings do not fit the claims shown");
        };
        if self.seen.contains_key(&hash) {
            return refuse(verdict, Verdict::new(VerdictCode::CodeReplayed, None));
        }
        if self.seen.len() >= self.limit {
            return refuse(verdict, Verdict::unreachable("the cache of used codes is full"));
        }
        self.seen.insert(hash, Millis::from_secs(code.expires_secs().saturating_add(SKEW_SECS)));
        let mut verdict = verdict;
        verdict.checked.push(Check::SingleUse);
        verdict
    }

    /// Forgets what has expired, at most once a second.
    fn sweep(&mut self, now: Millis) {
        if now >= self.next_sweep {
            self.seen.retain(|_, until| now <= *until);
            self.next_sweep = Millis(now.0.saturating_add(1000));
        }
    }
}

/// Another answer with the evidence of the first, but not its claims.
fn refuse(first: Verdict, answer: Verdict) -> Verdict {
    let document = first.document.map(|document| crate::verdict::Document { claims: Vec::new(), ..document });
    Verdict {
        checked: first.checked,
        ages: first.ages,
        as_of: first.as_of,
        document,
        recovered: first.recovered,
        ..answer
    }
}
