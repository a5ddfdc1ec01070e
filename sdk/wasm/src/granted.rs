//! A wallet's grants: what they say, where they stand, and what withdraws them. Rules I-3 to I-5, Z-7.

use fengni_core::limits::GRANT_FILE_BYTES;
use fengni_core::sharing::{GrantFile, GrantTerms, GrantedKind, Receipt, miscounts};
use fengni_core::{LinePlace, MemberNumber, Millis, PurposeCode};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, json, thrown};
use crate::evidence::Evidence;
use crate::wallet::Wallet;

/// A grant, as its holder reads it.
#[derive(Serialize)]
struct Notice<'a> {
    place: LinePlace,
    grantee: MemberNumber,
    contact: &'a str,
    purpose: PurposeCode,
    item: &'a str,
    case: Option<&'a str>,
    method: &'a str,
    kinds: &'a [GrantedKind],
    from: Millis,
    until: Millis,
    separate_consent: bool,
}

#[wasm_bindgen]
impl Wallet {
    /// Takes in a grant as its holder keeps it.
    ///
    /// # Errors
    /// Where it is none, or does not hold by itself. No message repeats what is in it.
    #[wasm_bindgen(js_name = addGrant)]
    pub fn add_grant(&mut self, file: &str) -> Answer<()> {
        let fitting = Some(file).filter(|file| file.len() <= GRANT_FILE_BYTES);
        let read = fitting.and_then(|file| serde_json::from_str::<GrantFile>(file).ok());
        let grant = read.ok_or_else(|| thrown("this is no grant as its holder keeps it"))?;
        grant.present(&self.domain).check(&self.domain).map_err(thrown)?;
        if !self.grants.iter().any(|known| known.place == grant.place) {
            self.grants.push(grant);
        }
        Ok(())
    }

    /// The grants, in the order in which they were taken in: others name them by their place here.
    pub fn grants(&self) -> String {
        json(&self.grants.iter().map(notice).collect::<Vec<_>>())
    }

    /// Where a grant stands; `null` where the line at its place is another's.
    ///
    /// - `evidence`: the grant's book, its line and the page record.
    ///
    /// # Errors
    /// Where there is no such grant, or something was not proven.
    #[wasm_bindgen(js_name = grantStanding)]
    pub fn grant_standing(&self, grant: usize, evidence: &Evidence) -> Answer<String> {
        let presented = self.grant(grant)?.present(&self.domain);
        let standing = presented.standing(&self.domain, &evidence.proven, evidence.now).map_err(thrown)?;
        Ok(json(&standing))
    }

    /// Numbers of a grant's uses that no receipt has, or that several have. Rule I-16.
    ///
    /// - `receipts`: all that holds of what its providers gave, from the first on.
    ///
    /// # Errors
    /// Where there is no such grant, or these are no receipts.
    pub fn miscounts(&self, grant: usize, receipts: &str) -> Answer<String> {
        let content = self.grant(grant)?.content.digest(&self.domain);
        let receipts: Vec<Receipt> = serde_json::from_str(receipts).map_err(|_| thrown("these are no receipts"))?;
        Ok(json(&miscounts(&self.domain, &content, &receipts)))
    }

    /// What withdraws a grant, for any member to bring to the ledger. Whoever has it withdraws it.
    ///
    /// # Errors
    /// Where there is no such grant.
    pub fn withdrawal(&self, grant: usize) -> Answer<String> {
        Ok(json(&self.grant(grant)?.withdrawal(&self.domain)))
    }
}

impl Wallet {
    fn grant(&self, number: usize) -> Answer<&GrantFile> {
        self.grants.get(number).ok_or_else(|| thrown("the wallet holds no such grant"))
    }

    /// Of which grant a receipt is, and of which of its kinds, each by its place.
    pub(crate) fn grant_of(&self, receipt: &Receipt) -> Option<(usize, usize)> {
        let is_its = |grant: &GrantFile| receipt.is_under(&self.domain, &grant.content.digest(&self.domain));
        let grant = self.grants.iter().position(is_its)?;
        Some((grant, self.grants[grant].content.kind_of(receipt)?))
    }
}

fn notice(grant: &GrantFile) -> Notice<'_> {
    let GrantTerms { grantee, contact, purpose, item, case, method, kinds, from, until, separate_consent, .. } =
        grant.content.terms();
    Notice {
        place: grant.place,
        grantee: *grantee,
        contact,
        purpose: *purpose,
        item,
        case: case.as_deref(),
        method,
        kinds,
        from: *from,
        until: *until,
        separate_consent: *separate_consent,
    }
}
