//! Verifying and showing: any node will do, none is believed (VER-01 to VER-04, REC-02; J3, J4).

use fengni_client::assurance::{CheckedHolder, VALID_SECS, VouchError, vouch};
use fengni_client::challenge::{AskError, LIFETIME_SECS, ask, who_asks};
use fengni_client::gateway::Trouble;
use fengni_client::issue::{Archive, Format, IssueOptions, Issuer, Rows, Target, deliver};
use fengni_client::keys::HeldKey;
use fengni_client::picture;
use fengni_client::sharing::needs::{AskedItem, Met, NeedAnswer, NeedsList, check};
use fengni_client::verify::{Checked, Policy, Verifier, verdict_by};
use fengni_client::wallet::{Authenticator, Disclose, PRESENCE_SECS, Show, Wallet, WalletError};
use fengni_core::assurance::{Assurance, AssuranceError};
use fengni_core::certificate::Grade;
use fengni_core::challenge::{Challenge, ChallengeError};
use fengni_core::code::{Code, CodeError};
use fengni_core::id::CreditCode;
use fengni_core::light::{FinalHeader, LightClient};
use fengni_core::record::{CertificateType, ItemStatus, ItemTerms, KeyPurpose, Need, ServiceItem};
use fengni_core::verdict::{Answer, Check, VerdictCode};
use fengni_core::verify::{Context, Mode};
use fengni_core::{BookNumber, Height, KeyNumber, LineNumber, MemberNumber, Millis, PurposeCode};
use fengni_genesis::sample;

use crate::ledger::{Mood, NOW, Network, PSB, genesis, two_persons};
use crate::rows::rules;

/// A network with one licence on it, and its holder.
struct Street {
    network: Network,
    wallet: Wallet,
}

impl Street {
    fn new() -> Self {
        let network = Network::new();
        let folder = tempfile::tempdir().expect("a folder for the test");
        let domain = network.chain().domain;
        let mut archive = Archive::open(folder.path(), &domain, BookNumber(0)).expect("a new archive");
        let licence = sample::licence(0);
        let text = format!("{}\n{}\n", licence.header().join(","), licence.row().join(","));
        let rules = rules(&network);
        let rows = Rows::read(text.as_bytes(), Format::Csv, &rules);
        let (submitter, signers) = (network.submitter(), two_persons());
        let issuer =
            Issuer { submitter: &submitter, signers: &signers, rules: &rules, options: IssueOptions::default() };
        let mut ledger = network.ledger(0);
        issuer.issue(&mut ledger, &mut archive, rows, &mut ()).expect("an honest ledger");
        let bundle = folder.path().join("bundle.jsonl");
        let sealed = archive.sealed().expect("its own archive");
        deliver(&mut ledger, &archive, &sealed, &Target::Bundle(bundle.clone()), &mut ()).expect("deliverable");
        let mut wallet = Wallet::new(domain);
        assert_eq!(wallet.import(&bundle).expect("its own bundle"), 1);
        wallet.refresh(&mut ledger).expect("an honest ledger");
        Self { network, wallet }
    }

    fn purpose() -> PurposeCode {
        sample::purpose("交通执法").expect("a sample purpose")
    }

    fn show(&self) -> Show {
        // 15 seconds before the scan.
        Show { nonce: [1; 8], ..Show::everyday(Self::purpose(), Millis(NOW.0 - 15_000)).expect("randomness") }
    }

    fn code(&self, show: &Show) -> String {
        let identifier = self.wallet.certificates().next().expect("one certificate").identifier();
        self.wallet.show(&identifier, show).expect("a code").to_text()
    }

    fn verifier(&self, plus_secs: u64) -> Verifier {
        let verifier = sample::member(PSB).expect("a sample member");
        Verifier::new(
            self.network.ledger(plus_secs),
            Policy { verifier, purpose: Self::purpose(), min_grade: None, min_assurance: None },
        )
    }
}

fn code_of(checked: &Checked) -> VerdictCode {
    checked.verdict.code
}

#[test]
fn ver01_a_code_in_a_picture_is_valid_once() {
    let street = Street::new();
    let png = picture::png(&street.code(&street.show()), 4).expect("a code fits");
    let mut verifier = street.verifier(0);
    let first = verifier.verify_picture(&png, None).expect("a code in the picture");
    assert_eq!(code_of(&first), VerdictCode::Valid, "{:?}", first.verdict);
    let document = first.verdict.document.expect("of a certificate");
    let labels: Vec<&str> = document.claims.iter().map(|claim| claim.label.as_str()).collect();
    assert_eq!(labels, ["准驾车型", "有效期止"]);
    let second = verifier.verify_picture(&png, None).expect("a code in the picture");
    assert_eq!(code_of(&second), VerdictCode::CodeReplayed);
    assert_eq!(code_of(&street.verifier(200).verify_picture(&png, None).expect("a code")), VerdictCode::CodeExpired);
}

#[test]
fn ver01_a_silent_node_is_passed_over_and_silence_everywhere_is_undecided() {
    let street = Street::new();
    let code = street.code(&street.show());
    street.network.set(0, Mood::Silent);
    let checked = street.verifier(0).verify_text(&code, None);
    assert_eq!((code_of(&checked), checked.node.as_deref()), (VerdictCode::Valid, Some("node-b")));
    assert!(matches!(checked.troubles[0].trouble, Trouble::Unreachable(_)));
    street.network.set_all(Mood::Silent);
    let checked = street.verifier(0).verify_text(&code, None);
    assert_eq!((code_of(&checked), checked.verdict.answer), (VerdictCode::LedgerUnreachable, Answer::Undecided));
    // What the code alone can tell is told all the same.
    assert_eq!(code_of(&street.verifier(200).verify_text(&code, None)), VerdictCode::CodeExpired);
}

#[test]
fn rec02_a_node_that_lies_is_named_and_another_one_decides() {
    let street = Street::new();
    let code = street.code(&street.show());
    for mood in [Mood::Forges, Mood::OwnQuorum] {
        street.network.set_all(Mood::Honest);
        street.network.set(0, mood);
        let checked = street.verifier(0).verify_text(&code, None);
        assert_eq!((code_of(&checked), checked.node.as_deref()), (VerdictCode::Valid, Some("node-b")), "{mood:?}");
        assert_eq!(checked.troubles[0].node, "node-a");
        assert!(matches!(checked.troubles[0].trouble, Trouble::Lied(_)), "{:?}", checked.troubles);
        street.network.set_all(mood);
        let checked = street.verifier(0).verify_text(&code, None);
        assert_eq!((code_of(&checked), checked.verdict.answer), (VerdictCode::LedgerUnreachable, Answer::Undecided));
    }
}

#[test]
fn two_quorums_at_one_height_leave_everything_undecided() {
    let street = Street::new();
    let mut verifier = street.verifier(0);
    street.network.set(0, Mood::Splits);
    assert_eq!(code_of(&verifier.verify_text(&street.code(&street.show()), None)), VerdictCode::Valid);
    street.network.set(0, Mood::Silent);
    for nonce in [[2; 8], [3; 8]] {
        let checked = verifier.verify_text(&street.code(&Show { nonce, ..street.show() }), None);
        assert_eq!((code_of(&checked), checked.verdict.answer), (VerdictCode::LedgerUnreachable, Answer::Undecided));
    }
    assert_eq!(verifier.ledger().light().evidence().len(), 1);
    assert!(verifier.ledger_mut().sync().is_err());
}

#[test]
fn a_state_that_is_too_old_is_undecided() {
    let street = Street::new();
    let show = Show { now: Millis(NOW.0 + 60_000), ..street.show() };
    assert_eq!(code_of(&street.verifier(65).verify_text(&street.code(&show), None)), VerdictCode::StatusStale);
}

#[test]
fn an_act_on_the_ledger_reaches_the_next_scan() {
    let street = Street::new();
    let mut verifier = street.verifier(0);
    assert_eq!(code_of(&verifier.verify_text(&street.code(&street.show()), None)), VerdictCode::Valid);
    street.network.chain().act(LineNumber(0), |act| act);
    let again = Show { nonce: [2; 8], ..street.show() };
    let checked = verifier.verify_text(&street.code(&again), None);
    assert_eq!(code_of(&checked), VerdictCode::Cancelled);
    assert_eq!(checked.verdict.document.map(|document| document.claims.len()), Some(0));
}

/// An item that needs a driving licence and a business licence.
fn item() -> ServiceItem {
    let need = |name| Need::Certificate {
        certificate_type: sample::certificate_type(name).expect("a sample type"),
        min_grade: Grade::A,
    };
    let terms = ItemTerms {
        code: "11319900XN0100021G4000".into(),
        name: "网约车经营许可".into(),
        purpose: Street::purpose(),
        needs: vec![need("T-DL"), need("T-BL")],
    };
    let department = sample::member(PSB).expect("a sample member");
    ServiceItem { version: 1, department, terms, replaces: None, put: Height(1), status: ItemStatus::Current }
}

#[test]
fn shr10_one_call_says_which_certificates_are_usable_and_where_to_get_the_others() {
    let street = Street::new();
    street.network.chain().put_item(item());
    let asked = AskedItem::Code(item().terms.code);
    let mut verifier = street.verifier(0);
    let mut ask = |nonce, codes: usize| {
        let code = street.code(&Show { nonce, ..street.show() });
        let code = Code::parse(&code).expect("a code");
        check(&mut verifier, &asked, &vec![code; codes])
    };
    let met = |list: &NeedsList| list.needs.iter().map(NeedAnswer::met).collect::<Vec<_>>();
    // The second time, the code was used; the first time counts.
    let list = ask([5; 8], 2).expect("an honest ledger");
    assert_eq!((met(&list), list.met()), (vec![Met::Yes, Met::Missing], Met::No));
    let NeedAnswer::Certificate { renew, .. } = &list.needs[1] else { panic!("it needs certificates alone") };
    assert_eq!(
        renew.iter().map(|office| office.member).collect::<Vec<_>>(),
        [sample::member("AMR").expect("a member")]
    );
    street.network.chain().act(LineNumber(0), |act| act);
    let list = ask([6; 8], 1).expect("an honest ledger");
    let NeedAnswer::Certificate { met, verdict: Some(verdict), renew, .. } = &list.needs[0] else {
        panic!("something was shown")
    };
    assert_eq!((*met, verdict.code), (Met::No, VerdictCode::Cancelled));
    assert_eq!(renew[0].member, sample::member(PSB).expect("a sample member"));
    street.network.set_all(Mood::Silent);
    assert!(ask([7; 8], 1).is_err(), "no list is made up where nobody can be asked");
}

#[test]
fn typed_identifiers_and_files_give_recorded_acts_only() {
    let street = Street::new();
    let mut verifier = street.verifier(0);
    let file = street.wallet.certificates().next().expect("one certificate").clone();
    let typed = file.identifier().to_string();
    assert_eq!(code_of(&verifier.verify_text(&typed, None)), VerdictCode::DocumentStatusOnly);
    assert_eq!(code_of(&verifier.verify_file(&file)), VerdictCode::DocumentStatusOnly);
    let unknown = verifier.verify_text(sample::certificates()[0].identifier, None);
    assert_eq!((code_of(&unknown), unknown.verdict.answer), (VerdictCode::UnknownCert, Answer::Undecided));
    let mut elsewhere = file.clone();
    elsewhere.place.line = LineNumber(9);
    let beyond = verifier.verify_file(&elsewhere);
    assert_eq!((code_of(&beyond), beyond.verdict.answer), (VerdictCode::UnknownCert, Answer::Refused));
    assert_eq!(code_of(&verifier.verify_text("FN1:NONSENSE", None)), VerdictCode::Malformed);
    street.network.set_all(Mood::Silent);
    assert_eq!(code_of(&verifier.verify_text(&typed, None)), VerdictCode::LedgerUnreachable);
    assert_eq!(code_of(&verifier.verify_file(&file)), VerdictCode::LedgerUnreachable);
}

/// Somebody who is the holder, or not.
struct Answers(bool);

impl Authenticator for Answers {
    fn is_holder(&mut self) -> bool {
        self.0
    }
}

#[test]
fn a_wallet_shows_what_it_is_asked_to_and_survives_its_file() {
    let street = Street::new();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("wallet.json");
    street.wallet.save(&path).expect("a writable folder");
    let wallet = Wallet::load(&path, street.wallet.domain()).expect("its own file");
    let identifier = wallet.certificates().next().expect("one certificate").identifier();
    let mut wallet = wallet;
    // A wallet from a file asks whether the holder is there, again after half an hour (VER-03).
    let shown = |wallet: &Wallet, now: Millis| wallet.show(&identifier, &Show { now, ..street.show() });
    let asked = street.show().now;
    assert!(matches!(shown(&wallet, asked), Err(WalletError::HolderAbsent { secs: PRESENCE_SECS })));
    assert!(wallet.authenticate(&mut Answers(false), asked).is_err());
    wallet.authenticate(&mut Answers(true), asked).expect("the holder");
    let later = |secs: u64| Millis(asked.0 + secs * 1000);
    assert!(shown(&wallet, later(1800)).is_ok());
    assert!(matches!(shown(&wallet, later(1801)), Err(WalletError::HolderAbsent { .. })));
    wallet.save(&path).expect("a writable folder");
    let wallet = Wallet::load(&path, street.wallet.domain()).expect("its own file");
    assert!(!wallet.asks_for_holder(later(1800)) && wallet.asks_for_holder(later(1801)));
    let show = |disclose| wallet.show(&identifier, &Show { disclose, ..street.show() });
    let code = show(Disclose::Labels(vec!["姓名".into(), "准驾车型".into()])).expect("two fields");
    let shown: Vec<u16> = code.shown.disclosed.iter().map(|claim| claim.index).collect();
    assert_eq!((shown, code.terms.lifetime_secs), (vec![0, 2], 120));
    assert!(code.shown.path.is_known());
    // Of age, and no birth date: the claim says as of which day.
    let code = show(Disclose::Profile("成年".into())).expect("a profile of the type");
    assert_eq!(code.shown.disclosed.iter().map(|claim| claim.index).collect::<Vec<_>>(), [0, 6]);
    let verdict = street.verifier(0).verify_code(&code, None).verdict;
    let claims = verdict.document.expect("of a certificate").claims;
    assert_eq!((claims[1].label.as_str(), claims[1].value.as_deref()), ("年满18周岁", Some("是")));
    assert_eq!((claims[0].as_of.as_deref(), claims[1].as_of.as_deref()), (None, Some("2026-03-02")));
    let same = [Disclose::Profile("everyday".into()), Disclose::Everyday].map(|which| show(which).expect("a code"));
    assert_eq!(same[0], same[1]);
    let error = show(Disclose::Profile("身份".into())).expect_err("no such profile");
    assert!(error.to_string().contains("everyday, 成年, 租车"), "{error}");
    let error = show(Disclose::Labels(vec!["年龄".into()])).expect_err("no such field");
    assert!(matches!(error, WalletError::UnknownLabel { label } if label == "年龄"));
    assert!(!format!("{wallet:?}").contains(&sample::licence(0).claims[2].1));
    assert!(matches!(
        Wallet::new(*street.wallet.domain()).show(&identifier, &street.show()),
        Err(WalletError::UnknownCertificate)
    ));
    let mut other = *street.wallet.domain();
    other.network.0.0[0] ^= 1;
    assert!(Wallet::load(&path, &other).is_err());
}

fn application_key(member: &str) -> HeldKey {
    let slot =
        sample::key_slots().into_iter().find(|slot| slot.member == member && slot.purpose == KeyPurpose::Application);
    let slot = slot.expect("every member of the sample asks");
    let number = sample::member(member).expect("a sample member");
    HeldKey::new(slot.purpose, number, slot.number, sample::test_secret(member, slot.purpose, 0))
}

/// VER-10: an item demands that its holder was checked in person, and a name alone does not do.
#[test]
fn ver10_an_item_that_demands_a_person_refuses_a_name() {
    let street = Street::new();
    let domain = *street.wallet.domain();
    let file = street.wallet.certificates().next().expect("one certificate").clone();
    let (holder, service) = (file.certificate.header().facts.holder, "11339900XN02000309");
    let service = CreditCode::parse(service).expect("a sample code");
    let proof = street.wallet.prove_possession(&holder, &service).expect("the wallet has the key");
    let checked_at = Millis(NOW.0 - 600_000);
    let vouched = |key: &HeldKey, checked| vouch(&domain, key, &service, checked, checked_at);
    let of = |level| CheckedHolder { holder, proof, level, valid_secs: VALID_SECS };
    let [name, person] = [Assurance::RealName, Assurance::RealPerson]
        .map(|level| Some(vouched(&application_key("YGOV"), of(level)).expect("an identity service")));
    assert_ne!(name.expect("made").statement.token, person.expect("made").statement.token);

    let scan = |assertion, min_assurance, plus_secs| {
        let mut verifier = street.verifier(plus_secs);
        verifier.set_policy(Policy { min_assurance, ..*verifier.policy() });
        let now = Millis(NOW.0 + plus_secs * 1000 - 15_000);
        verifier.verify_text(&street.code(&Show { assertion, now, ..street.show() }), None).verdict
    };
    let demanded = Some(Assurance::RealPerson);
    let valid = scan(person, demanded, 0);
    assert_eq!(valid.code, VerdictCode::Valid, "{:?}", valid.reason);
    let assured = valid.assurance.expect("somebody vouches");
    assert_eq!((assured.level, assured.service.as_str()), (Assurance::RealPerson, "云山省大数据管理局"));
    assert_eq!(scan(name, demanded, 0).code, VerdictCode::AssuranceTooLow);
    assert_eq!(scan(None, demanded, 0).code, VerdictCode::AssuranceTooLow);
    assert_eq!(scan(None, demanded, 0).plain_text, "请先在身份认证平台完成实人认证,再重新亮证。");
    assert_eq!(scan(name, None, 0).assurance.map(|assured| assured.level), Some(Assurance::RealName));
    // The police's application key is a key, and no identity service's.
    let police = CreditCode::parse("11319900XN0100021G").expect("a sample code");
    let proof_for_police = street.wallet.prove_possession(&holder, &police).expect("the wallet has the key");
    let pretended = CheckedHolder { proof: proof_for_police, ..of(Assurance::RealPerson) };
    let pretended = vouch(&domain, &application_key(PSB), &police, pretended, checked_at).expect("anybody can sign");
    assert_eq!(scan(Some(pretended), demanded, 0).code, VerdictCode::AssuranceTooLow);

    // Nobody is vouched for without a proof for this service, nor by a key for something else.
    let borrowed =
        vouched(&application_key("YGOV"), CheckedHolder { proof: proof_for_police, ..of(Assurance::RealName) });
    assert!(matches!(borrowed, Err(VouchError::NotPossessed)));
    let slot = |slot: &sample::KeySlot| slot.member == "YGOV" && slot.purpose == KeyPurpose::Admin;
    let slot = sample::key_slots().into_iter().find(slot).expect("a person's key");
    let admin = sample::test_secret("YGOV", slot.purpose, 0);
    let admin = HeldKey::new(slot.purpose, sample::member("YGOV").expect("a sample member"), slot.number, admin);
    assert!(matches!(vouched(&admin, of(Assurance::RealName)), Err(VouchError::OtherKey)));

    // A wallet does not show what would be refused: an old assertion, or another phone's.
    let show = |assertion, now| street.wallet.show(&file.identifier(), &Show { assertion, now, ..street.show() });
    let late = show(person, Millis(checked_at.0 + 1_831_000)).expect_err("half an hour is over");
    assert!(matches!(late, WalletError::Assertion(AssuranceError::Expired)), "{late}");
    let mut other = person.expect("made");
    other.statement.holder = sample::test_key("GOV", KeyPurpose::Admin, 0);
    assert!(matches!(show(Some(other), NOW), Err(WalletError::Code(CodeError::OtherAssertion))));
    // A type that asks is not shown without.
    let mut wallet = street.wallet;
    let kind = wallet.type_of(&file).expect("it was refreshed").clone();
    wallet.learn(CertificateType { assurance: demanded, ..kind });
    let (identifier, everyday) = (file.identifier(), Show::everyday(Street::purpose(), NOW).expect("randomness"));
    for (assertion, shown) in [(None, false), (name, false), (person, true)] {
        let code = wallet.show(&identifier, &Show { assertion, ..everyday.clone() });
        let asked = matches!(code, Err(WalletError::Assurance { needed: Assurance::RealPerson }));
        assert_eq!((code.is_ok(), asked), (shown, !shown));
    }
}

/// VER-04: in challenge mode an answer is of use once, at one counter, and the holder knows whose.
#[test]
fn ver04_an_answer_is_of_use_to_the_one_who_asked_and_to_nobody_else() {
    let street = Street::new();
    let domain = *street.wallet.domain();
    let asked_at = Millis(NOW.0 - 20_000);
    let question = |member: &str, purpose| {
        ask(&domain, &application_key(member), purpose, LIFETIME_SECS, asked_at).expect("an application key")
    };
    let challenge = question(PSB, Street::purpose());
    // The wallet finds out who asks, from the ledger and from nobody else.
    let scanned = Challenge::parse(&challenge.to_text()).expect("its own text");
    let asker = who_asks(&mut street.network.ledger(0), &scanned).expect("the police asks");
    assert_eq!(asker.name, "东海省公安厅交通管理局");
    let mut pretended = challenge;
    pretended.question.verifier = sample::member("AMR").expect("a sample member");
    for wrong in [pretended, question("AMR", Street::purpose())]
        .map(|wrong| Challenge { question: wrong.question, signature: challenge.signature })
    {
        let error = who_asks(&mut street.network.ledger(0), &wrong).expect_err("somebody else's signature");
        assert!(matches!(error, AskError::Challenge(_)), "{error}");
    }
    let late = who_asks(&mut street.network.ledger(200), &challenge).expect_err("too late");
    assert!(matches!(late, AskError::Challenge(ChallengeError::Expired)), "{late}");
    street.network.set_all(Mood::Silent);
    let nobody = who_asks(&mut street.network.ledger(0), &challenge).expect_err("nobody proves who asks");
    assert!(matches!(nobody, AskError::Ledger(_)), "{nobody}");
    street.network.set_all(Mood::Honest);

    let answer = street.code(&Show { challenge: Some(challenge.hash(&domain)), ..street.show() });
    let answered = |challenge: &Challenge| street.verifier(0).verify_answer(&answer, challenge).verdict;
    assert_eq!(answered(&challenge).code, VerdictCode::Valid);
    assert!(answered(&challenge).checked.contains(&Check::Challenge));
    // Another question of the same verifier, another verifier's, another purpose, an old question.
    let housing = sample::purpose("住房补贴").expect("a sample purpose");
    for other in [question(PSB, Street::purpose()), question("AMR", Street::purpose()), question(PSB, housing)] {
        assert_eq!(answered(&other).code, VerdictCode::HolderProofInvalid);
    }
    let old = street.verifier(131).verify_answer(&answer, &challenge).verdict.code;
    assert_eq!(old, VerdictCode::HolderProofInvalid);
    // Without the question, and an ordinary code to the question.
    assert_eq!(code_of(&street.verifier(0).verify_text(&answer, None)), VerdictCode::HolderProofInvalid);
    let ordinary = street.code(&street.show());
    let checked = street.verifier(0).verify_answer(&ordinary, &challenge);
    assert_eq!(code_of(&checked), VerdictCode::HolderProofInvalid);
    let admin =
        HeldKey::new(KeyPurpose::Admin, MemberNumber(1), KeyNumber(2), sample::test_secret(PSB, KeyPurpose::Admin, 0));
    assert!(matches!(ask(&domain, &admin, housing, LIFETIME_SECS, NOW), Err(AskError::OtherKey)));
}

/// CRT-13: paper finds the document's standing and never stands for its holder.
#[test]
fn crt13_a_static_code_gives_the_document_s_standing() {
    let street = Street::new();
    let identifier = street.wallet.certificates().next().expect("one certificate").identifier();
    let paper = street.wallet.print(&identifier).expect("the wallet holds it");
    let png = picture::png(&paper.to_text(), 4).expect("it fits");
    let mut verifier = street.verifier(0);
    // As often as anybody likes, and days later: nobody was checked, and nothing is used up.
    for _ in 0..2 {
        let checked = verifier.verify_picture(&png, None).expect("a code in the picture");
        assert_eq!((code_of(&checked), checked.verdict.answer), (VerdictCode::DocumentStatusOnly, Answer::Undecided));
        assert!(checked.verdict.document.expect("of a document").claims.is_empty());
    }
    street.network.set_all(Mood::Silent);
    assert_eq!(code_of(&verifier.verify_static(&paper)), VerdictCode::LedgerUnreachable);
    assert!(matches!(Wallet::new(*street.wallet.domain()).print(&identifier), Err(WalletError::UnknownCertificate)));
}

/// V-23: what decided can be kept, and says the same to whoever pins the founding, years later.
#[test]
fn v23_what_decided_says_the_same_without_the_nodes() {
    let street = Street::new();
    let code = street.code(&street.show());
    let mut verifier = street.verifier(0);
    let first = verifier.verify_text(&code, None).verdict;
    let proof = verifier.decided_by().expect("a node's proof decided").clone();
    let mut light = LightClient::from_checkpoint(genesis().checkpoint());
    let proven = light.prove(&proof, NOW).expect("signed by the founding's validators");
    let context = Context {
        domain: *street.wallet.domain(),
        verifier: verifier.policy().verifier,
        purpose: Street::purpose(),
        now: NOW,
        checkpoint_age_secs: 0,
        min_grade: None,
        min_assurance: None,
        challenge: None,
        mode: Mode::Online,
    };
    let kept = verdict_by(&code, &proof, &proven, &context);
    assert_eq!((kept.code, kept.document), (first.code, first.document));
    let identifier = street.wallet.certificates().next().expect("one certificate").identifier();
    verifier.verify_identifier(&identifier);
    let proof = verifier.decided_by().expect("a node's proof decided").clone();
    let proven = light.prove(&proof, NOW).expect("signed by the founding's validators");
    let recorded = verdict_by(&identifier.to_string(), &proof, &proven, &context);
    assert_eq!(recorded.code, VerdictCode::DocumentStatusOnly);
    // The same after the validators have changed, with the handovers that lead there.
    street.network.chain().hand_over(&["HRS", "CIQ", "RES", "YGOV"]);
    street.network.chain().empty_block();
    let code = street.code(&Show { nonce: [9; 8], ..street.show() });
    let again = verifier.verify_text(&code, None).verdict;
    assert_eq!(again.code, VerdictCode::Valid);
    let proof = verifier.decided_by().expect("a node's proof decided").clone();
    let found = FinalHeader { header: proof.header.clone(), certificate: proof.certificate.clone() };
    let handovers = verifier.ledger().handovers(&genesis().checkpoint(), &found).expect("the nodes answer");
    let mut light = LightClient::from_checkpoint(genesis().checkpoint());
    handovers.iter().try_for_each(|handover| light.follow(handover, NOW)).expect("true handovers");
    let proven = light.prove(&proof, NOW).expect("signed by the new validators");
    let kept = verdict_by(&code, &proof, &proven, &context);
    assert_eq!((handovers.len(), kept.code, kept.document), (1, again.code, again.document));
    // Where no node answers, nothing is there to be kept.
    street.network.set_all(Mood::Silent);
    verifier.verify_identifier(&identifier);
    assert!(verifier.decided_by().is_none());
}
