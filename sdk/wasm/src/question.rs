//! Questions: who verifies, for what, and what it insists on.

use fengni_core::assurance::Assurance;
use fengni_core::certificate::Grade;
use fengni_core::trust;
use fengni_core::{MemberNumber, PurposeCode};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, digest, thrown};

/// Who verifies, for what, and what it insists on.
#[wasm_bindgen]
pub struct Question {
    pub(crate) asked: trust::Question,
    pub(crate) unproven: Option<String>,
}

#[wasm_bindgen]
impl Question {
    /// A member that verifies, and what for.
    #[wasm_bindgen(constructor)]
    pub fn new(verifier: u32, purpose: u16) -> Question {
        let (verifier, purpose) = (MemberNumber(verifier), PurposeCode(purpose));
        Self {
            asked: trust::Question { verifier, purpose, min_grade: None, min_assurance: None, challenge: None },
            unproven: None,
        }
    }

    /// The lowest trust grade that will do, 1 (A) to 4 (D).
    ///
    /// # Errors
    /// Where there is no such grade.
    #[wasm_bindgen(js_name = minGrade)]
    pub fn min_grade(&mut self, grade: u8) -> Answer<()> {
        self.asked.min_grade = Some(Grade::from_number(grade).ok_or_else(|| thrown("grades are 1 to 4"))?);
        Ok(())
    }

    /// How an identity service must at least have checked the holder: 1 by name, 2 in person.
    ///
    /// # Errors
    /// Where there is no such level.
    #[wasm_bindgen(js_name = minAssurance)]
    pub fn min_assurance(&mut self, level: u8) -> Answer<()> {
        self.asked.min_assurance = Some(Assurance::from_number(level).ok_or_else(|| thrown("levels are 1 and 2"))?);
        Ok(())
    }

    /// Hash of the challenge that was shown.
    ///
    /// # Errors
    /// Where it is no hash.
    pub fn challenge(&mut self, hash: &str) -> Answer<()> {
        self.asked.challenge = Some(digest("a challenge's hash", hash)?);
        Ok(())
    }

    /// Why there is no proof: `not-found`, where every gateway that answered finds no such
    /// identifier, else a reason in words.
    pub fn unproven(&mut self, reason: String) {
        self.unproven = Some(reason);
    }

    pub(crate) fn not_found(&self) -> bool {
        self.unproven.as_deref() == Some(NOT_FOUND)
    }
}

/// The reason that stands for every answering gateway not knowing what was asked.
const NOT_FOUND: &str = "not-found";
