//! Codes that were accepted before, kept between one call of the program and the next (VER-04).
//!
//! A file of lines, each a hash of what a holder signed and when it may be forgotten. It says
//! nothing about anybody. Who verifies at several machines uses a service or challenges instead.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use fengni_core::code::Code;
use fengni_core::verdict::{Check, Document, Verdict, VerdictCode};
use fengni_core::verify::SKEW_SECS;
use fengni_core::{Domain, Millis};

/// Lets a valid verdict on a code stand once.
pub(crate) fn admit(path: &Path, domain: &Domain, verdict: Verdict, code: &Code, now: Millis) -> Result<Verdict> {
    if !verdict.is_valid() {
        return Ok(verdict);
    }
    let hash = code.signed_hash(domain).context("a valid code has a hash")?.to_string();
    let until = code.expires_secs().saturating_add(SKEW_SECS);
    let is_new = note(path, &hash, until, now.secs()).with_context(|| path.display().to_string())?;
    Ok(if is_new { verdict } else { replayed(verdict) })
}

/// Notes a hash; whether it was not there yet.
fn note(path: &Path, hash: &str, until: u64, now: u64) -> std::io::Result<bool> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // Two clerks at one machine do not both accept one code.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let lives = |line: &&str| {
        let until = line.split_once(' ').and_then(|(_, until)| until.parse::<u64>().ok());
        until.is_none_or(|until| now <= until)
    };
    let mut lines: Vec<&str> = text.lines().filter(lives).collect();
    if lines.iter().any(|line| line.split(' ').next() == Some(hash)) {
        return Ok(false);
    }
    let own = format!("{hash} {until}");
    lines.push(&own);
    let kept = lines.join("\n") + "\n";
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(kept.as_bytes())?;
    file.sync_all()?;
    Ok(true)
}

/// The refusal of a code that was used, with the evidence of the first verdict but not its claims.
fn replayed(first: Verdict) -> Verdict {
    let document = first.document.map(|document| Document { claims: Vec::new(), ..document });
    let checked = first.checked.into_iter().filter(|check| *check != Check::SingleUse).collect();
    let (ages, as_of, recovered) = (first.ages, first.as_of, first.recovered);
    Verdict { checked, ages, as_of, document, recovered, ..Verdict::new(VerdictCode::CodeReplayed, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_counts_once_until_it_may_be_forgotten() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("codes");
        let note = |hash: &str, now| note(&path, hash, 150, now).expect("a writable folder");
        assert!(note("aa", 100));
        assert!(!note("aa", 149));
        assert!(note("bb", 149));
        assert!(note("aa", 151), "forgotten after its time");
    }
}
