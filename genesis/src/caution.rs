//! Cautions: what is allowed at founding and yet worth a second look.

use fengni_core::record::KeyPurpose;
use fengni_core::{MemberNumber, Validator};

use crate::contents::Genesis;
use crate::rules::acts;

impl Genesis {
    /// What a careful founder would look at again, one sentence each; empty is good.
    pub fn cautions(&self) -> Vec<String> {
        let mut cautions = self.validator_cautions();
        cautions.extend(self.second_person_cautions());
        cautions.extend(self.recovery_cautions());
        for kind in &self.types {
            let claims = kind.schemas.iter().flat_map(|schema| &schema.claims);
            for claim in claims.filter(|claim| claim.everyday && claim.sensitive) {
                cautions
                    .push(format!("the everyday code of {} discloses {}, which is sensitive", kind.name, claim.label));
            }
        }
        cautions
    }

    fn validator_cautions(&self) -> Vec<String> {
        let set = self.validators();
        let mut cautions = Vec::new();
        if set.len() < 4 {
            cautions.push(format!("{} validators outlast no failure: four outlast one", set.len()));
        }
        let vital = |validator: &&Validator| set.power() - validator.power < set.quorum();
        for validator in set.iter().filter(vital) {
            cautions.push(format!("without {} alone no block becomes final", self.name_of(validator.member)));
        }
        cautions
    }

    /// One person must not be able to recover the network alone, nor to prevent it.
    fn recovery_cautions(&self) -> Vec<String> {
        let Some(terms) = &*self.parameters.recovery else { return Vec::new() };
        let mut cautions = Vec::new();
        if terms.threshold == 1 {
            cautions.push("one recovery key alone can name other validators".to_owned());
        }
        if usize::from(terms.threshold) == terms.keys.len() {
            cautions.push("one lost recovery key ends recovery: all of them must sign".to_owned());
        }
        cautions
    }

    fn second_person_cautions(&self) -> Vec<String> {
        let mut cautions = Vec::new();
        for (number, member) in (0..).map(MemberNumber).zip(&self.members) {
            let keys = |purpose| member.keys.iter().filter(|key| key.purpose == purpose).count();
            let terminal = |authority: &fengni_core::record::Authority| {
                let kind = usize::try_from(authority.certificate_type.0).ok().and_then(|place| self.types.get(place));
                authority.member == number
                    && kind.is_some_and(|kind| acts(kind.acts).iter().any(|act| act.is_terminal()))
            };
            if keys(KeyPurpose::Issuing) == 1 && self.authorities.iter().any(terminal) {
                cautions.push(format!("{} has one issuing key: terminal acts and large seals need two", member.name));
            }
            let revokes = self.types.iter().any(|kind| kind.revokers.contains(&number));
            if keys(KeyPurpose::Enforcement) == 1 && revokes {
                cautions.push(format!("{} has one enforcement key: revoking needs two", member.name));
            }
        }
        cautions
    }

    fn name_of(&self, member: MemberNumber) -> &str {
        let member = usize::try_from(member.0).ok().and_then(|place| self.members.get(place));
        member.map_or("", |member| &member.name)
    }
}
