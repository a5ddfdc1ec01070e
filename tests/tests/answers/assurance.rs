//! Real-name and real-person checks (VER-10, IDN-02): an item that demands 实人 takes no 实名, with a
//! network and without.

use fengni_client::assurance::{CheckedHolder, VALID_SECS, vouch};
use fengni_client::clock;
use fengni_client::gateway::Gateway;
use fengni_client::keys::{HeldKey, Passphrases};
use fengni_client::transport::HttpOptions;
use fengni_client::trust;
use fengni_client::verify::Policy;
use fengni_client::wallet::{Show, Wallet};
use fengni_core::assurance::{Assertion, Assurance};
use fengni_core::code::Code;
use fengni_core::pack::Subscription;
use fengni_core::trust::{Question, TrustStore};
use fengni_core::verdict::VerdictCode;
use fengni_genesis::sample;
use fengni_tests::purpose_code;

use crate::TRAFFIC;
use crate::common::{Held, World, expect};

const DEMANDED: Option<Assurance> = Some(Assurance::RealPerson);

/// What a member's service says of a phone, now.
fn vouched(world: &World, held: &Held, member: &str, level: Assurance) -> Option<Assertion> {
    let path = world.network().home().join("members").join(member).join("keys/application-a.json");
    let key = HeldKey::load(&path, &Passphrases::asked()).expect("sample wrote it");
    let code = world.genesis.members[usize::try_from(key.member.0).expect("few members")].code;
    let holder = held.key.public();
    let proof = world.wallet(held).prove_possession(&holder, &code).expect("the wallet has the key");
    let checked = CheckedHolder { holder, proof, level, valid_secs: VALID_SECS };
    Some(vouch(&world.domain, &key, &code, checked, clock::now()).expect("an application key"))
}

fn show(wallet: &Wallet, assertion: Option<Assertion>) -> Code {
    let identifier = wallet.certificates().next().expect("one certificate").identifier();
    let show = Show::everyday(purpose_code(TRAFFIC), clock::now()).expect("randomness");
    wallet.show(&identifier, &Show { assertion, ..show }).expect("a code")
}

#[test]
fn ver10_an_item_that_demands_a_person_refuses_a_name_online() {
    let world = World::shared();
    let held = world.sealed_licence();
    let wallet = world.wallet(&held);
    // At home, a clerk hears of the other province's service only because the code names it.
    let mut clerk = world.clerk("hrs", TRAFFIC, "hrs");
    clerk.set_policy(Policy { min_assurance: DEMANDED, ..*clerk.policy() });
    let mut scan = |story: &str, assertion, code, because: &str| {
        let checked = clerk.verify_text(&show(&wallet, assertion).to_text(), None);
        expect(story, &checked, code, because);
        checked.verdict.assurance
    };
    for service in ["gov", "ygov"] {
        let said = |level| vouched(&world, &held, service, level);
        let low = said(Assurance::RealName);
        scan("a name alone", low, VerdictCode::AssuranceTooLow, "vouches for real-name; real-person is needed");
        let assured = scan("in person", said(Assurance::RealPerson), VerdictCode::Valid, "in force");
        assert_eq!(assured.map(|assured| assured.level), DEMANDED);
    }
    scan("nobody vouches", None, VerdictCode::AssuranceTooLow, "vouches for nothing");
    // Any member has an application key; the registry says who is an identity service.
    let pretended = vouched(&world, &held, "psb", Assurance::RealPerson);
    scan("a body that is no service", pretended, VerdictCode::AssuranceTooLow, "no identity service in force");
    let mut raised = vouched(&world, &held, "ygov", Assurance::RealName).expect("made");
    raised.statement.level = Assurance::RealPerson;
    scan("a level the holder raised", Some(raised), VerdictCode::HolderProofInvalid, "was not made for this phone");
}

#[test]
fn ver10_an_item_that_demands_a_person_refuses_a_name_in_a_tunnel() {
    let world = World::shared();
    let held = world.sealed_licence();
    let mut wallet = world.wallet(&held);
    let url = world.caught_up("hrs");
    let mut store = TrustStore::new(world.genesis.checkpoint(), Subscription::default());
    let gateway = Gateway::http(&[url], &HttpOptions::default()).expect("a URL of this test");
    trust::update(&mut store, &gateway, clock::now(), &mut |_, _| ()).expect("an honest node");
    wallet.refresh(&mut world.ledger(&[world.caught_up("gov")])).expect("an honest node");
    let verifier = sample::member("HRS").expect("a sample member");
    let purpose = purpose_code(TRAFFIC);
    let question = Question { verifier, purpose, min_grade: None, min_assurance: DEMANDED, challenge: None };
    let mut judge = |assertion| store.verify(&show(&wallet, assertion), &question, clock::now());

    let low = judge(vouched(&world, &held, "ygov", Assurance::RealName));
    assert_eq!(low.code, VerdictCode::AssuranceTooLow, "{}", low.reason.en);
    assert_eq!(low.plain_text, "请先在身份认证平台完成实人认证,再重新亮证。");
    let good = judge(vouched(&world, &held, "ygov", Assurance::RealPerson));
    assert_eq!(good.code, VerdictCode::ValidOffline, "{}", good.reason.en);
    assert_eq!(good.assurance.map(|assured| assured.service), Some("云山省大数据管理局".into()));
    assert_eq!(judge(None).code, VerdictCode::AssuranceTooLow);
}
