//! Quiet start: a key that may have signed what this machine does not remember does not vote yet.
//!
//! A validator that signs twice at one height and round breaks the network's promise, and the record
//! of signed votes (`guard.rs`) is what keeps it from that. The record stays on its machine: no
//! backup holds it. So three starts are told apart:
//!
//! ```text
//! a record, no mark ............... the record decides: quiet until the last height in it is final
//! no record, an empty store ....... a new node: it votes
//! no record, a store with blocks .. a restored node, or one moved or joined by a snapshot: marked
//! ```
//!
//! A marked node follows without voting. What its key signed at most is a vote of the height that was
//! in progress when the record was lost, and by then every height before that was final somewhere. So
//! it waits until more than a third of its peers have shown a final height (then one of them at least
//! is honest, where fewer than a third of the validators are not), and then until two heights above
//! the highest of these, as seen at that time, are final: one for the height in progress, one because
//! the honest peer may not have known yet of the newest. Every height that the key may have signed is
//! decided then, and no vote for it counts any more. Then the mark goes, and the node votes from the next
//! height on.
//!
//! Where the network itself waits for exactly this validator, nothing becomes final and it waits for
//! ever. Only a person can know that the key signed nothing since the backup, and says so with
//! `fengni-node never-signed`. Said wrongly, it makes a validator sign twice: evidence against its
//! member, and with others of its kind a fork.
//!
//! The mark is on the disk before the empty record is: whenever the machine dies, a record without a
//! mark is one that was never lost. A new key of a node that voted before begins with an empty record
//! and no mark: what says so is the record of the key before, beside it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use fengni_core::Height;
use tracing::info;

/// How a record of signed votes is named: this, and the key's digest.
pub(super) const RECORD: &str = "signed-";
const MARK: &str = "quiet";
/// Heights above the highest shown one.
const MARGIN: u64 = 2;

/// The mark of a node that must not vote yet.
#[derive(Clone, Debug)]
pub(super) struct Mark(PathBuf);

impl Mark {
    /// The mark in the folder of consensus.
    pub(super) fn in_folder(home: &Path) -> Self {
        Self(home.join(MARK))
    }

    pub(super) fn stands(&self) -> bool {
        self.0.exists()
    }

    /// Sets the mark, durably.
    pub(super) fn set(&self) -> std::io::Result<()> {
        std::fs::write(&self.0, "no vote until the network has gone on: see fengni-node never-signed --help\n")?;
        self.sync()
    }

    /// Takes the mark away, durably.
    pub(super) fn lift(&self) -> std::io::Result<()> {
        if self.stands() {
            std::fs::remove_file(&self.0)?;
        }
        self.sync()
    }

    fn sync(&self) -> std::io::Result<()> {
        std::fs::File::open(self.0.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Whether any key has a record in the folder of consensus.
pub(super) fn has_record(home: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(home)? {
        if entry?.file_name().to_string_lossy().starts_with(RECORD) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Until when a node follows without voting.
#[derive(Debug)]
pub(crate) struct Quiet {
    /// The last height that the record knows the key to have signed for.
    signed: Height,
    /// Set where the record may have been lost.
    mark: Option<Mark>,
    /// The height to wait for, once enough peers have shown theirs.
    until: Mutex<Option<Height>>,
    over: AtomicBool,
}

impl Quiet {
    /// By the record alone.
    pub(super) fn by_record(signed: Height) -> Self {
        Self { signed, mark: None, until: Mutex::new(Some(signed)), over: AtomicBool::new(false) }
    }

    /// Until the peers have shown where the network is, and it has gone on.
    pub(super) fn by_mark(signed: Height, mark: Mark) -> Self {
        Self { signed, mark: Some(mark), until: Mutex::new(None), over: AtomicBool::new(false) }
    }

    /// Whether no vote is given yet.
    pub(crate) fn holds(&self) -> bool {
        !self.over.load(Ordering::Acquire)
    }

    /// Why no vote is given.
    pub(crate) fn reason(&self) -> String {
        match &self.mark {
            Some(_) => "the record of signed votes may have been lost: not voting until the peers have shown a final \
                        height and two more are final; next: wait, or read fengni-node never-signed --help"
                .to_owned(),
            None => format!(
                "a key has signed for height {} and what the node remembers is older: not voting until that is final",
                self.signed
            ),
        }
    }

    /// Whether the keys may vote from the next height on.
    ///
    /// - `last`: the last final height here.
    /// - `shown`: the final heights that connected peers have shown.
    /// - `peers`: how many peers may connect.
    pub(crate) fn is_over(&self, last: Height, shown: &[Height], peers: usize) -> bool {
        let mut until = self.until.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if until.is_none()
            && let Some(highest) = shown.iter().max().filter(|_| shown.len() * 3 > peers)
        {
            let height = Height(highest.0.saturating_add(MARGIN)).max(self.signed);
            info!(%height, "the network is known: not voting until this height is final");
            *until = Some(height);
        }
        until.is_some_and(|until| last >= until)
    }

    /// Lets the keys vote.
    pub(crate) fn lift(&self) -> std::io::Result<()> {
        self.mark.as_ref().map_or(Ok(()), Mark::lift)?;
        self.over.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heights(all: &[u64]) -> Vec<Height> {
        all.iter().copied().map(Height).collect()
    }

    #[test]
    fn ops03_a_record_decides_by_its_last_height() {
        let quiet = Quiet::by_record(Height(9));
        assert!(!quiet.is_over(Height(8), &heights(&[100, 100, 100]), 3));
        assert!(quiet.is_over(Height(9), &[], 3));
    }

    #[test]
    fn ops03_a_mark_waits_for_a_third_of_the_peers_and_two_heights_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let quiet = Quiet::by_mark(Height(0), Mark::in_folder(folder.path()));
        // One of three is not more than a third, however far this node has come.
        assert!(!quiet.is_over(Height(500), &heights(&[100]), 3));
        assert!(!quiet.is_over(Height(500), &[], 0), "nobody has shown anything");
        assert!(!quiet.is_over(Height(50), &heights(&[100, 90]), 3));
        // Peers that show more later do not move the goal, nor does losing them.
        assert!(!quiet.is_over(Height(101), &heights(&[200, 200, 200]), 3));
        assert!(quiet.is_over(Height(102), &[], 3));
    }

    #[test]
    fn ops03_a_mark_also_waits_for_what_the_record_knows() {
        let folder = tempfile::tempdir().expect("a folder");
        let quiet = Quiet::by_mark(Height(150), Mark::in_folder(folder.path()));
        assert!(!quiet.is_over(Height(102), &heights(&[100, 100]), 3));
        assert!(quiet.is_over(Height(150), &[], 3));
    }

    #[test]
    fn a_mark_is_set_and_lifted() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = Mark::in_folder(folder.path());
        assert!(!mark.stands() && !has_record(folder.path()).expect("a folder"));
        mark.set().expect("a disk");
        mark.set().expect("again");
        assert!(mark.stands());
        let quiet = Quiet::by_mark(Height(0), mark.clone());
        quiet.lift().expect("a disk");
        quiet.lift().expect("again");
        assert!(!mark.stands());
        std::fs::write(folder.path().join("signed-0123"), "").expect("a disk");
        assert!(has_record(folder.path()).expect("a folder"));
    }
}
