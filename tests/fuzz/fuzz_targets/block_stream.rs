//! A stream of blocks from anywhere. Rules J-1 to J-5.

#![no_main]

use fengni_core::export::{BlockReader, BlockWriter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = BlockReader::open(bytes) else { return };
    let mut writer = BlockWriter::begin(Vec::new(), *reader.domain(), reader.first()).expect("memory");
    while let Ok(read) = reader.read() {
        match read {
            Some(block) => writer.write(&block).expect("memory"),
            None => {
                assert_eq!(writer.finish().expect("memory"), bytes);
                return;
            }
        }
    }
});
