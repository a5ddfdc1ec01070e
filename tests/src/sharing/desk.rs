//! YHD's desk and the holder in front of it, by the commands that people type, on the days of the story.

use std::cell::Cell;

use fengni_client::keys::{HeldKey, Passphrases};
use fengni_core::book::Subject;
use fengni_core::sharing::{Access, AccessTerms, SidedReceipt, SignedAccess};
use fengni_genesis::sample;
use fengni_test_postgres::Server;
use serde_json::Value;

use super::papers::{CASE, insured};
use super::registries::{self, HOUSING, MONTHS, REQUEST};
use super::stage::{TABLE, book_of};
use super::written::{Consent, UseTexts, taken, terms, word};
use crate::actors::random;
use crate::command::Answer;
use crate::network::Network;
use crate::provider::ProviderGateway;
use crate::wait::{Deadline, until};

/// The key of the certificate by which the holder says who they are, among the sample's.
const CERTIFICATE: &str = "C4";
/// What for.
const PURPOSE: &str = "住房补贴";

/// YHD's desk, and the holder in front of it.
pub struct Desk {
    /// The network, on its day.
    pub network: Network,
    /// HRS's gateway.
    pub provider: ProviderGateway,
    /// The database behind it.
    pub data: Server,
    certificate: String,
    asked: Cell<u32>,
}

/// What a holder is asked for.
pub struct GrantTerms<'a> {
    /// How often each kind may be used.
    pub uses: u32,
    /// For how long.
    pub days: u32,
    /// Entries of kinds besides the months, in TOML.
    pub more: &'a str,
}

impl Desk {
    /// From the founding to 03-06, when YHD may use the data: J7. A certificate of title is shown for a housing
    /// subsidy by the holder's grant alone.
    ///
    /// # Panics
    /// When anything of it is refused.
    pub fn open() -> Self {
        let by_grant = format!("name = \"不动产权证书\"\ngrant_purposes = [{PURPOSE:?}]\n");
        let mut network =
            Network::founded_on("2026-03-02", |document| document.replace("name = \"不动产权证书\"\n", &by_grant));
        let months = registries::propose(&network, MONTHS);
        registries::publish(&network, months);
        registries::put(&network, HOUSING);
        registries::put(&network, &HOUSING.replace("400011", "400022"));
        registries::put(&network, &HOUSING.replace("purpose = \"住房补贴\"", "purpose = \"社会保险\""));
        for item in 0..3 {
            registries::file(&network, &REQUEST.replace("item = 0", &format!("item = {item}")));
        }
        let _ = network.done("gov", &["agreement", "propose", "sample"]);
        let _ = network.done("ygov", &["agreement", "sign", "RA-2026-001"]);
        let found = sample::certificates().iter().find(|it| it.key == CERTIFICATE).expect("the sample has it");
        let holder = network.scratch().join("holder").display().to_string();
        let rows = network.home().join("members/res/rows.csv").display().to_string();
        let issue = ["issue", &rows, "--type", found.certificate_type, "--out", &holder];
        let _ = network.done("res", &issue);
        let certificate = format!("{holder}/{}.certificate", found.identifier);
        network.go_to("2026-03-05");
        for request in 0..3 {
            registries::decide(&network, "agree", request);
        }
        network.go_to("2026-03-06");
        for request in 0..3 {
            registries::decide(&network, "provision", request);
        }
        let data = Server::start();
        data.run(&insured());
        let config = format!("[database]\npostgres = {:?}\n{TABLE}", data.url());
        let mut hrs = network.actor("hrs", "application", 1, "hrs");
        let book = book_of(&mut hrs, Subject::Receipts, &network.genesis());
        let mut provider = ProviderGateway::made(&mut network, "hrs", "hrs", book, &config);
        provider.run();
        Self { network, provider, data, certificate, asked: Cell::new(0) }
    }

    /// Goes to another day, with the gateway.
    ///
    /// # Panics
    /// When it does not get there.
    pub fn go_to(&mut self, day: &str) {
        // A receipt that waits over the jump would be late by days.
        until("every receipt is on the ledger", Deadline::default(), || {
            (self.provider.status()["waiting"] == 0).then_some(())
        });
        self.network.go_to(day);
        self.provider.wait_well();
    }

    /// Where a file of the story is.
    pub fn path(&self, name: &str) -> String {
        self.network.scratch().join(name).display().to_string()
    }

    /// The identifier of the holder's certificate.
    pub fn identifier(&self) -> &'static str {
        sample::certificates().iter().find(|it| it.key == CERTIFICATE).expect("the sample has it").identifier
    }

    /// The holder's number.
    ///
    /// # Panics
    /// Never: the sample has the holder.
    pub fn subject(&self) -> &'static str {
        sample::people().iter().find(|it| it.key == "P1").expect("the sample has her").number
    }

    /// What the holder shows for the subsidy, as a file of a code's text.
    ///
    /// # Panics
    /// When there is no code.
    pub fn shown(&self) -> String {
        let map = self.network.map();
        let show = ["show", &self.certificate, "--purpose", PURPOSE, "--text", "--network", &map];
        let code = self.network.fengni(&show, b"").expect(0).out;
        self.network.written("code.txt", &code)
    }

    /// What YHD makes of a code that the holder shows now, with a grant or without.
    pub fn scanned(&self, grant: Option<&str>) -> Value {
        let (code, grant) = (self.shown(), grant.map(|name| self.path(&format!("{name}.grant.json"))));
        let grant = grant.iter().flat_map(|path| ["--grant", path]);
        let verify = ["verify", &code, "--as", "YHD", "--purpose", PURPOSE];
        self.network.view(&verify.into_iter().chain(grant).collect::<Vec<_>>()).json()
    }

    /// What the item needs, and what of it the holder has: 免证办.
    pub fn needs(&self, grant: Option<&str>) -> Answer {
        let (code, grant) = (self.shown(), grant.map(|name| self.path(&format!("{name}.grant.json"))));
        let grant = grant.iter().flat_map(|path| ["--grant", path]);
        let needs = ["needs", "0", "--code", &code, "--as", "YHD"];
        self.network.view(&needs.into_iter().chain(grant).collect::<Vec<_>>())
    }

    /// YHD asks, the holder reads and signs, YHD puts it on the ledger, the holder keeps it.
    ///
    /// # Panics
    /// When anybody refuses.
    pub fn grant(&self, name: &str, terms: &GrantTerms<'_>) {
        let GrantTerms { uses, days, more } = terms;
        let terms = format!(
            "contact = \"12345, 住房窗口\"\nitem = 0\ncase = \"{CASE}\"\nmethod = \"自动核验,不留存\"\ndays = {days}\n\
             [[kinds]]\nresource = 0\nfields = [\"参保月数\"]\nmode = \"verify\"\nuses = {uses}\n{more}"
        );
        let terms = self.network.written(&format!("{name}.toml"), &terms);
        let file = |stage: &str| self.path(&format!("{name}.{stage}.json"));
        let (ask, signed, pending) = (file("ask"), file("signed"), file("pending"));
        let (recorded, mine) = (file("grant"), file("mine"));
        let _ = self.network.member_command("yhd", &["grant", "ask", &terms, "--out", &ask]).expect(0);
        let sign = ["grant", "sign", &ask, "--certificate", &self.certificate, "--disclose", "证件号码", "--yes"];
        let files = ["--separate-consent", "--out", &signed, "--keep", &pending];
        let _ = self.network.view(&[&sign[..], &files].concat()).expect(0);
        let _ = self.network.done("yhd", &["grant", "record", &signed, "--out", &recorded]);
        let _ = self.network.view(&["grant", "keep", &pending, "--out", &mine]).expect(0);
    }

    /// The holder agrees at the counter to one use for an item, by its number, and a case.
    ///
    /// # Panics
    /// When there is no code.
    pub fn use_code(&self, item: u32, case: &str) -> UseTexts {
        let item = item.to_string();
        let code = ["grant", "code", "--certificate", &self.certificate, "--disclose", "证件号码", "--yes"];
        let terms = ["--grantee", "YHD", "--resource", "0", "--field", "参保月数", "--item", &item, "--case", case];
        let made = self.network.view(&[&code[..], &terms].concat()).expect(0).json();
        serde_json::from_value(made).expect("two texts")
    }

    /// Waits until the gateway has seen the ledger as it is: it looks once a second.
    fn wait_seen(&self) {
        let height = self.network.height("hrs");
        until("the gateway has seen the ledger", Deadline::default(), || {
            self.provider.status()["running"]["height"].as_u64().filter(|seen| *seen >= height)
        });
    }

    /// The holder takes a grant back through HRS's gateway.
    ///
    /// # Panics
    /// When it is refused.
    pub fn withdraw(&self, name: &str) {
        let mine = self.path(&format!("{name}.mine.json"));
        let url = self.provider.public();
        let _ = self.network.view(&["grant", "withdraw", &mine, "--provider", url.name()]).expect(0);
        self.network.wait_together();
        assert_eq!(self.network.view(&["grant", "show", &mine]).expect(1).json()["standing"], "withdrawn");
        self.wait_seen();
    }

    /// The holder takes a grant back through another member, while HRS's gateway does not run.
    ///
    /// # Panics
    /// When it is refused.
    pub fn withdraw_past_the_provider(&mut self, name: &str, member: &str) {
        let mine = self.path(&format!("{name}.mine.json"));
        self.provider.kill();
        let _ = self.network.done(member, &["grant", "withdraw", &mine]);
        assert_eq!(self.network.view(&["grant", "show", &mine]).expect(1).json()["standing"], "withdrawn");
        self.provider.run();
        self.wait_seen();
    }

    /// Asks HRS whether the holder was insured for 36 months; with the file of receipts that it kept.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask(&self, consent: Consent<'_>, request: u32, case: Option<&str>) -> (String, String) {
        self.ask_about(self.subject(), consent, request, case)
    }

    /// The same of anybody, by their number.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask_about(&self, subject: &str, consent: Consent<'_>, request: u32, case: Option<&str>) -> (String, String) {
        let (answer, kept) = self.access(&terms(subject, consent, request, case));
        let said = answer.json();
        assert_eq!(said["countersigned"], true, "{answer:?}");
        let result = word(&said["answers"][0]["result"]);
        assert_eq!(answer.code, i32::from(result != "yes"), "{answer:?}");
        (result, kept)
    }

    /// Asks HRS by a file of terms; with the file of receipts that it kept.
    pub fn access(&self, terms: &str) -> (Answer, String) {
        let number = self.asked.replace(self.asked.get() + 1);
        let terms = self.network.written(&format!("access-{number}.toml"), terms);
        let kept = self.path(&format!("taken-{number}.json"));
        let url = self.provider.departments();
        let ask = ["access", "ask", &terms, "--provider", url.name(), "--keep", &kept];
        (self.network.member_command("yhd", &ask), kept)
    }

    /// YHD asks while HRS's gateway does not run, and goes on afterwards, twice from the same file: the file of
    /// receipts that each kept.
    ///
    /// # Panics
    /// When the first attempt is answered, the next one is not, or the one with the copy is.
    pub fn ask_again_after_a_break(&mut self, consent: Consent<'_>) -> [String; 2] {
        self.provider.kill();
        let (answer, kept) = self.access(&terms(self.subject(), consent, 0, None));
        let answer = answer.expect(3);
        assert!(answer.err.contains("next: fengni access resume"), "{answer:?}");
        let copy = self.path("copy.json");
        std::fs::copy(&kept, &copy).expect("the access was kept before it was sent");
        self.provider.run();
        let url = self.provider.departments();
        let resume =
            |file: &str| self.network.member_command("yhd", &["access", "resume", file, "--provider", url.name()]);
        let said = resume(&kept).expect(0).json();
        assert_eq!(word(&said["answers"][0]["result"]), "yes", "{said}");
        // The gateway forgot the answer once it was signed for: the copy gets its receipt alone.
        let _ = resume(&copy).expect(3);
        [kept, copy]
    }

    /// What YHD asked before, asked anew, without a signature over the receipt.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn use_without_signing_for_it(&self, kept: &str) -> SidedReceipt {
        let asked = taken(kept).access.access;
        let (nonce, time) = (random(), self.network.now());
        let access = Access::new(AccessTerms { nonce, time, ..asked.terms().clone() }).expect("as before");
        let key = self.network.home().join("members/yhd/keys/application-a.json");
        let key = HeldKey::load(&key, &Passphrases::asked()).expect("sample wrote it");
        let signature = key.sign(&access.message(&self.network.genesis().domain())).expect("a key in a file");
        let answered = self.provider.departments().access(&SignedAccess { access, signature }).expect("it is answered");
        answered.receipts.into_iter().next().expect("one for its question")
    }

    /// What the holder sees of each use, in the order of time, once all of it is on the ledger.
    ///
    /// # Panics
    /// When a receipt does not hold.
    pub fn mine(&self, grants: &[&str]) -> Vec<Value> {
        let grants: Vec<String> = grants.iter().map(|name| self.path(&format!("{name}.mine.json"))).collect();
        let provider = format!("HRS={}", self.provider.public().name());
        let mut mine =
            vec!["mine", "--certificate", &self.certificate, "--disclose", "证件号码", "--provider", &provider];
        mine.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        until("every use is on the ledger", Deadline::default(), || {
            let uses = self.network.view(&mine).expect(0).json()["uses"].as_array().expect("a list").clone();
            uses.iter().all(|it| !it["anchored"].is_null()).then_some(uses)
        })
    }

    /// The receipts of a file are on the ledger, as YHD finds out by its halves.
    ///
    /// # Panics
    /// When they are not.
    pub fn is_anchored(&self, kept: &str) {
        let url = self.provider.public();
        let _ = self.network.view(&["access", "check", kept, "--provider", url.name()]).expect(0);
    }
}
