//! QR symbols: level M, alphanumeric mode, version 22 at most, as phones read them well.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, thrown};

const VERSION_MAX: u8 = 22;

/// The modules of a code's symbol, row by row, without the border: 1 is dark. It is square.
///
/// # Errors
/// Where the text has other characters than a code's 45, or is too long.
#[wasm_bindgen]
pub fn qr(text: &str) -> Answer<Vec<u8>> {
    if !QrSegment::is_alphanumeric(text) {
        return Err(thrown("the text is not made of the 45 characters of a code"));
    }
    let segments = [QrSegment::make_alphanumeric(text)];
    let (min, max) = (Version::MIN, Version::new(VERSION_MAX));
    let symbol = QrCode::encode_segments_advanced(&segments, QrCodeEcc::Medium, min, max, None, false)
        .map_err(|_| thrown("the text is too long for a symbol that phones read well"))?;
    let side = 0..symbol.size();
    Ok(side
        .clone()
        .flat_map(|y| side.clone().map(move |x| (x, y)))
        .map(|(x, y)| symbol.get_module(x, y).into())
        .collect())
}
