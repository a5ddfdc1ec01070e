//! Evidence packages: every bit of the page counts, and what is missing is named. Rules W-1 to W-6.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use std::collections::BTreeSet;

use common::story::Story;
use common::{Network, founding, kind, member};
use fengni_core::bytes::Bytes;
use fengni_core::certificate::{Certificate, ClaimValue, Facts, Grade, Salt};
use fengni_core::evidence::{Content, ContentError, Defect, Evidence, FORMAT, Findings, Package, PackageError};
use fengni_core::history::Gap;
use fengni_core::id::{Serial, Version};
use fengni_core::light::{Checkpoint, FinalHeader, LightError};
use fengni_core::operation::Operation;
use fengni_core::proof::{Place, StateProof};
use fengni_core::record::{ClaimSpec, Schema};
use fengni_core::shelf::Shelf;
use fengni_core::{
    ActNumber, AuthorityNumber, BookNumber, Height, KeyAlgorithm, LineNumber, LinePlace, Millis, PageNumber, SecretKey,
    Suite,
};
use fengni_state::{line_places, prove};
use proptest::prelude::*;
use serde_json::json;

const PLACE: LinePlace = LinePlace { book: BookNumber(0), line: LineNumber(0) };

/// A network whose licences have two fields, and what happened to the first licence.
struct World {
    story: Story,
    certificate: Certificate,
    checkpoint: Checkpoint,
}

impl World {
    fn new(suite: Suite) -> Self {
        let mut begun = founding(suite);
        let claim = |label: &str, everyday| ClaimSpec {
            label: label.into(),
            required: true,
            everyday,
            sensitive: false,
            max_bytes: 60,
            derived: None,
        };
        let schema = Schema {
            claims: vec![claim("准驾车型", true), claim("档案编号", false)],
            profiles: Vec::new(),
            serial_bytes: 20,
        };
        begun.types[0].schemas = vec![schema.clone()];
        let network = Network::found(suite, begun);
        let checkpoint = Checkpoint {
            network: network.domain.network,
            suite,
            height: Height(0),
            time: network.state.time(),
            block: None,
            validators: network.state.next_validators(),
            trusting_period_secs: 1_209_600,
        };
        let mut story = Story::on(network);
        story.tell("block\n police open B licence 31 ok");
        let certificate = certificate(&story, &schema);
        let record = story.network.state.book(PLACE.book).expect("it was opened").record().clone();
        let code = story.network.state.certificate_type(kind("licence")).expect("a type").code;
        let identifier = certificate.header().facts.identifier(code, &record);
        let line = certificate.header().line(&story.network.domain, &identifier);
        let seal = Operation::Seal { book: PLACE.book, lines: vec![line] };
        let signed = story.network.transaction(member("police"), &[4], seal);
        let clock = Millis(story.network.state.time().0 + 1_000);
        story.network.next_block(clock, vec![Bytes(signed.encode())]);
        story.lines.insert("c".into(), PLACE);
        story.tell(
            "
            block +1h
              court/enf     suspend c reason:2            ok
              police        seal B d e                    ok
            block +1h
              court/enf     return c court                ok
            block +1h
              police        dispute c                     ok
              police        dispute d                     ok
        ",
        );
        Self { story, certificate, checkpoint }
    }

    /// What a history holds, and the records of all who acted.
    fn places(&self) -> BTreeSet<Place> {
        let network = &self.story.network;
        let mut places = line_places(&network.state, &network.records, PLACE, None);
        places.insert(Place::Heads(PLACE.book, PageNumber(0)));
        places.extend([0, 1, 2].map(|act| Place::Act(PLACE.book, ActNumber(act))));
        places.extend((0..network.state.members().len()).map(|number| Place::Record(Shelf::Members, number as u32)));
        places.insert(Place::Record(Shelf::Codes, 2));
        places
    }

    fn proof(&self, places: &BTreeSet<Place>) -> StateProof {
        let network = &self.story.network;
        let last = network.blocks.last().expect("a block was made");
        let (header, certificate) = (last.block.header.clone(), last.certificate.clone());
        prove(&network.state, &network.records, header, certificate, places.iter().copied()).expect("they are there")
    }

    /// All acts of the books there were when the line was sealed: none names it.
    fn origin(&self) -> StateProof {
        let acts = [0, 1, 2, 3].map(|act| Place::Act(PLACE.book, ActNumber(act)));
        self.proof(&acts.into_iter().chain([Place::Record(Shelf::Books, PLACE.book.0)]).collect())
    }

    fn package(&self, shown: &[u16]) -> Package {
        let network = &self.story.network;
        let headers = network.blocks[1..].iter();
        Package {
            format: FORMAT,
            software: "fengni <0.1.0>".into(),
            made: network.state.time(),
            checkpoint: self.checkpoint.clone(),
            handovers: Vec::new(),
            place: PLACE,
            proof: self.proof(&self.places()),
            origin: vec![self.origin()],
            headers: headers
                .map(|made| FinalHeader { header: made.block.header.clone(), certificate: made.certificate.clone() })
                .collect(),
            content: Some(Content::of(&network.domain, &self.certificate, shown)),
        }
    }
}

fn certificate(story: &Story, schema: &Schema) -> Certificate {
    let holder = SecretKey::from_seed(KeyAlgorithm::P256, &[3; 32]).expect("a small scalar");
    let facts = Facts {
        schema: 1,
        serial: Serial::parse("20260302000000000001").expect("a serial"),
        version: Version::new(1).expect("a version"),
        issued: common::day("2026-03-02"),
        from: common::day("2026-03-02"),
        until: None,
        grade: Grade::A,
        holder: holder.public(),
    };
    let values = ["C1 <b>", "310001"].map(|text| Some(ClaimValue::new(text).expect("a claim's text")));
    Certificate::new(&story.network.domain, schema, facts, values.to_vec(), &[Salt([1; 16]), Salt([2; 16])])
        .expect("it fits the schema")
}

fn judged(package: &Package) -> Result<Findings, LightError> {
    Evidence { package: package.clone(), timestamp: None }.judge()
}

#[test]
fn w2_a_package_proves_events_keys_authority_and_what_is_shown() {
    for suite in [Suite::Standard, Suite::Trial] {
        let world = World::new(suite);
        let findings = judged(&world.package(&[0])).expect("an honest package");
        assert_eq!(findings.defects, []);
        assert_eq!(findings.checkpoint, world.checkpoint.digest());
        assert_eq!(findings.history.events(), 4);
        assert_eq!(findings.history.chapters[0].events[0].reason_name.as_deref(), Some("reasons 2"));
        let used: Vec<_> = findings.keys.iter().map(|used| (used.member, used.number.0, used.heights.len())).collect();
        assert_eq!(used, [(member("police"), 4, 2), (member("court"), 6, 2)]);
        assert_eq!(findings.authorities.iter().map(|(number, _)| number.0).collect::<Vec<_>>(), [0]);
        let content = findings.content.expect("it is shown");
        assert_eq!((content.claims.len(), content.hidden), (1, 1));
        assert_eq!(content.claims[0], ("准驾车型".to_owned(), Some("C1 <b>".to_owned())));
        assert_eq!(findings.power, (8, 6));
    }
}

#[test]
fn w6_a_page_is_written_from_its_bytes_and_no_word_of_the_ledger_is_markup() {
    let world = World::new(Suite::Standard);
    let stamped = Some(Bytes(vec![0x30, 0x03, 0x02, 0x01, 0x00]));
    for timestamp in [None, stamped] {
        let evidence = Evidence { package: world.package(&[0, 1]), timestamp };
        let page = evidence.page(&evidence.judge().expect("an honest package"));
        let read = Evidence::from_page(&page).expect("its own page");
        assert_eq!(read, evidence);
        assert_eq!(read.page(&read.judge().expect("an honest package")), page);
        assert!(page.contains("C1 &lt;b&gt;") && page.contains("fengni &lt;0.1.0&gt;") && !page.contains("<b>"));
    }
    assert!(Evidence::from_page("<html></html>").is_err());
}

#[test]
fn w1_a_later_form_is_named_and_not_called_damaged() {
    let mut bytes = World::new(Suite::Standard).package(&[]).encode();
    assert!(Package::decode(&bytes).is_ok());
    bytes[0] = 2;
    assert_eq!(Package::decode(&bytes), Err(PackageError::Format(2)));
    assert!(matches!(Package::decode(&[1, 0, 7]), Err(PackageError::Encoding(_))));
}

#[test]
fn w2_w4_what_was_left_out_is_named() {
    let world = World::new(Suite::Standard);
    let without = |gone: Place| {
        let mut places = world.places();
        assert!(places.remove(&gone), "{gone} was there");
        judged(&Package { proof: world.proof(&places), ..world.package(&[]) }).map(|findings| findings.defects)
    };
    let act = |number| Place::Act(PLACE.book, ActNumber(number));
    let gap = Gap::Act { place: PLACE, number: ActNumber(1) };
    assert_eq!(without(act(1)), Ok(vec![Defect::History(gap)]));
    assert_eq!(without(Place::Heads(PLACE.book, PageNumber(0))), Ok(vec![Defect::History(Gap::Head { place: PLACE })]));
    let court = member("court");
    assert_eq!(without(Place::Record(Shelf::Members, court.0)), Ok(vec![Defect::Member(court)]));
    assert!(matches!(without(Place::Record(Shelf::Types, 0)), Err(LightError::Proof(_))));

    let authority = |number| Place::Record(Shelf::Authorities, number);
    assert_eq!(without(authority(0)), Ok(vec![Defect::Authority(AuthorityNumber(0))]));
    let police = Place::Record(Shelf::Members, member("police").0);
    assert_eq!(without(police), Ok(vec![Defect::Member(member("police")), Defect::Member(member("police"))]));
    let unbegun = Package { origin: Vec::new(), ..world.package(&[]) };
    let gap = Gap::Origin { place: PLACE };
    assert_eq!(judged(&unbegun).expect("the rest is proven").defects, [Defect::History(gap)]);

    let mut timeless = world.package(&[]);
    let gone = timeless.headers.remove(1).header.height;
    assert_eq!(judged(&timeless).expect("the rest is proven").defects, [Defect::Time(gone)]);
}

#[test]
fn w3_what_stands_now_is_the_last_lines_and_an_older_version_is_shown_as_such() {
    let mut world = World::new(Suite::Standard);
    world.story.tell(
        "
        block +1h
          police        renew c B n                   ok
        block +1h
          court/enf     suspend n                     ok
    ",
    );
    let next = world.story.place("n");
    let network = &world.story.network;
    let acts = [0, 1, 2, 4, 5].map(|act| Place::Act(PLACE.book, ActNumber(act)));
    let places =
        world.places().into_iter().chain(acts).chain(line_places(&network.state, &network.records, next, None));
    let package = Package { proof: world.proof(&places.collect()), ..world.package(&[0]) };
    let evidence = Evidence { package, timestamp: None };
    let findings = evidence.judge().expect("an honest package");
    assert_eq!(findings.defects, []);
    assert_eq!(findings.content.as_ref().map(|content| content.place), Some(PLACE));
    let [first, last] = findings.history.chapters.as_slice() else { panic!("two lines") };
    assert_eq!(first.standing_words(findings.header.time), "superseded 已换发, disputed 异议");
    assert_eq!(
        (last.place, last.standing_words(findings.header.time).as_str()),
        (next, "suspended 暂扣, disputed 异议")
    );
    // A hold that is over withholds nothing.
    let told = findings.history.told();
    let acts: Vec<(&str, &str)> = told.iter().map(|row| (row.act.as_str(), row.after.as_str())).collect();
    assert_eq!(acts[0], ("issue 新发", "active 有效"));
    assert_eq!(acts[1], ("suspend 暂扣", "suspended 暂扣"));
    assert_eq!(acts[2], ("return 暂扣发还", "active 有效"));
    assert_eq!(acts[5], (format!("goes on 承接, from {PLACE}").as_str(), ""));
    let page = evidence.page(&findings);
    assert!(
        page.contains("suspended 暂扣, disputed 异议, as of block")
            && page.contains(&format!("{PLACE}, superseded 已换发"))
    );
}

#[test]
fn w4_a_key_that_was_revoked_later_is_shown_and_is_no_defect() {
    let mut world = World::new(Suite::Standard);
    world.story.tell("block +1h\n police/adm*2 revoke-key police 4 from:2 ok");
    let findings = judged(&world.package(&[])).expect("an honest package");
    assert_eq!(findings.defects, []);
    let revoked: Vec<bool> = findings.keys.iter().map(|used| used.revoked).collect();
    assert_eq!(revoked, [true, false]);
    let chapter = &findings.history.chapters[0];
    assert_eq!(
        (chapter.together.len(), chapter.standing_words(findings.header.time).as_str()),
        (1, "suspended 暂扣, disputed 异议")
    );
}

#[test]
fn w3_content_that_was_not_sealed_is_refused() {
    let world = World::new(Suite::Standard);
    let domain = world.story.network.domain;
    let schema = world.story.network.state.certificate_type(kind("licence")).expect("a type").schemas[0].clone();
    let facts = world.certificate.header().facts.clone();
    let made = |facts: Facts, text: &str, salt: u8| {
        let values = [text, "310001"].map(|text| Some(ClaimValue::new(text).expect("a claim's text")));
        Certificate::new(&domain, &schema, facts, values.to_vec(), &[Salt([salt; 16]), Salt([2; 16])]).expect("it fits")
    };
    let other_day = Facts { issued: common::day("2026-03-01"), ..facts.clone() };
    for forged in [made(facts.clone(), "A1", 1), made(facts, "C1 <b>", 9), made(other_day, "C1 <b>", 1)] {
        let package = Package { content: Some(Content::of(&domain, &forged, &[0])), ..world.package(&[]) };
        let findings = judged(&package).expect("the rest is proven");
        assert_eq!(findings.defects, [Defect::Content(ContentError::Header)]);
        assert_eq!(findings.content, None);
    }
}

#[test]
fn w2_a_checkpoint_of_other_validators_proves_nothing() {
    let world = World::new(Suite::Standard);
    let mut forged = world.package(&[]);
    forged.proof.certificate.signatures.truncate(1);
    assert!(matches!(judged(&forged), Err(LightError::NotFinal(_) | LightError::Proof(_))));
    let mut foreign = world.package(&[]);
    foreign.checkpoint.network = fengni_core::NetworkId(fengni_core::Digest([1; 32]));
    assert!(judged(&foreign).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn w6_no_bit_of_a_page_counts_for_nothing(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        thread_local! {
            static MADE: (String, fengni_core::Digest) = {
                let world = World::new(Suite::Standard);
                let evidence = Evidence { package: world.package(&[0]), timestamp: Some(Bytes(vec![1, 2, 3])) };
                (evidence.page(&evidence.judge().expect("an honest package")), world.checkpoint.digest())
            };
        }
        MADE.with(|(page, checkpoint)| {
            let mut bytes = page.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let Ok(altered) = String::from_utf8(bytes) else { return };
            let passes = Evidence::from_page(&altered).ok().is_some_and(|evidence| {
                evidence.judge().is_ok_and(|findings| {
                    findings.holds() && findings.checkpoint == *checkpoint && evidence.page(&findings) == altered
                })
            });
            assert!(!passes, "byte {at}, bit {bit}");
        });
    }
}

/// What a reader in another language compares: `sdk/spec/vectors/evidence.json`.
#[test]
fn the_vectors_are_what_this_code_makes() {
    let world = World::new(Suite::Standard);
    let whole = world.package(&[0]);
    let mut cut = whole.clone();
    cut.headers.remove(1);
    let cases = [("complete", &whole), ("the header of an event's block is missing", &cut)].map(|(name, package)| {
        let findings = judged(package).expect("it proves something");
        json!({
            "name": name,
            "package": hex::encode(package.encode()),
            "checkpoint_digest": findings.checkpoint,
            "imprint": package.imprint(),
            "block": findings.block,
            "events": findings.history.events(),
            "defects": findings.defects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    let made = json!({
        "about": "Rules W-1 to W-5: packages, the digests that readers compare, and what they prove.",
        "network": world.story.network.domain.network,
        "checkpoint": hex::encode(fengni_core::codec::encode(&world.checkpoint)),
        "cases": cases,
    });
    common::assert_vectors("evidence.json", &made);
}
