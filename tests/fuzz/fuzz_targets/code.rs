//! What a scanner may meet: codes on a screen and on paper. Rules Y-1 to Y-9.

#![no_main]

use fengni_core::code::AnyCode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match AnyCode::parse(text) {
        Ok(AnyCode::Dynamic(code)) => assert_eq!(code.to_text(), text),
        Ok(AnyCode::Static(code)) => assert_eq!(code.to_text(), text),
        Err(_) => (),
    }
});
