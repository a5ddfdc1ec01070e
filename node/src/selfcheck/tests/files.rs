//! A flipped byte in every file of a store: it is named, or nothing that is served depends on it.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Depth, Kept, Store, decide, named, open};
use crate::engine::Chain as _;
use crate::store::copy;

/// Places of a file in which a bit is flipped: its head, its end, and some between.
const PLACES: usize = 7;

/// What a file's name says it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    /// Entries in their final place.
    Table,
    /// The newest entries, which no table has yet.
    Log,
    /// Which tables there are.
    Manifest,
    /// Which manifest counts.
    Current,
    /// What nobody reads who opens a store: an identity that backups of the database name, settings as
    /// they were, which are given anew at each start, and what the database told people.
    Unread,
}

fn kind(path: &Path) -> Kind {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    match name.as_str() {
        name if name.ends_with(".sst") => Kind::Table,
        name if name.ends_with(".log") => Kind::Log,
        name if name.starts_with("MANIFEST-") => Kind::Manifest,
        "CURRENT" => Kind::Current,
        "IDENTITY" | "LOCK" | "LOG" => Kind::Unread,
        name if name.starts_with("OPTIONS-") || name.starts_with("LOG.old") => Kind::Unread,
        other => panic!("a file of an unknown kind: {other}"),
    }
}

/// What became of a store of which one byte was flipped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fate {
    /// It does not open, and says what to do.
    Refused,
    /// It opens, and what is damaged is named.
    Named,
    /// It ends at an earlier block, with all that belongs to it.
    Earlier,
    /// It is as it was.
    Same,
}

#[test]
fn aud04_a_flipped_byte_in_any_file_of_a_store_is_named_or_changes_nothing_that_is_served() {
    let kept = Kept::new();
    let domain = kept.genesis.domain();
    // Tables of every column, and then blocks that only the log has.
    kept.store().compact();
    let ledger = open(&kept.folder(), &kept.genesis, &kept.founding);
    (0..4).for_each(|_| decide(&ledger));
    let last = ledger.last_final();
    let roots: BTreeMap<u64, _> = (1..=last.0)
        .map(|height| (height, ledger.store().header(fengni_core::Height(height)).expect("a header").state_root))
        .collect();
    // As a power cut leaves it: the log holds what no table has.
    let whole = kept.home.path().join("whole");
    copy::copy_folder(&kept.folder(), &whole).expect("a disk");
    drop(ledger);
    let dump = |store: &Store| {
        let mut all = Vec::new();
        store.dump(&mut all).expect("memory takes writes");
        all
    };
    let trial = kept.home.path().join("trial");
    copy::copy_folder(&whole, &trial).expect("a disk");
    let before = dump(&Store::open(&trial, &domain).expect("whole"));

    let mut fates: BTreeMap<(Kind, Fate), usize> = BTreeMap::new();
    let files = std::fs::read_dir(&whole).expect("a folder").map(|entry| entry.expect("a file").path());
    for file in files.collect::<Vec<_>>() {
        let length = usize::try_from(std::fs::metadata(&file).expect("a file").len()).expect("a small file");
        let mut places: Vec<usize> = (0..PLACES).map(|turn| turn * length.saturating_sub(1) / (PLACES - 1)).collect();
        places.dedup();
        for place in places.into_iter().filter(|place| *place < length) {
            copy::remove(&trial).expect("a disk");
            copy::copy_folder(&whole, &trial).expect("a disk");
            let altered = trial.join(file.file_name().expect("a file"));
            let mut bytes = std::fs::read(&altered).expect("a file");
            bytes[place] ^= 0x10;
            std::fs::write(&altered, bytes).expect("a file");

            let what = format!("byte {place} of {length} of {}", file.display());
            let fate = match Store::open(&trial, &domain) {
                Err(error) => {
                    let said = error.to_string();
                    assert!(error.is_damage() && said.contains("next: move data/store away"), "{what}: {said}");
                    Fate::Refused
                }
                Ok(store) => {
                    let report = kept.check(&store, Depth::Whole);
                    if report.is_sound() {
                        assert_eq!(
                            store.header(report.height).map(|it| it.state_root),
                            roots.get(&report.height.0).copied()
                        );
                        if dump(&store) == before { Fate::Same } else { Fate::Earlier }
                    } else {
                        assert!(named(&report).iter().all(|name| !name.is_empty()), "{what}");
                        Fate::Named
                    }
                }
            };
            // Whatever it is, a start gives the right state or none.
            if let Ok(ledger) = kept.start(&trial) {
                let state = ledger.state();
                assert_eq!(Some(&state.root()), roots.get(&state.height().0), "{what}");
            }
            *fates.entry((kind(&file), fate)).or_default() += 1;
        }
    }
    let of = |kind: Kind| fates.keys().filter(|(found, _)| *found == kind).map(|(_, fate)| *fate).collect::<Vec<_>>();
    for kind in [Kind::Table, Kind::Log, Kind::Manifest, Kind::Current, Kind::Unread] {
        assert!(!of(kind).is_empty(), "there is a file of {kind:?}: {fates:?}");
    }
    // A table's statistics, which are checked as well, and its unused bytes change nothing.
    assert!(of(Kind::Table).iter().all(|fate| matches!(fate, Fate::Refused | Fate::Named | Fate::Same)), "{fates:?}");
    assert!(of(Kind::Table).iter().any(|fate| *fate != Fate::Same));
    // A log that is torn is cut off: the node fetches the rest again, and signs nothing twice meanwhile.
    assert!(of(Kind::Log).iter().all(|fate| *fate != Fate::Named), "{fates:?}");
    assert!(
        of(Kind::Manifest).iter().all(|fate| matches!(fate, Fate::Refused | Fate::Named | Fate::Same)),
        "{fates:?}"
    );
    assert_eq!(of(Kind::Current), [Fate::Refused], "{fates:?}");
    assert_eq!(of(Kind::Unread), [Fate::Same], "{fates:?}");
}
