//! Every registry of the state but the books: what records say, and what a vote can change.

use fengni_core::Suite;
use fengni_core::list::NumberedList;
use fengni_core::record::{
    Agreement, Application, Authority, CertificateType, CodeSet, Member, Objection, Offence, Order, Parameters,
    Proposal, Record, Request, Resource, ServiceItem,
};
use fengni_core::shelf::Shelf;

use crate::registry::Registry;
use crate::state::{Founding, LoadError};

/// The registries by shelf. A copy shares what it has in common with the original.
#[derive(Clone)]
pub struct Registries {
    /// One record.
    pub parameters: Registry<Parameters>,
    /// Members.
    pub members: Registry<Member>,
    /// Certificate types.
    pub types: Registry<CertificateType>,
    /// Issuing authorities.
    pub authorities: Registry<Authority>,
    /// Recognition agreements.
    pub agreements: Registry<Agreement>,
    /// Reference codes.
    pub codes: Registry<CodeSet>,
    /// Applications.
    pub applications: Registry<Application>,
    /// Proposals.
    pub proposals: Registry<Proposal>,
    /// Orders.
    pub orders: Registry<Order>,
    /// Offences.
    pub offences: Registry<Offence>,
    /// Shared resources.
    pub resources: Registry<Resource>,
    /// Service items.
    pub items: Registry<ServiceItem>,
    /// Requests for data.
    pub requests: Registry<Request>,
    /// Objections.
    pub objections: Registry<Objection>,
}

/// For each registry: its shelf and its field.
macro_rules! each {
    ($self:expr, $shelf:expr, $registry:ident => $result:expr) => {
        match $shelf {
            Shelf::Parameters => each!(@some $self.parameters, $registry => $result),
            Shelf::Members => each!(@some $self.members, $registry => $result),
            Shelf::Types => each!(@some $self.types, $registry => $result),
            Shelf::Authorities => each!(@some $self.authorities, $registry => $result),
            Shelf::Agreements => each!(@some $self.agreements, $registry => $result),
            Shelf::Codes => each!(@some $self.codes, $registry => $result),
            Shelf::Applications => each!(@some $self.applications, $registry => $result),
            Shelf::Proposals => each!(@some $self.proposals, $registry => $result),
            Shelf::Orders => each!(@some $self.orders, $registry => $result),
            Shelf::Offences => each!(@some $self.offences, $registry => $result),
            Shelf::Resources => each!(@some $self.resources, $registry => $result),
            Shelf::Items => each!(@some $self.items, $registry => $result),
            Shelf::Requests => each!(@some $self.requests, $registry => $result),
            Shelf::Objections => each!(@some $self.objections, $registry => $result),
            Shelf::Books => None,
        }
    };
    (@some $field:expr, $registry:ident => $result:expr) => {{
        let $registry = &$field;
        $result
    }};
}

impl Registries {
    /// What a network begins with.
    pub(crate) fn of(suite: Suite, founding: Founding) -> Self {
        Self {
            parameters: Registry::of(suite, [founding.parameters]),
            members: Registry::of(suite, founding.members),
            types: Registry::of(suite, founding.types),
            authorities: Registry::of(suite, founding.authorities),
            agreements: Registry::of(suite, founding.agreements),
            codes: Registry::of(suite, founding.codes),
            applications: Registry::new(suite),
            proposals: Registry::new(suite),
            orders: Registry::new(suite),
            offences: Registry::new(suite),
            resources: Registry::new(suite),
            items: Registry::new(suite),
            requests: Registry::new(suite),
            objections: Registry::new(suite),
        }
    }

    /// Reads the registries from their records' encodings.
    ///
    /// # Errors
    /// [`LoadError::Record`].
    pub fn load(suite: Suite, records: impl Fn(Shelf) -> Vec<Vec<u8>>) -> Result<Self, LoadError> {
        Ok(Self {
            parameters: registry(suite, &records(Shelf::Parameters))?,
            members: registry(suite, &records(Shelf::Members))?,
            types: registry(suite, &records(Shelf::Types))?,
            authorities: registry(suite, &records(Shelf::Authorities))?,
            agreements: registry(suite, &records(Shelf::Agreements))?,
            codes: registry(suite, &records(Shelf::Codes))?,
            applications: registry(suite, &records(Shelf::Applications))?,
            proposals: registry(suite, &records(Shelf::Proposals))?,
            orders: registry(suite, &records(Shelf::Orders))?,
            offences: registry(suite, &records(Shelf::Offences))?,
            resources: registry(suite, &records(Shelf::Resources))?,
            items: registry(suite, &records(Shelf::Items))?,
            requests: registry(suite, &records(Shelf::Requests))?,
            objections: registry(suite, &records(Shelf::Objections))?,
        })
    }

    /// The parameters in force.
    pub fn parameters(&self) -> &Parameters {
        self.parameters.get(0).expect("a network is founded with parameters")
    }

    /// The list behind a shelf's digest; `None` for the books.
    pub(crate) fn list(&self, shelf: Shelf) -> Option<&NumberedList> {
        each!(self, shelf, registry => Some(registry.list()))
    }

    /// A record's encoding; `None` for the books.
    pub(crate) fn record_bytes(&self, shelf: Shelf, number: u32) -> Option<Vec<u8>> {
        each!(self, shelf, registry => registry.get(number).map(|record| Record::encode(record.as_ref())))
    }
}

/// A registry from its records' encodings, by number.
pub(crate) fn registry<R: Record>(suite: Suite, records: &[Vec<u8>]) -> Result<Registry<R>, LoadError> {
    let mut registry = Registry::new(suite);
    for (bytes, number) in records.iter().zip(0..) {
        let record = <R as Record>::decode(bytes).map_err(|_| LoadError::Record { shelf: R::SHELF, number })?;
        registry.append(record);
    }
    Ok(registry)
}

/// A record whose registry an operation or a vote can change.
pub(crate) trait Shelved: Record {
    /// Its registry.
    fn of(registries: &mut Registries) -> &mut Registry<Self>;
}

macro_rules! shelved {
    ($($record:ty: $field:ident;)*) => {$(
        impl Shelved for $record {
            fn of(registries: &mut Registries) -> &mut Registry<Self> {
                &mut registries.$field
            }
        }
    )*};
}

shelved! {
    Parameters: parameters;
    Member: members;
    CertificateType: types;
    Authority: authorities;
    Agreement: agreements;
    CodeSet: codes;
    Application: applications;
    Proposal: proposals;
    Order: orders;
    Offence: offences;
    Resource: resources;
    ServiceItem: items;
    Request: requests;
    Objection: objections;
}
