//! Use codes (用证码): a holder at a counter lets one department use one certificate once, now (SHR-11).
//!
//! ```text
//! wanted -> read, by the ledger -> notice, for the holder to read -> sign -> use code and identity
//! ```
//!
//! Both texts go to the department and nowhere else. Rules I-2, I-6, I-7: `sdk/spec/access.md`.

use fengni_core::record::{Member, Mode, Resource, ResourceStatus, ServiceItem};
use fengni_core::sharing::{Identity, UseCode, UseCodeError, UseTerms};
use fengni_core::{Domain, MemberNumber, Millis, PublicKey, ResourceNumber, SecretKey};
use thiserror::Error;

use super::needs::{AskedItem, NeedsError, current};
use crate::ledger::{Ledger, LedgerError};
use crate::random::{RandomError, random};

/// What a department at the counter says that it needs.
pub struct Wanted {
    /// The department.
    pub grantee: MemberNumber,
    /// The edition of the resource, as its request cites it.
    pub resource: ResourceNumber,
    /// Names of items of the resource, in any order.
    pub fields: Vec<String>,
    /// How they are used.
    pub mode: Mode,
    /// The service item: its current edition says what for.
    pub item: AskedItem,
    /// The case (办件编号).
    pub case: String,
    /// How long the code may be used, in seconds, 1 to 300.
    pub lifetime_secs: u32,
}

/// What a holder reads before agreeing: the terms, and what the ledger says of them.
pub struct Notice {
    /// Who receives.
    pub grantee: Member,
    /// What of.
    pub resource: Resource,
    /// What for.
    pub item: ServiceItem,
    terms: UseTerms,
    identity: Identity,
}

/// Why there is no use code.
#[derive(Debug, Error)]
pub enum UseCodeMakingError {
    /// The certificate is somebody else's.
    #[error("the key is not that of the certificate; next: name the holder's key file")]
    OtherKey,
    /// The list has no such resource, or it is not shared.
    #[error("resource {0} is not among those that are shared; next: fengni resource list")]
    Resource(ResourceNumber),
    /// It has no item of data of this name.
    #[error("the resource has no field {0}; next: fengni resource list")]
    Field(String),
    /// It is not shared in this mode.
    #[error("the resource is not shared in the mode {}; next: fengni resource list", .0.word())]
    Mode(Mode),
    /// The service item.
    #[error(transparent)]
    Item(#[from] NeedsError),
    /// The terms are none of a use code's.
    #[error(transparent)]
    Code(#[from] UseCodeError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Notice {
    /// Holds what a department needs against the ledger.
    ///
    /// - `identity`: who the holder is, by the one certificate that is used.
    /// - `holder`: the key that is to sign.
    ///
    /// # Errors
    /// [`UseCodeMakingError`].
    pub fn read(
        ledger: &mut Ledger,
        wanted: Wanted,
        identity: Identity,
        holder: PublicKey,
    ) -> Result<Self, UseCodeMakingError> {
        if *identity.key() != holder {
            return Err(UseCodeMakingError::OtherKey);
        }
        let Wanted { grantee, resource: number, fields, mode, item, case, lifetime_secs } = wanted;
        let resources: Vec<Resource> = ledger.shelf()?;
        // A request goes on citing an edition that another one replaced.
        let is_shared = |found: &Resource| {
            matches!(found.status, ResourceStatus::Published { .. } | ResourceStatus::Replaced { .. })
        };
        let resource = resources.into_iter().nth(number.0 as usize).filter(is_shared);
        let resource = resource.ok_or(UseCodeMakingError::Resource(number))?;
        if !resource.terms.modes.contains(&mode) {
            return Err(UseCodeMakingError::Mode(mode));
        }
        let fields = numbers(&resource, fields)?;
        let items: Vec<ServiceItem> = ledger.shelf()?;
        let (place, _) = current(&items, &item, grantee)?;
        let item = items[place.0 as usize].clone();
        let terms = UseTerms {
            grantee,
            resource: number,
            fields,
            mode,
            item: item.terms.code.clone(),
            case,
            purpose: item.terms.purpose,
            certificate: identity.place(),
            issued_secs: 0,
            lifetime_secs,
            nonce: [0; 16],
            holder,
        };
        // A case's number could rewrite the screen on which the holder reads it.
        terms.check()?;
        Ok(Self { grantee: ledger.record(grantee.0)?, resource, item, terms, identity })
    }

    /// What the holder agrees to; its time and randomness come with the signature.
    pub fn terms(&self) -> &UseTerms {
        &self.terms
    }

    /// Signs it, once the holder has agreed: the code, and who the holder is.
    ///
    /// - `now`: when the code begins to hold.
    ///
    /// # Errors
    /// [`UseCodeMakingError::Code`] and [`UseCodeMakingError::Random`].
    pub fn sign(
        self,
        domain: &Domain,
        key: &SecretKey,
        now: Millis,
    ) -> Result<(UseCode, Identity), UseCodeMakingError> {
        let terms = UseTerms { issued_secs: now.secs(), nonce: random()?, ..self.terms };
        Ok((terms.sign(domain, key)?, self.identity))
    }
}

/// Numbers of a resource's items of data, each once, rising.
fn numbers(resource: &Resource, names: Vec<String>) -> Result<Vec<u16>, UseCodeMakingError> {
    let number = |name: String| {
        let found = (0u16..).zip(&resource.terms.fields).find(|(_, field)| field.name == name);
        found.map(|(number, _)| number).ok_or(UseCodeMakingError::Field(name))
    };
    let mut numbers = names.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}
