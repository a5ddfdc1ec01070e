//! Answers and errors on their way to JavaScript.
//!
//! Answers are JSON texts. Arguments are plain numbers, texts and bytes: JavaScript reads JSON anyway, and a
//! second reader would be a fifth of the verifier's download. The wallet alone reads JSON, of grants and
//! receipts, whose forms are the core's own.

#[cfg(any(feature = "verifier", feature = "wallet"))]
use fengni_core::Digest;
use fengni_core::Millis;
#[cfg(feature = "wallet")]
use fengni_core::NetworkId;
use serde::Serialize;
use wasm_bindgen::JsError;

/// What a JavaScript call gives back.
pub(crate) type Answer<T> = Result<T, JsError>;

/// An answer as JSON.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("answers are plain data")
}

/// A JSON object of values that are JSON already.
#[cfg(any(feature = "verifier", feature = "register"))]
pub(crate) fn object<K: std::fmt::Display>(entries: impl IntoIterator<Item = (K, String)>) -> String {
    let mut text = String::from("{");
    for (name, value) in entries {
        if text.len() > 1 {
            text.push(',');
        }
        // Names are places and words of ours: nothing in them wants escaping.
        text.push('"');
        text.push_str(&name.to_string());
        text.push_str("\":");
        text.push_str(&value);
    }
    text.push('}');
    text
}

/// An error in JavaScript's terms.
pub(crate) fn thrown(error: impl std::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}

/// A network's id from its 64 hexadecimal digits.
#[cfg(feature = "wallet")]
pub(crate) fn network(text: &str) -> Answer<NetworkId> {
    digest("a network's id", text).map(NetworkId)
}

/// A hash from its 64 hexadecimal digits.
#[cfg(any(feature = "verifier", feature = "wallet"))]
pub(crate) fn digest(what: &str, text: &str) -> Answer<Digest> {
    Digest::from_hex(text).ok_or_else(|| thrown(format_args!("{what} has 64 hexadecimal digits")))
}

/// A moment from JavaScript's clock: what is no time there is the beginning of time here.
pub(crate) fn moment(millis: f64) -> Millis {
    Millis(count(millis))
}

/// A count from JavaScript, whose numbers are all of one kind.
pub(crate) fn count(number: f64) -> u64 {
    // The cast saturates, and takes what is no number for 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    {
        number as u64
    }
}
