//! A page record from a trust pack. Rule S-2.

#![no_main]

use fengni_core::standing::Page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(page) = Page::decode(bytes) {
        assert_eq!(page.encode(), bytes);
        for place in 0..page.lines {
            let _ = page.standing(place);
        }
    }
});
