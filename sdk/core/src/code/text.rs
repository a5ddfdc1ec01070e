//! Texts that a QR code carries in its alphanumeric mode: a prefix and base45.

use super::CodeError;
use crate::codec::DecodeError;

/// The bytes behind a prefix. Rule Y-1: each byte string has one text.
///
/// # Errors
/// [`CodeError::Prefix`], [`CodeError::Base45`], and [`CodeError::Encoding`] for more than `limit`
/// bytes.
pub(crate) fn bytes_of(text: &str, prefix: &'static str, limit: usize) -> Result<Vec<u8>, CodeError> {
    let body = text.strip_prefix(prefix).ok_or(CodeError::Prefix { prefix })?;
    // Three characters stand for two bytes: nothing longer is worth decoding.
    if body.len() > limit / 2 * 3 {
        return Err(DecodeError::TooLong { found: body.len() / 3 * 2, limit }.into());
    }
    let bytes = base45::decode(body).map_err(|_| CodeError::Base45)?;
    // The decoder cuts off what does not fit a last byte.
    if base45::encode(&bytes) != body {
        return Err(CodeError::Base45);
    }
    Ok(bytes)
}

/// The text of bytes.
pub(crate) fn text_of(bytes: &[u8], prefix: &str) -> String {
    format!("{prefix}{}", base45::encode(bytes))
}
