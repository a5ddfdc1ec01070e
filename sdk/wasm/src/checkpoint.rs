//! Checkpoints from JavaScript: where trust begins.

use fengni_core::block::BlockId;
use fengni_core::light;
use fengni_core::{Height, MemberNumber, Millis, PublicKey, Suite, Validator, ValidatorSet};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{self, Answer, count, digest, moment, thrown};

/// Validators that somebody vouches for, as of a height and a time.
#[wasm_bindgen]
pub struct Checkpoint(pub(crate) light::Checkpoint);

#[wasm_bindgen]
impl Checkpoint {
    /// A checkpoint.
    ///
    /// - `block`: the header's id; none for the founding itself.
    /// - `members`, `keys`, `powers`: the set that decides from the next height on, in rising order.
    ///
    /// # Errors
    /// What is wrong with the argument named.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        network: &str,
        suite: u8,
        height: f64,
        time: f64,
        block: Option<String>,
        trusting_period_secs: f64,
        members: Vec<u32>,
        keys: Vec<String>,
        powers: Vec<f64>,
    ) -> Answer<Checkpoint> {
        let suite = Suite::from_number(suite).ok_or_else(|| thrown("the suite is not one this program knows"))?;
        let block = block.map(|id| digest("a block's id", &id).map(BlockId)).transpose()?;
        let validator = |((member, key), power): ((u32, &String), f64)| -> Answer<Validator> {
            let key = PublicKey::from_text(key).map_err(thrown)?;
            Ok(Validator { member: MemberNumber(member), key, power: count(power) })
        };
        let validators = members.into_iter().zip(&keys).zip(powers).map(validator).collect::<Answer<Vec<_>>>()?;
        Ok(Self(light::Checkpoint {
            network: answer::network(network)?,
            suite,
            height: Height(count(height)),
            time: Millis(moment(time).0),
            block,
            validators: ValidatorSet::new(validators).map_err(thrown)?,
            trusting_period_secs: count(trusting_period_secs),
        }))
    }
}
