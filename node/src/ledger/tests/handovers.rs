//! Handovers: validators whose keys begin and end at heights, over a real store.

use fengni_core::Height;
use fengni_core::light::{LightClient, LightError};

use super::{decide, founding, open};

#[test]
fn n23_handovers_lead_from_the_founding_to_the_newest_block() {
    let (genesis, founding, changes) = founding();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let open = || open(folder.path(), &genesis, &founding);
    let ledger = open();
    assert!(ledger.handovers(Height(0)).is_empty());
    for _ in 0..8 {
        decide(&ledger);
    }
    let heights = |since| ledger.handovers(Height(since)).iter().map(|it| it.header.height).collect::<Vec<_>>();
    assert_eq!(heights(0), changes);
    assert_eq!(heights(1), changes);
    assert_eq!(heights(2), changes[1..]);
    assert_eq!(heights(6), []);
    // Whoever knows the first set follows them to the newest block.
    let newest = ledger.latest().expect("eight blocks");
    let now = newest.header.time;
    let mut light = LightClient::from_checkpoint(genesis.checkpoint());
    let far = light.accept(&newest.header, &newest.certificate, now).expect_err("by a key not known yet");
    assert!(far.asks_for_handovers(light.handovers_since()), "{far}");
    let all = ledger.handovers(light.handovers_since());
    assert!(matches!(light.follow(&all[2], now), Err(LightError::Handover(_))), "one is left out");
    for handover in &all {
        light.follow(handover, now).expect("a true handover");
    }
    light.accept(&newest.header, &newest.certificate, now).expect("the newest set is known");
    assert_eq!(newest.checkpoint(), light.checkpoint_at(&newest.header).expect("the same"));
    // And after a restart, from the store.
    drop((ledger, newest));
    let ledger = open();
    assert_eq!(ledger.handovers(Height(0)), all);
    decide(&ledger);
    assert_eq!(ledger.handovers(Height(0)).len(), 3, "no block after it changed the set");
}
