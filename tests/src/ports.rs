//! Ports for a network: a block of its own, below those that the system gives to connections that go
//! out, so that no connection of another network takes one before its node listens.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const BLOCK: u16 = 64;
const BLOCKS: u16 = 320;
/// Ports of a block that `fengni sample` may take: eight nodes of five.
pub(crate) const SAMPLE: u16 = 44;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// The first port of a block that nobody uses and this process has not given out before.
///
/// # Panics
/// When every block is in use.
pub fn free_block() -> u16 {
    // Processes at work at the same time begin at different places.
    let begin = std::process::id() % u32::from(BLOCKS);
    for _ in 0..BLOCKS {
        let place = (begin + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % u32::from(BLOCKS);
        let first = FIRST + BLOCK * u16::try_from(place).expect("below the number of blocks");
        if (first..first + BLOCK).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return first;
        }
    }
    panic!("no block of {BLOCK} free ports on loopback")
}
