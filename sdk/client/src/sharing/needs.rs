//! What a service item needs, and what of it somebody has (免证办): one question before a case is opened
//! (SHR-10, CAT-02).
//!
//! ```text
//! item -> its current edition -> certificates: usable, not usable and why, missing -> where to renew
//!                            \-> data: whose, under which request, whether the holder has to grant it
//! ```
//!
//! A certificate is usable where its holder's code is valid here and now for the item's purpose. Rule I-19:
//! `sdk/spec/access.md`.

use fengni_core::book::Book;
use fengni_core::certificate::Grade;
use fengni_core::code::Code;
use fengni_core::record::{
    AccessBasis, Authority, CertificateType, ItemStatus, ItemTerms, Member, MemberStatus, Need, Request, RequestStatus,
    Resource, ResourceStatus, ServiceItem,
};
use fengni_core::verdict::{Answer, Verdict};
use fengni_core::{Day, ItemNumber, MemberNumber, PurposeCode, RequestNumber, ResourceNumber, TypeNumber};
use serde::Serialize;
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError};
use crate::verify::{Policy, Verifier};

/// Which item is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskedItem {
    /// An edition, whose current one is used.
    Number(ItemNumber),
    /// By its code (实施编码).
    Code(String),
}

/// Why there is no list of needs.
#[derive(Debug, Error)]
pub enum NeedsError {
    /// Nobody put it up.
    #[error("there is no service item {0}; next: fengni item list")]
    UnknownItem(String),
    /// No edition of it is current.
    #[error("service item {0} has ended, and nothing took its place; next: fengni item list")]
    Ended(ItemNumber),
    /// Several departments handle it.
    #[error("several departments handle service item {0}; next: give the number, see fengni item list")]
    Several(String),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Whether a need is met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nothing of the kind was shown.
    Missing,
    /// It could not be decided.
    Undecided,
}

/// A department to go to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Office {
    /// Its number.
    pub member: MemberNumber,
    /// Its name.
    pub name: String,
}

/// What became of one need.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedAnswer {
    /// A certificate of the applicant's.
    Certificate {
        /// Its type.
        certificate_type: TypeNumber,
        /// The type's name.
        name: String,
        /// The lowest trust grade that does.
        min_grade: Grade,
        /// Whether one of those shown is usable.
        met: Met,
        /// What was found of the best one shown, with its reason.
        verdict: Option<Box<Verdict>>,
        /// Where to get or renew it; empty where it is usable.
        renew: Vec<Office>,
    },
    /// Data that another department keeps.
    Resource {
        /// The newest published edition; the one the item names where there is none.
        resource: ResourceNumber,
        /// Its name.
        name: String,
        /// Who has it.
        provider: Option<Office>,
        /// Whether this department may use it today.
        met: Met,
        /// The request under which it may.
        request: Option<RequestNumber>,
        /// On what each use rests; where the holder must grant it first, the basis says so.
        basis: Option<AccessBasis>,
        /// Whether the holder must grant each use.
        grant_needed: bool,
    },
}

impl NeedAnswer {
    /// Whether the need is met.
    pub fn met(&self) -> Met {
        match self {
            Self::Certificate { met, .. } | Self::Resource { met, .. } => *met,
        }
    }
}

/// What an item needs, and what became of each need.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NeedsList {
    /// The current edition, which was used.
    pub item: ItemNumber,
    /// The edition that was asked about, where it is an older one.
    pub replaced: Option<ItemNumber>,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What everything is used for.
    pub purpose: PurposeCode,
    /// In the order of the item.
    pub needs: Vec<NeedAnswer>,
}

impl NeedsList {
    /// Yes where every need is met; no where one surely is not; else undecided.
    pub fn met(&self) -> Met {
        let any = |met| self.needs.iter().any(|need| need.met() == met);
        if any(Met::No) || any(Met::Missing) {
            Met::No
        } else if any(Met::Undecided) {
            Met::Undecided
        } else {
            Met::Yes
        }
    }
}

/// What was found of a code that a holder showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The type that its book is about.
    pub certificate_type: TypeNumber,
    /// Who keeps that book now.
    pub keeper: MemberNumber,
    /// What was found.
    pub verdict: Verdict,
}

/// The records that a list of needs follows from.
#[derive(Debug)]
pub struct Needs {
    number: ItemNumber,
    replaced: Option<ItemNumber>,
    items: Vec<ServiceItem>,
    types: Vec<CertificateType>,
    authorities: Vec<Authority>,
    members: Vec<Member>,
    resources: Vec<Resource>,
    requests: Vec<Request>,
}

impl Needs {
    /// Reads from the ledger what an item needs.
    ///
    /// - `verifier`: whose item is meant where several departments have the code.
    ///
    /// # Errors
    /// [`NeedsError`].
    pub fn read(ledger: &mut Ledger, asked: &AskedItem, verifier: MemberNumber) -> Result<Self, NeedsError> {
        let items: Vec<ServiceItem> = ledger.shelf()?;
        let (number, replaced) = current(&items, asked, verifier)?;
        Ok(Self {
            number,
            replaced,
            items,
            types: ledger.shelf()?,
            authorities: ledger.shelf()?,
            members: ledger.shelf()?,
            resources: ledger.shelf()?,
            requests: ledger.shelf()?,
        })
    }

    /// The item's current edition.
    pub fn item(&self) -> &ServiceItem {
        &self.items[self.number.0 as usize]
    }

    /// The lowest grade that a certificate of a type must have; `None` where the item does not need it.
    fn min_grade(&self, kind: TypeNumber) -> Option<Grade> {
        self.item().terms.needs.iter().find_map(|need| match need {
            Need::Certificate { certificate_type, min_grade } if *certificate_type == kind => Some(*min_grade),
            _ => None,
        })
    }

    /// The list. Rule I-19.
    ///
    /// - `shown`: what was found of each code, in any order.
    pub fn list(&self, shown: &[Judgement], verifier: MemberNumber, today: Day) -> NeedsList {
        let ItemTerms { code, name, purpose, needs } = self.item().terms.clone();
        let answer = |need: Need| match need {
            Need::Certificate { certificate_type, min_grade } => {
                self.certificate(certificate_type, min_grade, shown, today)
            }
            Need::Resource { resource } => self.resource(resource, verifier, today),
        };
        let needs = needs.into_iter().map(answer).collect();
        NeedsList { item: self.number, replaced: self.replaced, code, name, purpose, needs }
    }

    fn certificate(&self, kind: TypeNumber, min_grade: Grade, shown: &[Judgement], today: Day) -> NeedAnswer {
        // The best one: usable before undecided before refused.
        let rank = |found: &&Judgement| match found.verdict.answer {
            Answer::Valid => 0,
            Answer::Undecided => 1,
            Answer::Refused => 2,
        };
        let best = shown.iter().filter(|found| found.certificate_type == kind).min_by_key(rank);
        let met = match best.map(|found| found.verdict.answer) {
            Some(Answer::Valid) => Met::Yes,
            Some(Answer::Refused) => Met::No,
            Some(Answer::Undecided) => Met::Undecided,
            None => Met::Missing,
        };
        let renew = match (met, best) {
            (Met::Yes, _) => Vec::new(),
            (_, Some(found)) => vec![self.office(found.keeper)],
            (_, None) => self.issuers(kind, today),
        };
        let name = self.types.get(kind.0 as usize).map_or_else(String::new, |kind| kind.name.clone());
        let verdict = best.map(|found| Box::new(found.verdict.clone()));
        NeedAnswer::Certificate { certificate_type: kind, name, min_grade, met, verdict, renew }
    }

    /// Who may issue a type today.
    fn issuers(&self, kind: TypeNumber, today: Day) -> Vec<Office> {
        let may = |held: &&Authority| {
            let member = self.members.get(held.member.0 as usize);
            held.certificate_type == kind
                && held.suspended.is_none()
                && (held.from..=held.until).contains(&today)
                && member.is_some_and(|member| member.status == MemberStatus::Active)
        };
        let mut members: Vec<MemberNumber> = self.authorities.iter().filter(may).map(|held| held.member).collect();
        members.sort_unstable();
        members.dedup();
        members.into_iter().map(|member| self.office(member)).collect()
    }

    fn office(&self, member: MemberNumber) -> Office {
        let name = self.members.get(member.0 as usize).map_or_else(String::new, |found| found.name.clone());
        Office { member, name }
    }

    fn resource(&self, named: ResourceNumber, verifier: MemberNumber, today: Day) -> NeedAnswer {
        let editions = self.editions(named);
        let newest = *editions.last().unwrap_or(&named);
        let record = self.resources.get(newest.0 as usize);
        let of_item = |number: ItemNumber| {
            let item = self.items.get(number.0 as usize);
            item.is_some_and(|item| {
                (item.department, &item.terms.code) == (self.item().department, &self.item().terms.code)
                    && !matches!(item.status, ItemStatus::Ended { .. })
            })
        };
        let is_open = |request: &Request| {
            let terms = &request.terms;
            request.requester == verifier
                && request.status == RequestStatus::Provisioned
                && editions.contains(&terms.resource)
                && of_item(terms.item)
                && (terms.from..=terms.until).contains(&today)
        };
        // The newest request is what the provider serves last.
        let found = (0..).zip(&self.requests).filter(|(_, request)| is_open(request)).last();
        let basis = found.map(|(_, request)| request.terms.basis);
        NeedAnswer::Resource {
            resource: newest,
            name: record.map_or_else(String::new, |record| record.terms.name.clone()),
            provider: record.map(|record| self.office(record.provider)),
            met: if found.is_some() { Met::Yes } else { Met::Missing },
            request: found.map(|(number, _)| RequestNumber(number)),
            basis,
            grant_needed: basis.is_some_and(AccessBasis::needs_grant),
        }
    }

    /// The edition that an item names and the later ones, as far as they are served.
    fn editions(&self, named: ResourceNumber) -> Vec<ResourceNumber> {
        let mut editions = Vec::new();
        let mut next = Some(named);
        while let Some(number) = next.take().filter(|number| !editions.contains(number)) {
            match self.resources.get(number.0 as usize).map(|found| found.status) {
                Some(ResourceStatus::Published { .. }) => editions.push(number),
                Some(ResourceStatus::Replaced { by, .. }) => {
                    editions.push(number);
                    next = Some(by);
                }
                _ => {}
            }
        }
        editions
    }
}

/// The current edition of an item, and the one asked about where that is an older one.
pub(super) fn current(
    items: &[ServiceItem],
    asked: &AskedItem,
    verifier: MemberNumber,
) -> Result<(ItemNumber, Option<ItemNumber>), NeedsError> {
    let named = match asked {
        AskedItem::Number(number) => *number,
        AskedItem::Code(code) => {
            let of_code = (0..).zip(items).filter(|(_, item)| item.terms.code == *code);
            let all: Vec<(u32, &ServiceItem)> = of_code.collect();
            let mut open: Vec<_> = all.iter().filter(|(_, item)| item.status == ItemStatus::Current).collect();
            if open.len() > 1 {
                open.retain(|(_, item)| item.department == verifier);
                if open.len() != 1 {
                    return Err(NeedsError::Several(code.clone()));
                }
            }
            let found = open.first().copied().or(all.last());
            found.map(|(number, _)| ItemNumber(*number)).ok_or_else(|| NeedsError::UnknownItem(code.clone()))?
        }
    };
    let mut number = named;
    loop {
        let item = items.get(number.0 as usize).ok_or_else(|| NeedsError::UnknownItem(number.to_string()))?;
        match item.status {
            ItemStatus::Current => return Ok((number, (number != named).then_some(named))),
            ItemStatus::Replaced { by, .. } => number = by,
            ItemStatus::Ended { .. } => return Err(NeedsError::Ended(number)),
        }
    }
}

/// The type that a code's certificate is of, and who keeps its book; `None` where the book is about
/// something else.
///
/// # Errors
/// [`NeedsError::Ledger`].
fn book_of(ledger: &mut Ledger, code: &Code) -> Result<Option<(TypeNumber, MemberNumber)>, NeedsError> {
    let book: Book = ledger.record(code.shown.place.book.0)?;
    Ok(book.certificate_type().map(|kind| (kind, book.keeper)))
}

/// Which needs of an item are met by the codes that a holder shows for its purpose.
///
/// A code of nothing that the item needs is passed over, and stays good.
///
/// # Errors
/// [`NeedsError`].
pub fn check(verifier: &mut Verifier, asked: &AskedItem, codes: &[Code]) -> Result<NeedsList, NeedsError> {
    check_by(verifier, asked, codes, |verifier, code| Ok(verifier.verify_code(code, None).verdict))
}

/// The same for whoever remembers elsewhere which codes were used.
///
/// - `judge`: gives the verdict on a code by the verifier, whose policy is that of the need.
///
/// # Errors
/// [`NeedsError`], and those of `judge`.
pub fn check_by<E: From<NeedsError>>(
    verifier: &mut Verifier,
    asked: &AskedItem,
    codes: &[Code],
    mut judge: impl FnMut(&mut Verifier, &Code) -> Result<Verdict, E>,
) -> Result<NeedsList, E> {
    let before = *verifier.policy();
    let needs = Needs::read(verifier.ledger_mut(), asked, before.verifier)?;
    let mut shown = Vec::new();
    for code in codes {
        let Some((certificate_type, keeper)) = book_of(verifier.ledger_mut(), code)? else { continue };
        let Some(min_grade) = needs.min_grade(certificate_type) else { continue };
        let purpose = needs.item().terms.purpose;
        verifier.set_policy(Policy { purpose, min_grade: Some(min_grade), ..before });
        let judged = judge(verifier, code);
        verifier.set_policy(before);
        shown.push(Judgement { certificate_type, keeper, verdict: judged? });
    }
    let today = Day::of(verifier.ledger().now());
    Ok(needs.list(&shown, before.verifier, today))
}

#[cfg(test)]
mod tests {
    use fengni_core::Height;
    use fengni_core::record::{Clock, DataLevel, DataSubject, Field, Mode, RequestTerms, ResourceTerms, Sharing};
    use fengni_core::verdict::VerdictCode;
    use fengni_genesis::{Document, Format, sample};

    use super::*;

    const CODE: &str = "11339900XN0200022E4000";

    fn number(name: &str) -> MemberNumber {
        sample::member(name).expect("a sample member")
    }

    fn kind(name: &str) -> TypeNumber {
        sample::certificate_type(name).expect("a sample type")
    }

    fn today() -> Day {
        Day::parse("2026-03-09").expect("a real day")
    }

    fn edition(needs: Vec<Need>, status: ItemStatus) -> ServiceItem {
        let terms = ItemTerms { code: CODE.into(), name: "住房补贴申领".into(), purpose: PurposeCode(4), needs };
        ServiceItem { version: 1, department: number("YHD"), terms, replaces: None, put: Height(3), status }
    }

    fn resource(status: ResourceStatus) -> Resource {
        let terms = ResourceTerms {
            name: "参保月数核验".into(),
            subject: DataSubject::Person,
            fields: vec![Field { name: "参保月数".into(), sensitive: false }],
            sharing: Sharing::Conditional,
            conditions: "仅限住房补贴".into(),
            basis: "示例条例第九条".into(),
            frequency: "每日".into(),
            modes: vec![Mode::Verify],
            level: DataLevel::General,
        };
        Resource { version: 1, provider: number("HRS"), terms, replaces: None, proposed: Height(2), status }
    }

    fn request(basis: AccessBasis) -> Request {
        let terms = RequestTerms {
            resource: ResourceNumber(0),
            item: ItemNumber(0),
            basis,
            law: "示例条例第九条".into(),
            fields: vec![0],
            modes: vec![Mode::Verify],
            population: "申请人".into(),
            frequency: "每件一次".into(),
            measures: "专网".into(),
            from: Day(today().0 - 1),
            until: today(),
        };
        Request {
            version: 3,
            requester: number("YHD"),
            terms,
            amends: None,
            filed: Height(4),
            filed_on: today(),
            answer: Clock::default(),
            extension: None,
            provision: Clock::default(),
            ground: None,
            refused_by: String::new(),
            status: RequestStatus::Provisioned,
        }
    }

    /// An old edition that needs nothing, and a current one with three certificates and data of which there is
    /// a later edition.
    fn needs() -> Needs {
        let text = sample::network(fengni_core::Millis(1_773_000_000_000), &sample::test_key).to_toml();
        let genesis = Document::parse(&text, Format::Toml).and_then(|read| read.check()).expect("the sample");
        let certificate = |name| Need::Certificate { certificate_type: kind(name), min_grade: Grade::B };
        let needed = vec![
            certificate("T-DL"),
            certificate("T-BL"),
            certificate("T-RE"),
            Need::Resource { resource: ResourceNumber(0) },
        ];
        let replaced = ItemStatus::Replaced { by: ItemNumber(1), height: Height(5) };
        let later = ResourceStatus::Replaced { by: ResourceNumber(1), height: Height(5) };
        let published = ResourceStatus::Published { by: number("GOV"), height: Height(5) };
        Needs {
            number: ItemNumber(1),
            replaced: None,
            items: vec![edition(vec![], replaced), edition(needed, ItemStatus::Current)],
            types: genesis.types.clone(),
            authorities: genesis.authorities.clone(),
            members: genesis.members.clone(),
            resources: vec![resource(later), resource(published)],
            requests: vec![request(AccessBasis::Authorisation)],
        }
    }

    fn judged(name: &str, code: VerdictCode) -> Judgement {
        Judgement { certificate_type: kind(name), keeper: number("AMR"), verdict: Verdict::new(code, None) }
    }

    fn offices(need: &NeedAnswer) -> Vec<MemberNumber> {
        match need {
            NeedAnswer::Certificate { renew, .. } => renew.iter().map(|office| office.member).collect(),
            NeedAnswer::Resource { provider, .. } => provider.iter().map(|office| office.member).collect(),
        }
    }

    fn met(list: &NeedsList) -> Vec<Met> {
        list.needs.iter().map(NeedAnswer::met).collect()
    }

    #[test]
    fn shr10_two_certificates_are_usable_and_the_list_says_why_the_third_is_not_and_where_to_renew_it() {
        let shown = [
            judged("T-DL", VerdictCode::Valid),
            judged("T-BL", VerdictCode::Expired),
            judged("T-RE", VerdictCode::Revoked),
            judged("T-RE", VerdictCode::Valid),
        ];
        let list = needs().list(&shown, number("YHD"), today());
        assert_eq!((list.code.as_str(), list.item), (CODE, ItemNumber(1)));
        assert_eq!(met(&list), [Met::Yes, Met::No, Met::Yes, Met::Yes], "the best of two counts");
        assert_eq!(list.met(), Met::No);
        let NeedAnswer::Certificate { verdict: Some(verdict), renew, .. } = &list.needs[1] else { panic!("a verdict") };
        assert_eq!(verdict.code, VerdictCode::Expired);
        assert!(!verdict.reason.zh.is_empty());
        assert_eq!((renew[0].member, renew[0].name.is_empty()), (number("AMR"), false));
        assert!(offices(&list.needs[0]).is_empty(), "nothing to renew");
    }

    #[test]
    fn i19_what_is_missing_is_got_from_whoever_may_issue_it_today() {
        let mut needs = needs();
        let list = needs.list(&[judged("T-BL", VerdictCode::StatusStale)], number("YHD"), today());
        assert_eq!(met(&list), [Met::Missing, Met::Undecided, Met::Missing, Met::Yes]);
        assert!(offices(&list.needs[0]).contains(&number("PSB")), "{:?}", list.needs[0]);
        let all = [judged("T-DL", VerdictCode::Valid), judged("T-RE", VerdictCode::Valid)];
        let undecided = [&all[..], &[judged("T-BL", VerdictCode::StatusStale)]].concat();
        assert_eq!(needs.list(&undecided, number("YHD"), today()).met(), Met::Undecided);
        let all = [&all[..], &[judged("T-BL", VerdictCode::Valid)]].concat();
        assert_eq!(needs.list(&all, number("YHD"), today()).met(), Met::Yes);
        // An authority that is withheld issues nothing.
        for held in needs.authorities.iter_mut().filter(|held| held.certificate_type == kind("T-DL")) {
            held.suspended = Some(number("GOV"));
        }
        assert!(offices(&needs.list(&[], number("YHD"), today()).needs[0]).is_empty());
    }

    #[test]
    fn i19_data_is_used_under_an_open_request_and_its_basis_says_whether_the_holder_is_asked() {
        let data = |needs: &Needs, day| match needs.list(&[], number("YHD"), day).needs.pop() {
            Some(NeedAnswer::Resource { resource, met, request, grant_needed, .. }) => {
                (resource, met, request, grant_needed)
            }
            _ => panic!("the last need is of data"),
        };
        let (newest, first) = (ResourceNumber(1), Some(RequestNumber(0)));
        let mut story = needs();
        assert_eq!(data(&story, today()), (newest, Met::Yes, first, true));
        assert_eq!(offices(&story.list(&[], number("YHD"), today()).needs[3]), [number("HRS")]);
        story.requests.push(request(AccessBasis::Function));
        assert_eq!(data(&story, today()), (newest, Met::Yes, Some(RequestNumber(1)), false));
        let none = (newest, Met::Missing, None, false);
        assert_eq!(data(&story, Day(today().0 + 1)), none, "after its days");
        let closed: [fn(&mut Needs); 4] = [
            |needs| needs.requests[0].status = RequestStatus::Agreed,
            |needs| needs.requests[0].requester = number("AMR"),
            |needs| needs.resources[0].status = ResourceStatus::Ended { height: Height(6) },
            |needs| needs.items[0].terms.code.push('1'),
        ];
        for (at, close) in closed.into_iter().enumerate() {
            let mut story = needs();
            close(&mut story);
            assert_eq!(data(&story, today()).1, Met::Missing, "{at}");
        }
    }

    #[test]
    fn cat02_the_current_edition_is_used_and_an_older_or_ended_one_is_named() {
        let mut items = needs().items;
        let found = |items: &[ServiceItem], asked: &AskedItem| current(items, asked, number("YHD"));
        let (old, new) = (ItemNumber(0), ItemNumber(1));
        assert_eq!(found(&items, &AskedItem::Number(old)).expect("it goes on"), (new, Some(old)));
        assert_eq!(found(&items, &AskedItem::Number(new)).expect("it is current"), (new, None));
        let by_code = AskedItem::Code(CODE.into());
        assert_eq!(found(&items, &by_code).expect("it is current"), (new, None));
        for unknown in [AskedItem::Number(ItemNumber(9)), AskedItem::Code("1".into())] {
            assert!(matches!(found(&items, &unknown), Err(NeedsError::UnknownItem(_))));
        }
        // Another department's item of the same code: one's own is meant.
        items.push(ServiceItem { department: number("HRS"), ..items[1].clone() });
        assert_eq!(found(&items, &by_code).expect("its own"), (new, None));
        assert!(matches!(current(&items, &by_code, number("AMR")), Err(NeedsError::Several(_))));
        items.pop();
        items[1].status = ItemStatus::Ended { height: Height(9) };
        for asked in [AskedItem::Number(old), by_code] {
            assert!(matches!(found(&items, &asked), Err(NeedsError::Ended(ItemNumber(1)))));
        }
    }
}
