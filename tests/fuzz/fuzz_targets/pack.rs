//! A trust pack, opened on top of nothing. Rules.

#![no_main]

use fengni_core::pack::{Pack, TrustPack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(pack) = Pack::decode(bytes) {
        assert_eq!(pack.encode(), bytes);
        let domain = pack.header.domain();
        if let Ok(opened) = TrustPack::open(pack, None, &domain) {
            let again = TrustPack::open(opened.to_full(), None, &domain);
            assert_eq!(again.as_ref(), Ok(&opened));
        }
    }
});
