//! A provider's gateway before PostgreSQL on a real network, from a use to the receipt on the ledger, with a
//! gateway that is killed in between: no use is lost, and none counts twice. SHR-04, SHR-06, SHR-15.

#![forbid(unsafe_code)]

mod kills;
mod points;

use std::time::{Duration, Instant};

use fengni_client::clock;
use fengni_client::gateway::Trouble;
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::sealed::ReplyKey;
use fengni_client::sharing::wire::{Answered, Countersignature, Countersignatures, Withdrawal};
use fengni_core::record::AccessBasis;
use fengni_core::sharing::{AccessRefusal, Answer, HolderQuestion, ResultCode, SidedReceipt, SignedAccess};
use fengni_genesis::sample;
use fengni_test_postgres::Server;
use fengni_tests::sharing::{Anchored, Holder, Stage, TABLE, anchored};
use fengni_tests::{Deadline, Network, ProviderGateway, random, until};

/// Holds within this time (SHR-04), and a receipt stands on the ledger within this (SHR-06).
const WITHDRAWN: Duration = Duration::from_secs(5);
const ANCHORED: Duration = Duration::from_secs(10);

/// A gateway with its data, and people whom it has data of.
struct Desk {
    network: Network,
    stage: Stage,
    holders: Vec<Holder>,
    provider: ProviderGateway,
    _data: Server,
}

impl Desk {
    /// - `uses`: how often each holder's grant may be used.
    /// - `config`: further lines of the gateway's configuration.
    fn open(uses: &[u32], config: &str) -> Self {
        let mut network = Network::start();
        let stage = Stage::set(&network);
        let holders = stage.holders(&network, uses);
        let data = Server::start();
        data.run("CREATE TABLE insured (id_number text PRIMARY KEY, months integer)");
        for holder in &holders {
            data.run(&format!("INSERT INTO insured VALUES ('{}', 41)", holder.subject.as_str()));
        }
        let config = format!("[database]\npostgres = {:?}\n{TABLE}{config}", data.url());
        let mut provider = ProviderGateway::made(&mut network, "hrs", "hrs", stage.receipts, &config);
        provider.run();
        Self { network, stage, holders, provider, _data: data }
    }

    /// 核验 of at least 36 months, by the grant of a holder.
    fn access(&self, holder: usize) -> (SignedAccess, ReplyKey) {
        let reply = ReplyKey::from_seed(&random());
        let holder = &self.holders[holder];
        let terms = self.stage.access(holder, AccessBasis::Authorisation, reply.public(), clock::now());
        (self.stage.sign(terms), reply)
    }

    /// The same, asked and answered.
    fn ask(&self, holder: usize) -> (SignedAccess, Answered) {
        let (access, _) = self.access(holder);
        let answered = answered(&self.provider.departments(), &access);
        (access, answered)
    }

    /// The gateway runs, and answers what was asked before as it did then.
    fn answers_again(&self, (access, answered): &(SignedAccess, Answered)) {
        let again = self.provider.departments().access(access).expect("it is answered");
        assert!(again.receipts == answered.receipts && again.answer == answered.answer, "the same answer");
    }

    fn countersigned(&self, receipt: &SidedReceipt) -> Countersignatures {
        countersigned(&self.stage, receipt)
    }

    /// Every batch on the ledger, each with a receipt's leaf at its place.
    fn anchored(&self) -> Vec<Anchored> {
        anchored(&self.network, self.stage.receipts, &self.provider)
    }

    /// How many batches the ledger has.
    fn lines(&self) -> u64 {
        let book = self.network.ledger(&["hrs"]).record::<fengni_core::book::Book>(self.stage.receipts.0);
        book.expect("the ledger proves it").lines
    }
}

/// Asks until there is an answer: a gateway that was killed, or has not seen the ledger for a moment, is asked again.
fn answered(departments: &Provider, access: &SignedAccess) -> Answered {
    until("an access is answered", Deadline::default(), || match departments.access(access) {
        Ok(answered) => Some(answered),
        Err(Trouble::Refused(problem)) => {
            assert!(problem.is_passing(), "{problem}");
            None
        }
        Err(_) => None,
    })
}

fn countersigned(stage: &Stage, receipt: &SidedReceipt) -> Countersignatures {
    let signature = stage.countersign(&receipt.receipt);
    Countersignatures { signatures: vec![Countersignature { number: receipt.receipt.number, signature }] }
}

/// The batch that has a receipt, with the receipt's leaf at its place.
fn batch_of<'a>(batches: &'a [Anchored], stage: &Stage, receipt: &SidedReceipt) -> &'a Anchored {
    let number = receipt.receipt.number;
    let batch = batches.iter().find(|batch| (batch.first..batch.end()).contains(&number)).expect("it is in a batch");
    let place = usize::try_from(number - batch.first).expect("few receipts");
    assert_eq!(batch.leaves[place], receipt.receipt.leaf(&stage.domain), "the leaf of receipt {number}");
    batch
}

fn result(answered: &Answered) -> (ResultCode, u32) {
    (answered.receipts[0].receipt.result, answered.receipts[0].receipt.use_number)
}

#[test]
fn a_department_answers_and_the_ledger_counts_its_receipts() {
    let desk = Desk::open(&[5], "");
    let departments = desk.provider.departments();

    // The first use, with both signatures, on the ledger in time.
    let (access, reply) = desk.access(0);
    let answered = departments.access(&access).expect("it is answered");
    assert_eq!(result(&answered), (ResultCode::Yes, 1));
    let domain = desk.stage.domain;
    let sealed = answered.answer.as_ref().expect("something was answered");
    let opened = reply.open(&domain, &access.access.digest(&domain), sealed).expect("it is sealed to us");
    let answers: Vec<Answer> = serde_json::from_slice(&opened).expect("answers");
    assert!(answers[0].is_receipted(&domain, &answered.receipts[0].receipt, &desk.holders[0].subject));
    departments.countersign(&desk.countersigned(&answered.receipts[0])).expect("it is taken");
    let batches = desk.anchored();
    let time = batch_of(&batches, &desk.stage, &answered.receipts[0]).time;
    let waited = Duration::from_millis(time.0.saturating_sub(answered.receipts[0].receipt.time.0));
    assert!(waited <= ANCHORED, "it waited {waited:?}");

    // Another item; nobody's signature.
    let mut other = desk.access(0).0.access.terms().clone();
    other.item = "11339900XN0200022E400012".into();
    let refused = departments.access(&desk.stage.sign(other)).expect("it is answered");
    assert_eq!(result(&refused), (ResultCode::Refused(AccessRefusal::OtherItem), 0));
    let unsigned = SignedAccess { signature: desk.holders[0].key.sign(b""), ..desk.access(0).0 };
    let Err(Trouble::Refused(problem)) = departments.access(&unsigned) else { panic!("it is answered") };
    assert!(problem.detail.contains("NOT_SIGNED"), "{problem}");

    // The holder withdraws through this very gateway: that holds within five seconds.
    let grant = &desk.holders[0].grant;
    let content = grant.content.digest(&domain);
    let withdrawal = Withdrawal { place: grant.place, content, secret: grant.secret.clone() };
    let withdrawn = desk.provider.public().withdraw(&withdrawal).expect("it is brought to the ledger");
    assert!(withdrawn.height.is_some());
    let begun = Instant::now();
    until("the withdrawal holds", Deadline::default(), || {
        let asked = Instant::now();
        let now = desk.ask(0).1;
        let used_up = result(&now) == (ResultCode::Refused(AccessRefusal::GrantUsedUp), 0);
        let is_refused = result(&now) == (ResultCode::Refused(AccessRefusal::GrantWithdrawn), 0);
        assert!(is_refused || asked - begun < WITHDRAWN, "it was withdrawn {:?} before", asked - begun);
        assert!(is_refused || used_up || result(&now).0 == ResultCode::Yes);
        is_refused.then_some(())
    });

    // All of it is in the holder's list, each with its way to the ledger.
    let batches = desk.anchored();
    let question = HolderQuestion {
        provider: sample::member("HRS").expect("a sample member"),
        holder: desk.holders[0].key.public(),
        identity: None,
        from: 0,
        nonce: random(),
        time: clock::now(),
    };
    let question = question.sign(&domain, &desk.holders[0].key);
    let mine = desk.provider.public().mine(&question).expect("it is answered").receipts;
    assert!(mine.len() >= 3 && mine[0].receipt.requester.is_some() && mine[1].receipt.requester.is_none());
    for held in &mine {
        let batch = held.path.as_ref().expect("its way").batch(&domain, &held.receipt.receipt).expect("it leads");
        assert_eq!(batch.first, batch_of(&batches, &desk.stage, &held.receipt).first);
    }
    assert_eq!(desk.provider.status()["well"], true, "{}", desk.provider.log());
}
