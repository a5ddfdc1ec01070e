//! A transaction from a client or a peer. Rules T-1 to T-5.

#![no_main]

use fengni_core::transaction::Transaction;
use fengni_core::{Digest, Domain, Height, NetworkId, Suite};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let domain = Domain { suite: Suite::Standard, network: NetworkId(Digest([0x46; 32])) };
    if let Ok(transaction) = Transaction::decode(bytes) {
        assert_eq!(transaction.encode(), bytes);
        let _ = transaction.body.id(&domain);
        let _ = transaction.check_window(&domain, Height(12), 10);
    }
});
