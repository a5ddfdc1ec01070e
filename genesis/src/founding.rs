//! From the founding document to the state before the first block.

use fengni_state::Founding;

use crate::contents::Genesis;

impl Genesis {
    /// What the state begins with.
    pub fn founding(&self) -> Founding {
        let contents = (**self).clone();
        Founding {
            time: contents.founded,
            parameters: contents.parameters,
            members: contents.members,
            types: contents.types,
            authorities: contents.authorities,
            agreements: contents.agreements,
            codes: contents.codes,
        }
    }
}
