//! Answers: what is sealed to the requester, and what their receipts say of it. Rule I-17.

use serde::{Deserialize, Serialize};

use super::form::unprinted;
use super::receipt::{Receipt, ResultCode, record_digest};
use crate::certificate::ClaimValue;
use crate::digest::Domain;
use crate::record::Mode;

/// An item of data by its number, and its text where the record has one.
pub type FieldValue = (u16, Option<String>);

/// The answer to one question. An access has as many, in the order of its questions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What came of it.
    pub result: ResultCode,
    /// The items asked for, by rising number; empty but for [`ResultCode::Answered`].
    pub values: Vec<FieldValue>,
}

unprinted!(Answer);

impl Answer {
    /// Rule I-17: whether the receipt says of the question what the answer says.
    ///
    /// - `subject`: the question's.
    pub fn is_receipted(&self, domain: &Domain, receipt: &Receipt, subject: &ClaimValue) -> bool {
        let Receipt { result, mode, fields, salt, record, .. } = receipt;
        let is_verified = || *mode == Mode::Verify;
        let suits = match self.result {
            ResultCode::Answered => {
                let numbers = self.values.iter().map(|(number, _)| number);
                !is_verified()
                    && numbers.eq(fields)
                    && *record == record_digest(domain, salt, subject, Some(&self.values))
            }
            ResultCode::Yes | ResultCode::No => is_verified() && self.values.is_empty(),
            // Nothing was found, or nothing was looked up: there is no record behind it.
            ResultCode::NotFound | ResultCode::Refused(_) => {
                self.values.is_empty() && *record == record_digest(domain, salt, subject, None)
            }
        };
        suits && *result == self.result
    }
}
