//! Made-up records of deciding together, one of each kind: for vectors.

use fengni_core::operation::Ground;
use fengni_core::outcome::Refusal;
use fengni_core::record::*;
use fengni_core::*;

use super::world;

const GROUND: Ground = Ground { reason: ReasonCode(2), decision: Digest([0xd0; 32]) };

pub fn new_key(purpose: KeyPurpose, number: u8) -> NewKey {
    let code = world::member(Suite::Standard, 3).code;
    // Even numbers are ed25519 keys.
    NewKey::of(&super::domain(), &code, purpose, &world::secret(Suite::Standard, 3, number))
}

pub fn applicant() -> Applicant {
    let member = world::member(Suite::Standard, 3);
    Applicant {
        code: member.code,
        name: "一个新成员".into(),
        division: member.division,
        superior: Some(MemberNumber(1)),
        roles: Roles::of(&[Role::Validator, Role::Issuer]),
        keys: vec![new_key(KeyPurpose::Consensus, 2), new_key(KeyPurpose::Admin, 3)],
        contact: Digest([0xc0; 32]),
    }
}

pub fn applications() -> Vec<Application> {
    let (by, height) = (MemberNumber(1), Height(1204));
    let statuses = [
        ApplicationStatus::Applied,
        ApplicationStatus::Confirmed { by, height },
        ApplicationStatus::Rejected { by, height },
        ApplicationStatus::Admitted { member: MemberNumber(4), height },
    ];
    let made = statuses.into_iter().zip(1..).map(|(status, version)| Application {
        version,
        applicant: applicant(),
        filed_by: MemberNumber(0),
        filed: Height(1200),
        status,
    });
    made.collect()
}

pub fn measures() -> Vec<Measure> {
    let member = MemberNumber(3);
    vec![
        Measure::Admit { application: ApplicationNumber(2), power: 1 },
        Measure::Remove { member },
        Measure::ChangeMember {
            member,
            superior: None,
            roles: Roles::of(&[Role::Observer]),
            power: 0,
            status: MemberStatus::Suspended,
        },
        Measure::ReplaceKeys { member, ends: vec![KeyNumber(1)], keys: vec![new_key(KeyPurpose::Admin, 5)] },
        Measure::SetParameters { parameters: world::parameters() },
        Measure::SetAuthority { number: None, authority: world::authority() },
        Measure::EnableType { certificate_type: TypeNumber(0), enabled: false },
        Measure::SetCodes { codes: world::code_set() },
        Measure::Upgrade { protocol: 2 },
        Measure::RegisterType { certificate_type: Box::new(world::certificate_type()) },
        Measure::ChangeKeeper { book: BookNumber(4), keeper: member },
    ]
}

pub fn proposals() -> Vec<Proposal> {
    let height = Height(1210);
    let statuses = [
        ProposalStatus::Open,
        ProposalStatus::Passed { height },
        ProposalStatus::Rejected { height },
        ProposalStatus::Lapsed { height },
        ProposalStatus::Withdrawn { height },
        ProposalStatus::Enacted { height },
        ProposalStatus::Failed { height, refusal: Refusal::TooFewValidators },
    ];
    let made = statuses.into_iter().zip(1..).map(|(status, version)| Proposal {
        version,
        proposer: MemberNumber(0),
        measure: Measure::Remove { member: MemberNumber(3) },
        ground: GROUND,
        effective: Height(1220),
        opened: Height(1204),
        closes: Height(1217),
        ballots: vec![Ballot { member: MemberNumber(1), approve: true, height: Height(1205) }],
        status,
    });
    made.collect()
}

pub fn scopes() -> Vec<Scope> {
    let book = BookNumber(1);
    vec![
        Scope::Lines { book, first: LineNumber(2), last: LineNumber(1025) },
        Scope::Book { book },
        Scope::Type { certificate_type: TypeNumber(0), division: world::authority().division },
        Scope::Keeper { member: MemberNumber(1) },
    ]
}

pub fn order() -> Order {
    Order {
        version: 2,
        scope: scopes()[0],
        by: MemberNumber(1),
        ground: GROUND,
        height: Height(1300),
        lines: 1024,
        lifted: Some(Height(1310)),
    }
}

pub fn double_signing() -> DoubleSigning {
    let (member, height, round) = (MemberNumber(2), Height(12), 1);
    let statement = |block: Option<BlockId>| {
        let bytes = vote_bytes(&super::domain(), VoteStep::Prevote, height, round, block, member);
        let signature = world::secret(Suite::Standard, 2, 1).sign(&bytes);
        SignedStatement { block, valid_round: None, signature }
    };
    let (first, second) = (statement(None), statement(Some(BlockId(Digest([0x0b; 32])))));
    DoubleSigning { member, height, round, kind: SignedKind::Prevote, first, second }
}

pub fn offence() -> Offence {
    Offence { version: 1, proof: double_signing(), reported_by: MemberNumber(0), reported: Height(13) }
}
