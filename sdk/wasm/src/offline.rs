//! Offline: a trust pack that the device takes along, and what it says about a code.

use fengni_core::code::AnyCode;
use fengni_core::id::Division;
use fengni_core::pack::Subscription;
use fengni_core::trust::TrustStore;
use fengni_core::verdict::Verdict;
use fengni_core::{Height, Millis, TypeNumber};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, json, moment, thrown};
use crate::question::Question;
use crate::verifier::{Checked, Verifier};

/// The pack at hand.
#[derive(Serialize)]
struct PackView<'a> {
    height: Height,
    time: Millis,
    types: &'a [TypeNumber],
    regions: &'a [Division],
    /// Books whose pages are in it, and the lines in these.
    books: usize,
    lines: u64,
}

#[wasm_bindgen]
impl Verifier {
    /// Wants pages of these types and regions, of all where there are none.
    ///
    /// # Errors
    /// Where a region is none.
    pub fn subscribe(&mut self, types: Vec<u32>, regions: Vec<String>) -> Answer<()> {
        let regions = regions.iter().map(|text| Division::parse(text).map_err(thrown)).collect::<Answer<_>>()?;
        self.store.subscribe(Subscription::new(types.into_iter().map(TypeNumber).collect(), regions));
        Ok(())
    }

    /// The query that asks a gateway for the next pack: a delta where one will do, unless `full`.
    #[wasm_bindgen(js_name = packQuery)]
    pub fn pack_query(&self, full: bool) -> String {
        let Subscription { types, regions } = self.store.subscription();
        let mut parts = Vec::new();
        if !types.is_empty() {
            parts.push(format!("types={}", joined(types)));
        }
        if !regions.is_empty() {
            parts.push(format!("regions={}", joined(regions)));
        }
        if let Some(basis) = self.store.basis().filter(|_| !full) {
            parts.push(format!("since={}&shelves={}", basis.height, basis.shelves_hex()));
        }
        parts.join("&")
    }

    /// Takes a pack, if a quorum signed its header and every digest in it adds up.
    ///
    /// # Errors
    /// Why it was refused; the pack at hand stays.
    #[wasm_bindgen(js_name = updatePack)]
    pub fn update_pack(&mut self, pack: &[u8], now: f64) -> Answer<()> {
        self.store.update(pack, moment(now)).map(|_| ()).map_err(thrown)
    }

    /// What pack is at hand; `null` where there is none.
    pub fn pack(&self) -> String {
        json(&self.store.pack().map(|pack| PackView {
            height: pack.header().height,
            time: pack.header().time,
            types: &pack.subscription().types,
            regions: &pack.subscription().regions,
            books: pack.books().filter(|(_, _, covered)| *covered).count(),
            lines: pack.books().filter(|(_, _, covered)| *covered).map(|(_, book, _)| book.lines).sum(),
        }))
    }

    /// Pack, light client and the latest moment seen, for the device to keep.
    #[wasm_bindgen(js_name = savePack)]
    pub fn save_pack(&self) -> Vec<u8> {
        self.store.encode()
    }

    /// Goes on with what [`Verifier::save_pack`] gave. A light client that has seen more stays.
    ///
    /// # Errors
    /// Where it is damaged, was altered, or is of another network.
    #[wasm_bindgen(js_name = resumePack)]
    pub fn resume_pack(&mut self, saved: &[u8]) -> Answer<()> {
        let mut store = TrustStore::decode(saved).map_err(thrown)?;
        if store.domain() != self.store.domain() {
            return Err(thrown("the pack is of another network"));
        }
        let pack = |store: &TrustStore| store.pack().map(|pack| pack.header().height);
        if pack(&self.store) > pack(&store) {
            return Err(thrown("the pack is older than the one at hand"));
        }
        // Evidence of two quorums outlives the page that found it.
        let newest = |store: &TrustStore| store.light().newest().map(|header| header.height);
        if store.light().evidence().is_empty() && newest(&self.store) >= newest(&store) {
            *store.light_mut() = self.store.light().clone();
        }
        store.saw(self.store.clock());
        self.store = store;
        Ok(())
    }

    /// Judges a code by the pack alone, without a network.
    #[wasm_bindgen(js_name = verifyOffline)]
    pub fn verify_offline(&mut self, text: &str, question: &Question, now: f64) -> String {
        let now = moment(now);
        let verdict = match AnyCode::parse(text.trim()) {
            Ok(AnyCode::Dynamic(code)) => {
                let verdict = self.store.verify(&code, &question.asked, now);
                // One memory for both: a code that was accepted online counts no second time offline.
                let once = self.replays.admit(verdict.clone(), &code, &self.context(question, now));
                if once.is_valid() { verdict } else { once }
            }
            Ok(AnyCode::Static(code)) => self.store.judge_static(&code, &question.asked, now),
            Err(error) => Verdict::malformed(&error),
        };
        json(&Checked { verdict, trouble: None })
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
