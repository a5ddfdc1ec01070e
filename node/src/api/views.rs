//! Views: registries as JSON, for people and for screens.
//!
//! A view proves nothing: it is what this node says, of the height in `height`. Whoever decides
//! by a record asks for its proof. Rule N-12; reference codes as in CAT-04.

use std::sync::Arc;

use axum::extract::State;
use fengni_core::Height;
use fengni_core::book::{Book, FormerKeeper, ListHead, Suspension};
use fengni_core::record::{
    Agreement, Authority, CertificateType, CodeSet, KeyPurpose, Member, MemberStatus, Record, Role,
};
use fengni_core::standing::ActKind;
use fengni_state::{Registry, State as Register};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::limits::VIEW_RECORDS;
use super::openapi::Problems;
use super::params::{Asked, AtHeight, Named};
use super::problem::ApiError;
use super::reader::Reader;

/// The views.
pub(crate) fn routes() -> OpenApiRouter<Reader> {
    OpenApiRouter::default()
        .routes(routes!(members))
        .routes(routes!(types))
        .routes(routes!(authorities))
        .routes(routes!(agreements))
        .routes(routes!(books))
        .routes(routes!(code_sets))
        .routes(routes!(codes))
}

/// Which part of a registry.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Part {
    /// First record, by number; 0 when left out.
    from: Option<u32>,
    /// How many, at most 1,000, which is also what is given when left out.
    count: Option<u32>,
    /// One of the newest 1,024 heights; the newest when left out.
    height: Option<u64>,
}

/// Part of a registry, unproven.
#[derive(Serialize, ToSchema)]
struct Page<T> {
    /// The height this is of.
    #[schema(value_type = u64)]
    height: Height,
    /// Records in the whole registry.
    total: u64,
    /// The records asked for, by rising number.
    records: Vec<T>,
}

impl Reader {
    /// A part of a list of records, each shown by `show`.
    async fn part<T: Serialize + 'static>(
        &self,
        part: Part,
        show: impl Fn(&Register, u32) -> Option<T> + Send + 'static,
        total: impl Fn(&Register) -> usize + Send + 'static,
    ) -> Result<Answer, ApiError> {
        let count = part.count.unwrap_or(VIEW_RECORDS);
        if count > VIEW_RECORDS {
            return Err(ApiError::Parameter { reason: format!("count is above {VIEW_RECORDS}") });
        }
        let from = part.from.unwrap_or(0);
        let job = move |_: &dyn super::Source, at: &super::FinalState| {
            let numbers = from..from.saturating_add(count);
            let records: Vec<T> = numbers.map_while(|number| show(&at.state, number)).collect();
            let page = Page { height: at.header.height, total: total(&at.state) as u64, records };
            Ok(Answer::json(&page).lasting_if(part.height.is_some()))
        };
        self.answer(part.height, job).await
    }
}

fn numbered<R: Record, V>(registry: &Registry<R>, number: u32, view: impl Fn(u32, &R) -> V) -> Option<V> {
    registry.get(number).map(|record: &Arc<R>| view(number, record))
}

const ROLES: [Role; 9] = [
    Role::Validator,
    Role::Observer,
    Role::Issuer,
    Role::Provider,
    Role::Requester,
    Role::Verifier,
    Role::Regulator,
    Role::Auditor,
    Role::Identity,
];

/// A member (成员单位).
#[derive(Serialize, ToSchema)]
struct MemberView {
    /// Its number.
    number: u32,
    /// Counts changes, from 1.
    version: u32,
    /// Unified social credit code.
    code: String,
    /// Name of the department.
    name: String,
    /// Region it works in.
    division: String,
    /// The member above it.
    superior: Option<u32>,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// Voting power.
    power: u64,
    /// `active`, `suspended` or `removed`.
    #[schema(value_type = String)]
    status: MemberStatus,
    /// Its keys, by number.
    keys: Vec<KeyView>,
    /// Numbers of its authorities.
    authorities: Vec<u32>,
    /// Numbers of the agreements it signed.
    agreements: Vec<u32>,
}

/// A key of a member.
#[derive(Serialize, ToSchema)]
struct KeyView {
    /// What it is for.
    #[schema(value_type = String)]
    purpose: KeyPurpose,
    /// Algorithm number, colon, hexadecimal digits.
    key: String,
    /// First height.
    from: u64,
    /// Last height, once there is one.
    until: Option<u64>,
}

fn member_view(number: u32, member: &Member) -> MemberView {
    let keys = member.keys.iter().map(|key| KeyView {
        purpose: key.purpose,
        key: key.key.to_string(),
        from: key.from.0,
        until: key.until.map(|until| until.0),
    });
    MemberView {
        number,
        version: member.version,
        code: member.code.to_string(),
        name: member.name.clone(),
        division: member.division.to_string(),
        superior: member.superior.map(|superior| superior.0),
        roles: ROLES.into_iter().filter(|role| member.roles.has(*role)).collect(),
        power: member.power,
        status: member.status,
        keys: keys.collect(),
        authorities: member.authorities.iter().map(|number| number.0).collect(),
        agreements: member.agreements.iter().map(|number| number.0).collect(),
    }
}

/// Members, unproven.
#[utoipa::path(get, path = "/v1/members", tag = "views", params(Part),
    responses((status = 200, body = Page<MemberView>), Problems))]
async fn members(State(reader): State<Reader>, Asked(part): Asked<Part>) -> Result<Answer, ApiError> {
    let show = |state: &Register, number| numbered(state.members(), number, member_view);
    reader.part(part, show, |state| state.members().len()).await
}

/// A certificate type (证照类型).
#[derive(Serialize, ToSchema)]
struct TypeView {
    /// Its number.
    number: u32,
    /// Names of the acts it allows.
    #[schema(value_type = Vec<String>)]
    allowed: Vec<ActKind>,
    /// The record as it stands, with schemas and limits.
    #[schema(value_type = Object)]
    record: CertificateType,
}

/// Certificate types, unproven.
#[utoipa::path(get, path = "/v1/types", tag = "views", params(Part),
    responses((status = 200, body = Page<TypeView>), Problems))]
async fn types(State(reader): State<Reader>, Asked(part): Asked<Part>) -> Result<Answer, ApiError> {
    let view = |number, record: &CertificateType| TypeView {
        number,
        allowed: ActKind::ALL.into_iter().filter(|kind| record.acts.has(*kind)).collect(),
        record: record.clone(),
    };
    let show = move |state: &Register, number| numbered(state.types(), number, view);
    reader.part(part, show, |state| state.types().len()).await
}

/// An issuing authority (制发权限).
#[derive(Serialize, ToSchema)]
struct AuthorityView {
    /// Its number.
    number: u32,
    /// Counts changes, from 1.
    version: u32,
    /// Number of the member that may issue.
    member: u32,
    /// Number of the certificate type.
    certificate_type: u32,
    /// Region, with those inside it.
    division: String,
    /// First day.
    from: String,
    /// Last day, included.
    until: String,
    /// The rule it rests on.
    basis: String,
    /// Number of the member that withholds it for now.
    suspended: Option<u32>,
}

/// Issuing authorities, unproven.
#[utoipa::path(get, path = "/v1/authorities", tag = "views", params(Part),
    responses((status = 200, body = Page<AuthorityView>), Problems))]
async fn authorities(State(reader): State<Reader>, Asked(part): Asked<Part>) -> Result<Answer, ApiError> {
    let view = |number, record: &Authority| AuthorityView {
        number,
        version: record.version,
        member: record.member.0,
        certificate_type: record.certificate_type.0,
        division: record.division.to_string(),
        from: record.from.to_string(),
        until: record.until.to_string(),
        basis: record.basis.clone(),
        suspended: record.suspended.map(|member| member.0),
    };
    let show = move |state: &Register, number| numbered(state.authorities(), number, view);
    reader.part(part, show, |state| state.authorities().len()).await
}

/// A recognition agreement (互认协议).
#[derive(Serialize, ToSchema)]
struct AgreementView {
    /// Its number.
    number: u32,
    /// First day.
    from: String,
    /// Last day, included.
    until: String,
    /// The record as it stands, with terms, parties and status.
    #[schema(value_type = Object)]
    record: Agreement,
}

/// Recognition agreements, unproven.
#[utoipa::path(get, path = "/v1/agreements", tag = "views", params(Part),
    responses((status = 200, body = Page<AgreementView>), Problems))]
async fn agreements(State(reader): State<Reader>, Asked(part): Asked<Part>) -> Result<Answer, ApiError> {
    let view = |number, record: &Agreement| AgreementView {
        number,
        from: record.terms.from.to_string(),
        until: record.terms.until.to_string(),
        record: record.clone(),
    };
    let show = move |state: &Register, number| numbered(state.agreements(), number, view);
    reader.part(part, show, |state| state.agreements().len()).await
}

/// A book (登记簿).
#[derive(Serialize, ToSchema)]
struct BookView {
    /// Its number.
    number: u32,
    /// Counts changes of anything but its lists, from 1.
    version: u32,
    /// Number of the certificate type; none for a book of cases.
    certificate_type: Option<u32>,
    /// Region of its certificates or cases.
    division: String,
    /// Issuer's code in its identifiers.
    issuer: String,
    /// Number of the member that writes in it.
    keeper: u32,
    /// Height at which it was opened.
    opened: u64,
    /// Height at which anything but its lists last changed.
    changed: u64,
    /// Lines.
    lines: u64,
    /// Page records.
    #[schema(value_type = Object)]
    pages: ListHead,
    /// Seals.
    #[schema(value_type = Object)]
    seals: ListHead,
    /// Acts.
    #[schema(value_type = Object)]
    acts: ListHead,
    /// Act heads.
    #[schema(value_type = Object)]
    heads: ListHead,
    /// Runs of lines that are suspended together: cause, first and last line.
    #[schema(value_type = Vec<Object>)]
    suspended: Vec<Suspension>,
    /// Who kept it before: member, last height, lines by then.
    #[schema(value_type = Vec<Object>)]
    former: Vec<FormerKeeper>,
}

fn book_view(number: u32, book: &Book) -> BookView {
    BookView {
        number,
        version: book.version,
        certificate_type: book.certificate_type().map(|kind| kind.0),
        division: book.division.to_string(),
        issuer: book.issuer.to_string(),
        keeper: book.keeper.0,
        opened: book.opened.0,
        changed: book.changed.0,
        lines: book.lines,
        pages: book.pages,
        seals: book.seals,
        acts: book.acts,
        heads: book.heads,
        suspended: book.suspended.clone(),
        former: book.former.clone(),
    }
}

/// Books, unproven.
#[utoipa::path(get, path = "/v1/books", tag = "views", params(Part),
    responses((status = 200, body = Page<BookView>), Problems))]
async fn books(State(reader): State<Reader>, Asked(part): Asked<Part>) -> Result<Answer, ApiError> {
    let show = |state: &Register, number| {
        state.book(fengni_core::BookNumber(number)).map(|book| book_view(number, book.record()))
    };
    reader.part(part, show, |state| state.books().count()).await
}

/// A set of reference codes (基础代码), by name only.
#[derive(Serialize, ToSchema)]
struct CodeSetView {
    /// Its number.
    number: u32,
    /// Its name, such as `divisions`, `purposes` or `reasons`.
    name: String,
    /// Counts changes, from 1.
    version: u32,
    /// How many codes.
    codes: u64,
}

/// Sets of reference codes, unproven.
#[utoipa::path(get, path = "/v1/codes", tag = "views", params(Part),
    responses((status = 200, body = Page<CodeSetView>), Problems))]
async fn code_sets(State(reader): State<Reader>, Asked(part): Asked<Part>) -> Result<Answer, ApiError> {
    let view = |number, set: &CodeSet| CodeSetView {
        number,
        name: set.name.clone(),
        version: set.version,
        codes: set.codes.len() as u64,
    };
    let show = move |state: &Register, number| numbered(state.codes(), number, view);
    reader.part(part, show, |state| state.codes().len()).await
}

/// A set of reference codes.
#[derive(Serialize, ToSchema)]
struct CodesView {
    /// The height this is of.
    height: u64,
    /// Its name.
    name: String,
    /// Counts changes, from 1.
    version: u32,
    /// The codes, rising.
    codes: Vec<CodeView>,
}

/// A reference code.
#[derive(Serialize, ToSchema)]
struct CodeView {
    /// The code.
    code: String,
    /// What it stands for.
    name: String,
}

/// A set of reference codes with its version, unproven.
#[utoipa::path(get, path = "/v1/codes/{set}", tag = "views",
    params(("set" = String, Path, description = "name of the set, from /v1/codes"), AtHeight),
    responses((status = 200, body = CodesView), Problems))]
async fn codes(
    State(reader): State<Reader>,
    Named(name): Named<String>,
    Asked(asked): Asked<AtHeight>,
) -> Result<Answer, ApiError> {
    let job = move |_: &dyn super::Source, at: &super::FinalState| {
        let set = at.state.code_set(&name).ok_or(ApiError::Unknown { what: "set of codes" })?;
        let codes = set.codes.iter().map(|code| CodeView { code: code.code.clone(), name: code.name.clone() });
        let view = CodesView {
            height: at.header.height.0,
            name: set.name.clone(),
            version: set.version,
            codes: codes.collect(),
        };
        Ok(Answer::json(&view).lasting_if(asked.height.is_some()))
    };
    reader.answer(asked.height, job).await
}
