//! Numbers drawn from a seed: what a loop of random moments did once, it does again.

#![allow(clippy::print_stdout, reason = "a seed that is not printed cannot be replayed")]

use std::time::Duration;

use crate::actors::random;

/// Draws numbers from a seed.
#[derive(Clone, Debug)]
pub struct Draw {
    /// Replays it.
    pub seed: u64,
    at: u64,
}

impl Draw {
    /// From `FENGNI_SEED`, or fresh; printed either way.
    ///
    /// # Panics
    /// When the seed that is given is no number.
    pub fn seeded() -> Self {
        let given = std::env::var("FENGNI_SEED").ok();
        let seed = given.map_or_else(|| u64::from_le_bytes(random()), |seed| seed.parse().expect("a number"));
        println!("FENGNI_SEED={seed}");
        Self { seed, at: seed }
    }

    /// A number below `end`: SplitMix64.
    pub fn below(&mut self, end: u64) -> u64 {
        self.at = self.at.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.at;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A moment's pause: the moment itself is what is drawn, there is nothing to wait for.
    pub fn pause(&mut self, millis: u64) {
        std::thread::sleep(Duration::from_millis(self.below(millis)));
    }
}
