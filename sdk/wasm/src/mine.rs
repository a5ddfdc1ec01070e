//! The holder's own list: questions to providers, and what their answers are worth. Rules I-13 to I-16.
//!
//! Receipts come in as the JSON that a provider gives. What they are worth follows from proofs alone.

use fengni_core::book::Book;
use fengni_core::sharing::{
    HalfStanding, HeldReceipt, HolderQuestion, Identity, Receipt, ReceiptPath, Sides, UseError,
};
use fengni_core::standing::Standing;
use fengni_core::{Digest, MemberNumber};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, count, json, moment, thrown};
use crate::evidence::Evidence;
use crate::wallet::{Wallet, indexes};

/// What a receipt is worth.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Worth {
    /// Its provider signed it, and the ledger says so much of it.
    Holds(HalfStanding),
    /// Its provider signed it and shows no way to the batch that the ledger counts: its leaves decide.
    Counted,
    /// It shows nothing, and why.
    Unfit(String),
}

/// A receipt, judged.
#[derive(Serialize)]
struct Judged {
    worth: Worth,
    sides: Option<Sides>,
    /// Places of the wallet's grant and of the kind in it.
    grant: Option<(usize, usize)>,
}

/// Where a certificate stands.
#[derive(Serialize)]
struct Stands {
    standing: Standing,
    /// Somebody withholds it.
    held: bool,
    /// An order or a revoked key lies over its line.
    suspended: bool,
}

#[wasm_bindgen]
impl Wallet {
    /// Makes a holder's signed question, by one certificate and its key.
    ///
    /// - `fields`: labels that name the holder; without any, the question is by the key alone.
    /// - `nonce`: 16 fresh random bytes.
    ///
    /// # Errors
    /// Why no question can be made.
    pub fn ask(
        &self,
        identifier: &str,
        fields: Option<Vec<String>>,
        provider: u32,
        from: f64,
        nonce: &[u8],
        now: f64,
    ) -> Answer<String> {
        let file = self.file(identifier)?;
        let key = self.key_of(file)?;
        let identity = |labels: Vec<String>| {
            let (_, schema) = self.known_schema(file)?;
            Identity::of(&self.domain, file, &indexes(schema, &labels)).map_err(thrown)
        };
        let question = HolderQuestion {
            provider: MemberNumber(provider),
            holder: key.public(),
            identity: fields.map(identity).transpose()?,
            from: count(from),
            nonce: nonce.try_into().map_err(|_| thrown("a nonce has 16 bytes"))?,
            time: moment(now),
        };
        Ok(json(&question.sign(&self.domain, key)))
    }

    /// What has to be proven to judge receipts, as far as a state tells: places, as texts. Asked again with
    /// the proof of these it names the lines as well.
    ///
    /// # Errors
    /// Where these are no receipts.
    #[wasm_bindgen(js_name = placesOf)]
    pub fn places_of(&self, receipts: &str, provider: u32, evidence: &Evidence) -> Answer<Vec<String>> {
        let provider = MemberNumber(provider);
        let mut places: Vec<_> =
            read(receipts)?.iter().flat_map(|held| held.places(provider, &evidence.proven)).collect();
        places.sort_unstable();
        places.dedup();
        Ok(places.iter().map(ToString::to_string).collect())
    }

    /// Judges receipts, in their order.
    ///
    /// - `evidence`: what [`Wallet::places_of`] names.
    ///
    /// # Errors
    /// Where these are no receipts, or something was not proven.
    pub fn judge(&self, receipts: &str, provider: u32, evidence: &Evidence) -> Answer<String> {
        let judged = read(receipts)?.into_iter().map(|held| self.judged(held, MemberNumber(provider), evidence));
        Ok(json(&judged.collect::<Answer<Vec<_>>>()?))
    }

    /// The way of a receipt into a batch whose leaves are published; `null` where its number is outside.
    ///
    /// # Errors
    /// Where these are no receipt and no leaves.
    #[wasm_bindgen(js_name = pathOf)]
    pub fn path_of(&self, receipt: &str, first: f64, leaves: &str) -> Answer<String> {
        let receipt: Receipt = serde_json::from_str(receipt).map_err(|_| thrown(NO_RECEIPT))?;
        let leaves: Vec<Digest> = serde_json::from_str(leaves).map_err(|_| thrown("these are no leaves"))?;
        Ok(json(&ReceiptPath::of(&self.domain, count(first), &leaves, receipt.number)))
    }

    /// Where a certificate of the wallet stands.
    ///
    /// - `evidence`: its book, its line and the page record.
    ///
    /// # Errors
    /// Where something was not proven, or the line is another's.
    #[wasm_bindgen(js_name = certificateStanding)]
    pub fn certificate_standing(&self, identifier: &str, evidence: &Evidence) -> Answer<String> {
        let file = self.file(identifier)?;
        let Evidence { proven, now } = evidence;
        let book: Book = proven.record(file.place.book.0).map_err(thrown)?;
        if proven.line(file.place).map_err(thrown)? != file.line(&self.domain) {
            return Err(thrown("the line on the ledger is not that of this certificate"));
        }
        let line = file.place.line;
        let page = proven.page(file.place.book, line.page()).map_err(thrown)?;
        let (standing, holds) = page.standing(line.place());
        Ok(json(&Stands {
            standing,
            held: holds.iter().any(|hold| hold.is_live(*now)),
            suspended: book.suspended.iter().any(|run| run.covers(line)),
        }))
    }
}

const NO_RECEIPT: &str = "these are no receipts of a provider";

fn read(receipts: &str) -> Answer<Vec<HeldReceipt>> {
    serde_json::from_str(receipts).map_err(|_| thrown(NO_RECEIPT))
}

impl Wallet {
    fn judged(&self, held: HeldReceipt, provider: MemberNumber, evidence: &Evidence) -> Answer<Judged> {
        let proven = &evidence.proven;
        let found = held.judge(&self.domain, provider, proven);
        let found = found.and_then(|found| Ok((found.standing(proven)?, found)));
        match found {
            Ok((standing, found)) => Ok(Judged {
                worth: standing.map_or(Worth::Counted, Worth::Holds),
                sides: Some(found.sides),
                grant: self.grant_of(&found.receipt.receipt),
            }),
            Err(UseError::Unproven(error)) => Err(thrown(error)),
            Err(unfit) => Ok(Judged { worth: Worth::Unfit(unfit.to_string()), sides: None, grant: None }),
        }
    }
}
