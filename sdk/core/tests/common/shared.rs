//! Made-up records of data sharing, one of each kind: for vectors.

use fengni_core::book::Subject;
use fengni_core::certificate::Grade;
use fengni_core::id::Division;
use fengni_core::operation::{Ground, ObjectionAnswer, Operation, RequestDecision, ResourceDecision};
use fengni_core::outcome::Effect;
use fengni_core::record::*;
use fengni_core::*;

const GROUND: Ground = Ground { reason: ReasonCode(2), decision: Digest([0xd0; 32]) };
const BY: MemberNumber = MemberNumber(1);
const HEIGHT: Height = Height(1204);
const PLACE: LinePlace = LinePlace { book: BookNumber(1), line: LineNumber(7) };

fn resource_terms(subject: DataSubject, sharing: Sharing) -> ResourceTerms {
    ResourceTerms {
        name: "参保月数核验".into(),
        subject,
        fields: vec![
            Field { name: "参保月数".into(), sensitive: false },
            Field { name: "参保地".into(), sensitive: true },
        ],
        sharing,
        conditions: if sharing == Sharing::Conditional { "仅用于住房补贴".into() } else { String::new() },
        basis: "社会保险法(示例)".into(),
        frequency: "每日".into(),
        modes: if sharing == Sharing::NotShared { vec![] } else { Mode::ALL.to_vec() },
        level: if sharing == Sharing::Unconditional { DataLevel::General } else { DataLevel::Important },
    }
}

pub fn resources() -> Vec<Resource> {
    let subjects =
        [DataSubject::Person, DataSubject::Body, DataSubject::Certificate { certificate_type: TypeNumber(3) }];
    let statuses = [
        ResourceStatus::Proposed,
        ResourceStatus::Published { by: BY, height: HEIGHT },
        ResourceStatus::Refused { by: BY, height: HEIGHT },
        ResourceStatus::Replaced { by: ResourceNumber(5), height: HEIGHT },
        ResourceStatus::Ended { height: HEIGHT },
    ];
    let made = statuses.into_iter().zip(0usize..).map(|(status, place)| Resource {
        version: 2,
        provider: MemberNumber(3),
        terms: resource_terms(subjects[place % 3], Sharing::ALL[place % 3]),
        replaces: (place > 0).then_some(ResourceNumber(4)),
        proposed: Height(1200),
        status,
    });
    made.collect()
}

fn item_terms() -> ItemTerms {
    ItemTerms {
        code: "11339900XN0200022E400011".into(),
        name: "住房补贴申领".into(),
        purpose: PurposeCode(103),
        needs: vec![
            Need::Certificate { certificate_type: TypeNumber(3), min_grade: Grade::A },
            Need::Resource { resource: ResourceNumber(2) },
        ],
    }
}

pub fn items() -> Vec<ServiceItem> {
    let statuses = [
        ItemStatus::Current,
        ItemStatus::Replaced { by: ItemNumber(1), height: HEIGHT },
        ItemStatus::Ended { height: HEIGHT },
    ];
    let (department, put) = (MemberNumber(7), Height(1200));
    let made = |status| ServiceItem { version: 1, department, terms: item_terms(), replaces: None, put, status };
    statuses.into_iter().map(made).collect()
}

fn request_terms(basis: AccessBasis) -> RequestTerms {
    RequestTerms {
        resource: ResourceNumber(2),
        item: ItemNumber(0),
        basis,
        law: "住房补贴办法(示例)".into(),
        fields: vec![0, 1],
        modes: vec![Mode::Verify, Mode::Query],
        population: "申请人".into(),
        frequency: "一件一次".into(),
        measures: "用后即删".into(),
        from: Day(20_518),
        until: Day(20_818),
    }
}

pub fn requests() -> Vec<Request> {
    let answered = Clock { due: Some(Day(20_528)), done: Some(Day(20_517)) };
    let statuses = [
        (RequestStatus::Filed, None),
        (RequestStatus::Returned, Some(Extension::Asked { days: 5 })),
        (RequestStatus::Agreed, Some(Extension::Given { days: 5, by: BY })),
        (RequestStatus::Refused, Some(Extension::Denied { by: BY })),
        (RequestStatus::Provisioned, None),
        (RequestStatus::Suspended { by: BY }, None),
        (RequestStatus::Ended { by: BY }, None),
    ];
    let made = statuses.into_iter().zip(0usize..).map(|((status, extension), place)| Request {
        version: 3,
        requester: MemberNumber(7),
        terms: request_terms(AccessBasis::ALL[place % 3]),
        amends: (place == 4).then_some(RequestNumber(1)),
        filed: Height(1201),
        filed_on: Day(20_514),
        answer: if place == 0 { Clock { done: None, ..answered } } else { answered },
        extension,
        provision: if place == 2 { Clock { due: Some(Day(20_545)), done: None } } else { Clock::default() },
        ground: (place > 0).then_some(GROUND),
        refused_by: if status == RequestStatus::Refused {
            "政务数据共享条例(示例)".into()
        } else {
            String::new()
        },
        status,
    });
    made.collect()
}

pub fn objections() -> Vec<Objection> {
    let statuses = [ObjectionStatus::Open, ObjectionStatus::Corrected, ObjectionStatus::Maintained];
    let made = statuses.into_iter().map(|status| {
        let done = (status != ObjectionStatus::Open).then_some(Day(20_536));
        Objection {
            version: 1,
            place: PLACE,
            filer: MemberNumber(7),
            ground: GROUND,
            filed: HEIGHT,
            filed_on: Day(20_528),
            answer: Clock { due: Some(Day(20_542)), done },
            answered: done.map(|_| GROUND),
            status,
        }
    });
    made.collect()
}

pub fn operations() -> Vec<Operation> {
    let ground = GROUND;
    let division = Division::parse("3199").expect("right");
    let terms = resource_terms(DataSubject::Person, Sharing::Conditional);
    let mut operations = vec![
        Operation::OpenBook { subject: Subject::Grants, division },
        Operation::OpenBook { subject: Subject::Receipts, division },
        Operation::ProposeResource { terms: Box::new(terms), replaces: Some(ResourceNumber(4)) },
        Operation::PutItem { terms: Box::new(item_terms()), replaces: None },
        Operation::EndItem { item: ItemNumber(3), ground },
        Operation::FileRequest { terms: Box::new(request_terms(AccessBasis::Function)), amends: None },
        Operation::WithdrawGrant { place: PLACE, content: Digest([0xc1; 32]), secret: [0x5c; 32] },
        Operation::FileObjection { place: PLACE, ground },
    ];
    let decisions = [ResourceDecision::Publish, ResourceDecision::Refuse, ResourceDecision::End];
    let resource = ResourceNumber(2);
    operations.extend(decisions.map(|decision| Operation::DecideResource { resource, decision, ground }));
    let decisions = [
        RequestDecision::Return,
        RequestDecision::Agree,
        RequestDecision::Refuse { law: "政务数据共享条例(示例)".into() },
        RequestDecision::AskTime { days: 5 },
        RequestDecision::GiveTime { approve: true },
        RequestDecision::Provision,
        RequestDecision::Suspend,
        RequestDecision::Resume,
        RequestDecision::End,
    ];
    let request = RequestNumber(7);
    operations.extend(decisions.map(|decision| Operation::DecideRequest { request, decision, ground }));
    let objection = ObjectionNumber(5);
    let answers = [ObjectionAnswer::Correct, ObjectionAnswer::Maintain];
    operations.extend(answers.map(|answer| Operation::AnswerObjection { objection, place: PLACE, answer, ground }));
    operations
}

pub fn effects() -> Vec<Effect> {
    let statuses = resources().into_iter().map(|resource| resource.status);
    let mut effects: Vec<Effect> =
        statuses.map(|status| Effect::Resource { resource: ResourceNumber(2), status }).collect();
    effects.extend(items().into_iter().map(|item| Effect::Item { item: ItemNumber(3), status: item.status }));
    let due = Some(Day(20_528));
    let requests = requests().into_iter();
    effects.extend(requests.map(|made| Effect::Request { request: RequestNumber(7), status: made.status, due }));
    let (objection, act) = (ObjectionNumber(5), Some(ActNumber(4)));
    let status = ObjectionStatus::Open;
    effects.push(Effect::Objection { objection, act, status, due });
    effects.push(Effect::Objection { objection, act: None, status: ObjectionStatus::Corrected, due: None });
    effects
}
