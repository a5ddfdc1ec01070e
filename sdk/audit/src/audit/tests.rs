use fengni_core::bytes::Bytes;
use fengni_core::export::StreamError;
use fengni_core::{Validator, ValidatorSet};
use proptest::prelude::*;

use super::*;
use crate::source::StreamSource;
use crate::testing::{Ledger, exported};

fn audit(ledger: &Ledger, level: Level, blocks: &[ExportedBlock]) -> Report {
    audit_stream(ledger, level, &ledger.stream(blocks))
}

fn audit_stream(ledger: &Ledger, level: Level, stream: &[u8]) -> Report {
    let audit = Audit::open(&ledger.genesis, level, None).expect("a disk");
    let source = StreamSource::open(stream, ledger.genesis.domain(), audit.height()).expect("a stream");
    audit.run(source, None, |_| Ok(())).expect("an answer")
}

fn block(exported: &ExportedBlock) -> Block {
    Block::decode(&exported.block.0).expect("a block")
}

#[test]
fn aud05_every_level_comes_to_the_end_of_a_good_ledger() {
    let ledger = Ledger::with(9, 4);
    let last = block(&ledger.blocks[8]).header;
    for level in Level::ALL {
        let report = audit(&ledger, level, &ledger.blocks);
        assert!(report.failure.is_none(), "{level:?}: {:?}", report.failure);
        assert_eq!((report.height, report.block), (Height(9), last.id(&ledger.genesis.domain())));
        assert_eq!(report.state_root, (level > Level::Offsets).then_some(last.state_root), "{level:?}");
        assert_eq!(report.figures.transactions, 1 + 8 * 5);
        assert_eq!(report.figures.refused, if level == Level::Full { 8 } else { 0 });
    }
}

#[test]
fn a_replay_goes_on_where_its_folder_ends() {
    let ledger = Ledger::with(12, 3);
    let whole = audit(&ledger, Level::Full, &ledger.blocks);
    let stream = ledger.stream(&ledger.blocks);
    for level in [Level::Headers, Level::Trees, Level::Full] {
        let folder = tempfile::tempdir().expect("a disk");
        let mut heights = Vec::new();
        let mut last = None;
        for to in [1, 2, 7, 7, 12] {
            let audit = Audit::open(&ledger.genesis, level, Some(folder.path())).expect("a disk");
            heights.push(audit.height().0);
            let source = StreamSource::open(stream.as_slice(), ledger.genesis.domain(), audit.height());
            last = Some(audit.run(source.expect("a stream"), Some(Height(to)), |_| Ok(())).expect("an answer"));
        }
        let last = last.expect("it ran");
        assert_eq!(heights, [0, 1, 2, 7, 7], "{level:?}");
        assert_eq!((last.height, last.state_root), (whole.height, whole.state_root));
        assert_eq!(last.figures.transactions, whole.figures.transactions);
        // Another level has its own folder.
        let other = if level == Level::Full { Level::Headers } else { Level::Full };
        let refused = Audit::open(&ledger.genesis, other, Some(folder.path())).err();
        assert!(matches!(refused, Some(WorkError::OtherLevel(_))), "{refused:?}");
    }
}

#[test]
fn a_transaction_of_before_a_break_is_not_taken_again() {
    let ledger = Ledger::with(4, 2);
    let folder = tempfile::tempdir().expect("a disk");
    let run = |blocks: &[ExportedBlock], to: u64| {
        let audit = Audit::open(&ledger.genesis, Level::Full, Some(folder.path())).expect("a disk");
        let recent = match &audit.kept {
            Kept::State(replay) => replay.recent().map(<[_]>::len).collect::<Vec<_>>(),
            Kept::Headers(_) => Vec::new(),
        };
        let stream = ledger.stream(blocks);
        let source = StreamSource::open(stream.as_slice(), ledger.genesis.domain(), audit.height()).expect("a stream");
        audit.run(source, Some(Height(to)), |_| Ok(())).expect("an answer");
        recent
    };
    assert_eq!(run(&ledger.blocks, 3), [0; 0]);
    assert_eq!(run(&ledger.blocks, 4), [1, 3, 3]);
}

#[test]
fn a_source_that_ends_early_or_begins_late_is_named() {
    let ledger = Ledger::with(3, 1);
    let stream = ledger.stream(&ledger.blocks);
    let audit = Audit::open(&ledger.genesis, Level::Headers, None).expect("no disk");
    let source = StreamSource::open(stream.as_slice(), ledger.genesis.domain(), Height(0)).expect("a stream");
    let ended = audit.run(source, Some(Height(8)), |_| Ok(()));
    assert!(matches!(ended, Err(Trouble::Ends { last: Height(3), wanted: Height(8) })));
    let cut = audit_stream(&ledger, Level::Offsets, &stream[..stream.len() - 20]);
    let failure = cut.failure.expect("it is cut off");
    assert_eq!((cut.height, failure.height), (Height(2), Height(3)));
    assert!(matches!(failure.fault, Fault::Stream(StreamError::CutOff { .. })));
    let mut other = ledger.genesis.domain();
    other.network.0.0[0] ^= 1;
    let refused = StreamSource::open(stream.as_slice(), other, Height(0)).err();
    assert!(matches!(refused, Some(SourceError::OtherNetwork { .. })));
}

/// One way of tampering: what is done to the blocks, the lowest level that notices, where it is
/// found and in which words.
type Case = (&'static str, fn(&Ledger, &mut Vec<ExportedBlock>), Level, u64, &'static str);

/// Alters block 4, which stands at place 3.
fn alter(blocks: &mut [ExportedBlock], change: impl FnOnce(&mut Block)) {
    let mut altered = block(&blocks[3]);
    change(&mut altered);
    blocks[3].block = Bytes(altered.encode());
}

/// Block 4 anew, with the only validator's signature.
fn forge(ledger: &Ledger, blocks: &mut [ExportedBlock], change: impl FnOnce(&mut Block)) {
    let mut forged = block(&blocks[3]);
    change(&mut forged);
    blocks[3] = exported(&ledger.genesis, &forged, None);
}

fn others(ledger: &Ledger) -> ValidatorSet {
    let mut all: Vec<Validator> = ledger.genesis.validators().into();
    all[0].power += 1;
    ValidatorSet::new(all).expect("a set")
}

const CASES: &[Case] = &[
    (
        "a block removed",
        |_, blocks| drop(blocks.remove(3)),
        Level::Offsets,
        4,
        "that of height 5 was given in its place",
    ),
    ("two blocks swapped", |_, blocks| blocks.swap(3, 4), Level::Offsets, 4, "that of height 5 was given in its place"),
    (
        "a block doubled",
        |_, blocks| blocks.insert(3, blocks[3].clone()),
        Level::Offsets,
        5,
        "that of height 4 was given",
    ),
    ("a block emptied", |_, blocks| blocks[3].block.0.clear(), Level::Offsets, 4, "no block"),
    ("a block cut", |_, blocks| blocks[3].block.0.truncate(300), Level::Offsets, 4, "no block"),
    ("a transaction removed", |_, blocks| alter(blocks, |it| drop(it.transactions.pop())), Level::Trees, 4, "removed"),
    (
        "transactions reordered",
        |_, blocks| alter(blocks, |it| it.transactions.swap(0, 1)),
        Level::Trees,
        4,
        "reordered",
    ),
    (
        "a transaction altered",
        |_, blocks| alter(blocks, |it| it.transactions[0].0[60] ^= 1),
        Level::Trees,
        4,
        "altered",
    ),
    ("the time altered", |_, blocks| alter(blocks, |it| it.header.time.0 += 1), Level::Headers, 4, "altered"),
    ("a header forged", |_, blocks| alter(blocks, |it| it.header.state_root.0[0] ^= 1), Level::Headers, 4, "altered"),
    ("outcomes forged", |_, blocks| alter(blocks, |it| it.header.outcomes.0[0] ^= 1), Level::Headers, 4, "altered"),
    (
        "another network",
        |_, blocks| alter(blocks, |it| it.header.network.0.0[0] ^= 1),
        Level::Headers,
        4,
        "another network",
    ),
    (
        "a certificate of another block",
        |_, blocks| blocks[3].certificate = blocks[4].certificate.clone(),
        Level::Headers,
        4,
        "altered",
    ),
    ("no signature", |_, blocks| blocks[3].certificate.signatures.clear(), Level::Headers, 4, "below quorum"),
    (
        "a signer counted twice",
        |_, blocks| {
            let signature = blocks[3].certificate.signatures[0].clone();
            blocks[3].certificate.signatures.push(signature);
        },
        Level::Headers,
        4,
        "signs twice",
    ),
    (
        "a stranger's signature",
        |_, blocks| blocks[3].certificate.signatures[0].member.0 = 3,
        Level::Headers,
        4,
        "not a validator",
    ),
    ("another round", |_, blocks| blocks[3].certificate.round = 7, Level::Headers, 4, "does not verify"),
    (
        "other validators given",
        |ledger, blocks| blocks[3].next = Some(others(ledger)),
        Level::Headers,
        4,
        "validators given with it",
    ),
    (
        "a handover without validators",
        |ledger, blocks| {
            let next = others(ledger).digest(&ledger.genesis.domain());
            forge(ledger, blocks, |it| it.header.next_validators = next);
        },
        Level::Headers,
        4,
        "",
    ),
    (
        "another parent, signed",
        |ledger, blocks| forge(ledger, blocks, |it| it.header.parent.0.0[0] ^= 1),
        Level::Headers,
        4,
        "follow",
    ),
    (
        "an earlier time, signed",
        |ledger, blocks| forge(ledger, blocks, |it| it.header.time.0 -= 5_000),
        Level::Headers,
        4,
        "not later",
    ),
    (
        "the parent certificate altered",
        |_, blocks| alter(blocks, |it| it.parent_certificate = None),
        Level::Trees,
        4,
        "parent certificate",
    ),
    (
        "a wrong state root, signed",
        |ledger, blocks| forge(ledger, blocks, |it| it.header.state_root.0[0] ^= 1),
        Level::Full,
        4,
        "another state",
    ),
    (
        "wrong outcomes, signed",
        |ledger, blocks| forge(ledger, blocks, |it| it.header.outcomes.0[0] ^= 1),
        Level::Full,
        4,
        "other outcomes",
    ),
    (
        "a proposer that is none, signed",
        |ledger, blocks| forge(ledger, blocks, |it| it.header.proposer.0 = 2),
        Level::Full,
        4,
        "not a validator",
    ),
];

#[test]
fn aud01_tampering_is_named_at_its_block_and_no_other() {
    let ledger = Ledger::with(6, 2);
    for (what, tamper, lowest, height, words) in CASES {
        let mut blocks = ledger.blocks.clone();
        tamper(&ledger, &mut blocks);
        for level in Level::ALL {
            let report = audit(&ledger, level, &blocks);
            let Some(failure) = &report.failure else {
                assert!(level < *lowest, "{what} is not noticed at level {level:?}");
                continue;
            };
            if level < *lowest {
                // Block 5 does not follow a block 4 that somebody forged with a quorum's keys.
                assert!(failure.height > Height(*height), "{what}, {level:?}: {failure}");
                continue;
            }
            let said = failure.to_string();
            assert_eq!(failure.height, Height(*height), "{what}, {level:?}: {said}");
            assert_eq!(report.height, Height(height - 1), "{what}, {level:?}");
            assert!(said.contains(words), "{what}, {level:?}: {said}");
        }
    }
}

#[test]
fn f7_validators_that_are_handed_over_to_decide_from_then_on() {
    let ledger = Ledger::with(5, 0);
    let (domain, next) = (ledger.genesis.domain(), others(&ledger));
    let mut blocks = ledger.blocks.clone();
    // The same key with more power: the digest is another, and so is every header from there on.
    let mut parent = None;
    for place in 2..5 {
        let mut forged = block(&blocks[place]);
        forged.header.next_validators = next.digest(&domain);
        if let Some(before) = parent {
            forged.header.parent = before;
            forged.header.parent_certificate = blocks[place - 1].certificate.digest(&domain);
            forged.parent_certificate = Some(blocks[place - 1].certificate.clone());
        }
        parent = Some(forged.header.id(&domain));
        blocks[place] = exported(&ledger.genesis, &forged, (place == 2).then(|| next.clone()));
    }
    for level in [Level::Headers, Level::Trees] {
        assert!(audit(&ledger, level, &blocks).failure.is_none());
    }
    let full = audit(&ledger, Level::Full, &blocks).failure.expect("no member's record says so");
    assert_eq!(full.height, Height(3), "{full}");
    blocks[2].next = None;
    let withheld = audit(&ledger, Level::Headers, &blocks).failure.expect("they are withheld");
    assert_eq!((withheld.height, matches!(withheld.fault, Fault::NoValidators)), (Height(3), true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn aud01_no_byte_of_a_block_counts_for_nothing(struck in 0usize..5, place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let ledger = Ledger::with(5, 2);
        let mut blocks = ledger.blocks.clone();
        let bytes = &mut blocks[struck].block.0;
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let failure = audit(&ledger, Level::Full, &blocks).failure.expect("it is noticed");
        prop_assert_eq!(failure.height, Height(struck as u64 + 1), "{}", failure);
    }
}
