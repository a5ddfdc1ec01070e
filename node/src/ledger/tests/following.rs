//! Following: blocks that others decided, taken by the batch.

use fengni_core::{Block, Digest, Height};

use super::{certify, decide, founding, open};
use crate::engine::{Chain as _, Followed, Refusal};

#[test]
fn whoever_follows_believes_quorums_alone_and_across_changes_of_validators() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the test"));
    let (genesis, founding, _) = founding();
    let opened = |place: usize| open(folders[place].path(), &genesis, &founding);
    let (ahead, behind) = (opened(0), opened(1));
    for _ in 0..70 {
        decide(&ahead);
    }
    let served =
        |first: u64, last: u64| ahead.final_blocks(Height(first)..=Height(last), usize::MAX).expect("they are kept");
    let follow = |blocks| behind.follow(blocks).expect("the disk is well");
    let unproven = |followed: Followed, last: u64| {
        assert_eq!(followed.last, Height(last));
        assert!(matches!(followed.refused, Some(Refusal::Unproven(_))), "{:?}", followed.refused);
    };
    // Not from the middle, and not a certificate that too few signed, or with a foreign signature.
    unproven(follow(served(2, 3)), 0);
    let mut few = served(1, 2);
    few[1].1.signatures.truncate(2);
    unproven(follow(few), 1);
    let mut forged = served(2, 3);
    forged[1].1.signatures[0].signature = forged[0].1.signatures[0].signature;
    unproven(follow(forged), 2);
    // A body that the header does not bind, under a true certificate.
    let mut other = served(3, 4);
    let mut torn = other[0].0.to_vec();
    torn.truncate(torn.len() - 1);
    other[0].0 = torn.into();
    unproven(follow(other), 2);
    // The true ones lead over three changes of validators to the same state.
    let followed = follow(served(3, 70));
    assert_eq!((followed.last, followed.refused), (Height(70), None));
    assert_eq!(behind.state().root(), ahead.state().root());
    assert_eq!(behind.handovers(Height(0)), ahead.handovers(Height(0)));
    assert_eq!(follow(Vec::new()).last, Height(70));
    // It is there after a restart, and the engine may decide what follows.
    drop(behind);
    let behind = opened(1);
    assert_eq!(behind.last_final(), Height(70));
    decide(&behind);
}

#[test]
fn a_block_that_a_quorum_decided_and_that_breaks_a_rule_is_for_people() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the test"));
    let (genesis, founding, _) = founding();
    let opened = |place: usize| open(folders[place].path(), &genesis, &founding);
    let (ahead, behind) = (opened(0), opened(1));
    decide(&ahead);
    let (body, _) = ahead.final_blocks(Height(1)..=Height(1), usize::MAX).expect("it is kept").swap_remove(0);
    let mut block = Block::decode(&body).expect("our own");
    block.header.state_root = Digest([7; 32]);
    let id = block.header.id(ahead.domain());
    let followed = behind.follow(vec![(block.encode().into(), certify(&ahead, Height(1), id))]).expect("no trouble");
    assert!(matches!(followed.refused, Some(Refusal::Invalid { height: Height(1), .. })), "{:?}", followed.refused);
    assert_eq!(behind.last_final(), Height(0));
}
