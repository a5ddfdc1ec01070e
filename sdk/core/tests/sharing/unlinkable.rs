//! Whether anybody tells from the ledger that lines are of one person: the experiment of rule I-18, and the
//! search of HLD-03 for a number behind a line.

use fengni_core::certificate::{Certificate, CertificateHeader, Claim, Facts, Salt, claims_digest};
use fengni_core::id::{CertificateId, CreditCode, Serial, TypeCode};
use fengni_core::sharing::*;
use fengni_core::*;

use crate::common::domain;
use crate::common::random::Random;
use crate::receipts::receipt;
use crate::sample::{LICENCE, facts, key, schema};
use crate::scene::{NUMBER, Scene, grant_terms, value};

/// Prime, so that every stride through the people meets each of them once.
const PEOPLE: usize = 17;
/// Worlds that a distinguisher learns from, and as many that it is then judged by.
const TRIALS: usize = 5_000;
const TRIALS_OF_CONTROLS: usize = 300;
/// That chance alone lets any of the battery's judgements pass the limit.
const DOUBT: f64 = 1e-6;
const CANDIDATES: u64 = 1_000_000;

/// How what should be drawn anew is drawn: as the rules say, or wrongly, to see that it would be noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scheme {
    Ours,
    /// The tag of a grant is a pseudonym of its holder.
    TagOfPerson,
    /// A wallet has one secret for all its grants.
    SecretOfPerson,
    /// No salt anywhere.
    Unsalted,
}

/// A person: a number that somebody may guess, and the key on the phone.
struct Person {
    number: String,
    key: PublicKey,
}

fn people() -> Vec<Person> {
    let person = |at: usize| Person {
        number: format!("3199011990{:02}{:02}0029", at % 12 + 1, at + 1),
        key: key(KeyAlgorithm::Ed25519, at as u8 + 1).public(),
    };
    (0..PEOPLE).map(person).collect()
}

/// What is public of an entry, or known to whoever looks: everything but whose it is, and what was drawn.
#[derive(Clone, Copy)]
enum Shape {
    Certificate { serial: u64 },
    Grant { from: u64, days: u64, uses: u32 },
    Receipt { number: u64, time: u64 },
}

/// What was drawn for an entry.
struct Drawn {
    salt: [u8; 32],
    secret: [u8; 32],
    /// What a grant's tag is, where it does not follow from the commitment.
    tag: Option<[u8; 16]>,
}

impl Drawn {
    const NOTHING: Self = Self { salt: [0; 32], secret: [0; 32], tag: None };
}

/// What the ledger and the published leaves hold of an entry.
#[derive(Default)]
struct Entry {
    /// Tags, commitments, and what withdrawals show, each 16 or 32 bytes.
    values: Vec<Vec<u8>>,
    /// Where it is a withdrawn grant: content and secret, and what its line commits to.
    withdrawn: Option<(Digest, [u8; 32], Digest)>,
    /// Where it is a batch: its leaf.
    leaf: Option<Digest>,
}

/// A world as a reader of the whole ledger sees it.
struct View {
    shapes: Vec<Shape>,
    entries: Vec<Entry>,
}

fn bytes<const N: usize>(random: &mut Random) -> [u8; N] {
    let mut bytes = [0; N];
    for piece in bytes.chunks_mut(8) {
        piece.copy_from_slice(&random.next().to_be_bytes()[..piece.len()]);
    }
    bytes
}

/// Two certificates, two grants that were withdrawn, two receipts.
fn shapes(random: &mut Random) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for _ in 0..2 {
        shapes.push(Shape::Certificate { serial: random.next() % 1_000_000 });
        let (from, days) = (random.next() % 86_400_000, 1 + random.next() % 30);
        shapes.push(Shape::Grant { from, days, uses: 1 + random.below(5) as u32 });
        shapes.push(Shape::Receipt { number: random.next() % 1_000_000, time: random.next() % 86_400_000 });
    }
    shapes
}

fn drawn(random: &mut Random, scheme: Scheme, person: &Person) -> Drawn {
    let mut drawn = Drawn { salt: bytes(random), secret: bytes(random), tag: None };
    let of_person = domain().digest("pseudonym", &[person.number.as_bytes()]);
    match scheme {
        Scheme::Ours => {}
        Scheme::TagOfPerson => drawn.tag = of_person.0.first_chunk().copied(),
        Scheme::SecretOfPerson => drawn.secret = of_person.0,
        Scheme::Unsalted => drawn = Drawn::NOTHING,
    }
    drawn
}

/// The entry as the code of the ledger makes it.
fn entry(shape: Shape, person: &Person, drawn: &Drawn, scenery: &Scenery) -> Entry {
    let domain = domain();
    match shape {
        Shape::Certificate { serial } => {
            let certificate = scenery.certificate(serial, person, &drawn.salt);
            let id = certificate.header().facts.serial;
            let identifier = CertificateId::new(scenery.kind, scenery.issuer, id, certificate.header().facts.version);
            let line = certificate.header().line(&domain, &identifier);
            Entry { values: vec![line.tag.0.to_vec(), line.commitment.0.to_vec()], ..Entry::default() }
        }
        Shape::Grant { from, days, uses } => {
            let mut terms = scenery.terms.clone();
            terms.from = Millis(terms.from.0 + from);
            terms.until = Millis(terms.from.0 + days * 86_400_000);
            terms.kinds[1].uses = uses;
            (terms.holder, terms.salt) = (person.key, drawn.salt);
            let content = GrantContent::new(terms).expect("a whole notice");
            let line = content.line(&domain, &secret_digest(&domain, &drawn.secret));
            let (shown, tag) = (content.digest(&domain), drawn.tag.unwrap_or(line.tag.0));
            let values = vec![tag.to_vec(), line.commitment.0.to_vec(), shown.0.to_vec(), drawn.secret.to_vec()];
            Entry { values, withdrawn: Some((shown, drawn.secret, line.commitment)), leaf: None }
        }
        Shape::Receipt { number, time } => {
            let mut receipt = Receipt { number, salt: drawn.salt, ..scenery.receipt.clone() };
            receipt.time = Millis(receipt.time.0 + time);
            let content = domain.digest("grant-content", &[&person.key.wire()]);
            receipt.warrant = warrant_digest(&domain, &receipt.salt, Some(&content));
            receipt.record = record_digest(&domain, &receipt.salt, &value(&person.number), None);
            let leaf = receipt.leaf(&domain);
            // Its tag counts receipts, and is the same whoever they are about.
            let line = Batch::of(&domain, number, &[leaf]).line();
            Entry { values: vec![line.commitment.0.to_vec(), leaf.0.to_vec()], leaf: Some(leaf), withdrawn: None }
        }
    }
}

/// What every world has in common.
struct Scenery {
    kind: TypeCode,
    issuer: CreditCode,
    schema: record::Schema,
    facts: Facts,
    terms: GrantTerms,
    receipt: Receipt,
}

impl Scenery {
    fn new() -> Self {
        let id = CertificateId::parse(crate::sample::C1).expect("a sample identifier");
        Self {
            kind: id.type_code(),
            issuer: id.issuer(),
            schema: schema(&LICENCE),
            facts: facts("20260302000000000001", &key(KeyAlgorithm::Ed25519, 31)),
            terms: grant_terms(),
            receipt: receipt(&Scene::new(), 0, ResultCode::Yes),
        }
    }

    fn certificate(&self, serial: u64, person: &Person, salt: &[u8; 32]) -> Certificate {
        let mut values: Vec<_> = LICENCE.iter().map(|(_, text)| Some(value(text))).collect();
        values[usize::from(NUMBER)] = Some(value(&person.number));
        // A wallet draws one for each claim; one draw gives them all here.
        let salts: Vec<Salt> = (0..LICENCE.len())
            .map(|place| {
                let mut piece = [place as u8; 16];
                if *salt != [0; 32] {
                    let drawn = domain().digest("salt", &[salt, &piece]);
                    piece.copy_from_slice(&drawn.0[..16]);
                }
                Salt(piece)
            })
            .collect();
        let serial = Serial::parse(&format!("20260302{serial:012}")).expect("a serial");
        let facts = Facts { serial, holder: person.key, ..self.facts.clone() };
        Certificate::new(&domain(), &self.schema, facts, values, &salts).expect("a certificate")
    }
}

/// One world: all entries of one person, or each of another one. What is drawn is drawn alike in both.
fn world(random: &mut Random, scheme: Scheme, people: &[Person], scenery: &Scenery, of_one: bool) -> View {
    let shapes = shapes(random);
    let (first, stride) = (random.below(PEOPLE), 1 + random.below(PEOPLE - 1));
    let whose = |at: usize| &people[if of_one { first } else { (first + at * stride) % PEOPLE }];
    let entries = (0..).zip(&shapes).map(|(at, shape)| {
        let drawn = drawn(random, scheme, whose(at));
        entry(*shape, whose(at), &drawn, scenery)
    });
    View { entries: entries.collect(), shapes: shapes.clone() }
}

/// A number that a distinguisher computes from a world; it guesses by whether it is above or below a limit.
type Statistic = fn(&View, &[Person], &Scenery) -> i64;

const BATTERY: [(&str, Statistic); 9] = [
    ("windows of 4 bytes that two entries share", |view, _, _| shared_windows::<4>(view)),
    ("windows of 2 bytes that two entries share", |view, _, _| shared_windows::<2>(view)),
    ("the fewest bits that differ between values of two entries", |view, _, _| {
        pairs(view, |a, b| -i64::from(differing(a, b))).max().unwrap_or(-256)
    }),
    ("the most leading bits that values of two entries share", |view, _, _| {
        pairs(view, leading).max().unwrap_or_default()
    }),
    ("equal bytes at equal places", |view, _, _| {
        pairs(view, |a, b| a.iter().zip(b).filter(|(a, b)| a == b).count() as i64).sum()
    }),
    ("the weight of all values' exclusive or", |view, _, _| weight_of_all(view)),
    ("secrets and digests of one withdrawal that open another's line", |view, _, _| crossed(view)),
    ("the fewest bits that differ between leaves", |view, _, _| {
        let leaves: Vec<&Digest> = view.entries.iter().filter_map(|entry| entry.leaf.as_ref()).collect();
        -i64::from(differing(&leaves[0].0, &leaves[1].0))
    }),
    ("entries in which one candidate is guessed", agreeing_guesses),
];

/// Something of every two values of equal width in different entries.
fn pairs<T>(view: &View, of: impl Fn(&[u8], &[u8]) -> T) -> impl Iterator<Item = T> {
    let mut found = Vec::new();
    for (at, a) in view.entries.iter().enumerate() {
        for b in &view.entries[at + 1..] {
            let both = a.values.iter().flat_map(|a| b.values.iter().map(move |b| (a, b)));
            found.extend(both.filter(|(a, b)| a.len() == b.len()).map(|(a, b)| of(a, b)));
        }
    }
    found.into_iter()
}

fn differing(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

fn leading(a: &[u8], b: &[u8]) -> i64 {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let next = a.get(same).zip(b.get(same)).map_or(0, |(a, b)| (a ^ b).leading_zeros());
    same as i64 * 8 + i64::from(next)
}

fn weight_of_all(view: &View) -> i64 {
    let mut all = [0u8; 32];
    for value in view.entries.iter().flat_map(|entry| &entry.values) {
        all.iter_mut().zip(value).for_each(|(all, byte)| *all ^= byte);
    }
    i64::from(differing(&all, &[0; 32]))
}

/// Windows of `N` bytes, at any offset, that stand in two entries.
fn shared_windows<const N: usize>(view: &View) -> i64 {
    let mut windows: Vec<(&[u8], usize)> = Vec::new();
    for (at, entry) in view.entries.iter().enumerate() {
        windows.extend(entry.values.iter().flat_map(|value| value.windows(N)).map(|window| (window, at)));
    }
    windows.sort_unstable();
    windows.windows(2).filter(|two| two[0].0 == two[1].0 && two[0].1 != two[1].1).count() as i64
}

fn crossed(view: &View) -> i64 {
    let shown: Vec<_> = view.entries.iter().filter_map(|entry| entry.withdrawn.as_ref()).collect();
    let mut found = 0;
    for (content, ..) in &shown {
        for (other, secret, commitment) in &shown {
            let opens = content != other && grant_commitment(&domain(), content, secret) == *commitment;
            let is_shared = content != other && shown.iter().filter(|(_, again, _)| again == secret).count() > 1;
            found += i64::from(opens) + i64::from(is_shared);
        }
    }
    found
}

/// Which candidates a reader of the ledger guesses for an entry: whatever of it follows from a candidate's
/// number or key by any digest of the protocol, without anything that was drawn.
fn guesses(shape: Shape, entry: &Entry, people: &[Person], scenery: &Scenery) -> Vec<usize> {
    const KINDS: [&str; 12] = [
        "tag",
        "commitment",
        "case",
        "grant",
        "grant-content",
        "grant-secret",
        "grant-tag",
        "use-code",
        "receipt",
        "receipt-leaf",
        "receipt-record",
        "receipt-warrant",
    ];
    let domain = domain();
    let is_of = |person: &Person| {
        let mut guessed = self::entry(shape, person, &Drawn::NOTHING, scenery).values;
        // A certificate's tag says its number alone, and a secret that was never drawn is nobody's.
        let is_plain = |value: &Vec<u8>| value.iter().all(|byte| *byte == 0);
        guessed.retain(|value| value.len() == 32 && !is_plain(value));
        for part in [person.number.as_bytes(), &person.key.wire()] {
            for kind in KINDS {
                let digest = domain.digest(kind, &[part]);
                guessed.extend([digest.0.to_vec(), digest.0[..16].to_vec(), domain.suite.leaf(&digest.0).0.to_vec()]);
            }
            guessed.extend([domain.suite.hash(&[part]).0.to_vec(), domain.suite.leaf(part).0.to_vec()]);
        }
        entry.values.iter().any(|value| guessed.contains(value))
    };
    (0..people.len()).filter(|at| is_of(&people[*at])).collect()
}

fn agreeing_guesses(view: &View, people: &[Person], scenery: &Scenery) -> i64 {
    let mut of_person = vec![0; people.len()];
    for (shape, entry) in view.shapes.iter().zip(&view.entries) {
        guesses(*shape, entry, people, scenery).into_iter().for_each(|at| of_person[at] += 1);
    }
    of_person.into_iter().max().unwrap_or_default()
}

/// By which limit, and from which side of it, a statistic is right most often.
fn learn(seen: &mut [(i64, bool)]) -> (i64, bool) {
    seen.sort_unstable();
    let (ones, all) = (seen.iter().filter(|(_, of_one)| *of_one).count() as i64, seen.len() as i64);
    let mut best = (0, i64::MIN, true);
    let mut right = ones;
    for (at, (number, of_one)) in seen.iter().enumerate() {
        if at == 0 || seen[at - 1].0 != *number {
            // "One person where it is at least this", and the opposite.
            for (right, above) in [(right, true), (all - right, false)] {
                if right > best.0 {
                    best = (right, *number, above);
                }
            }
        }
        right += if *of_one { -1 } else { 1 };
    }
    (best.1, best.2)
}

/// How often each of the battery is right on worlds that it has not seen.
fn success(scheme: Scheme, trials: usize) -> Vec<(&'static str, f64)> {
    let (people, scenery) = (people(), Scenery::new());
    let mut random = Random::new(0x5eed);
    let mut seen: Vec<Vec<(i64, bool)>> = vec![Vec::new(); BATTERY.len()];
    for _ in 0..2 * trials {
        let of_one = random.next() & 1 == 1;
        let view = world(&mut random, scheme, &people, &scenery, of_one);
        for (seen, (_, statistic)) in seen.iter_mut().zip(BATTERY) {
            seen.push((statistic(&view, &people, &scenery), of_one));
        }
    }
    let judged = seen.iter_mut().zip(BATTERY).map(|(seen, (name, _))| {
        let (known, unknown) = seen.split_at_mut(trials);
        let (limit, above) = learn(known);
        let right = unknown.iter().filter(|(number, of_one)| ((*number >= limit) == above) == *of_one).count();
        (name, right as f64 / trials as f64)
    });
    judged.collect()
}

/// Hoeffding: guessing blindly, each of the battery is right more often than this once in `1 / DOUBT` times,
/// all of them together.
fn limit(trials: usize) -> f64 {
    0.5 + ((BATTERY.len() as f64 / DOUBT).ln() / (2.0 * trials as f64)).sqrt()
}

#[test]
fn i18_nobody_tells_from_the_ledger_whether_lines_are_of_one_person() {
    for (name, success) in success(Scheme::Ours, TRIALS) {
        assert!(success <= limit(TRIALS), "{name}: right {success:.4} of the time");
    }
}

#[test]
fn i18_the_same_battery_tells_apart_what_is_drawn_wrongly() {
    let wrong = [
        (Scheme::TagOfPerson, "windows of 4 bytes that two entries share"),
        (Scheme::TagOfPerson, "the fewest bits that differ between values of two entries"),
        (Scheme::SecretOfPerson, "secrets and digests of one withdrawal that open another's line"),
        (Scheme::Unsalted, "entries in which one candidate is guessed"),
    ];
    for (scheme, by) in wrong {
        let found = success(scheme, TRIALS_OF_CONTROLS).into_iter().find(|(name, _)| *name == by);
        let (_, success) = found.expect("it is in the battery");
        assert!(success > 0.95, "{scheme:?} by {by}: right {success:.4} of the time");
    }
}

#[test]
fn i18_no_candidate_is_ever_guessed() {
    let (people, scenery) = (people(), Scenery::new());
    let mut random = Random::new(0x9e55);
    let mut hits = |scheme| {
        let mut hits = 0;
        for _ in 0..200 {
            let view = world(&mut random, scheme, &people, &scenery, true);
            let found = view.shapes.iter().zip(&view.entries);
            hits += found.map(|(shape, entry)| guesses(*shape, entry, &people, &scenery).len()).sum::<usize>();
        }
        hits
    };
    assert_eq!(hits(Scheme::Ours), 0);
    assert_eq!(hits(Scheme::Unsalted), 200 * 6, "each entry has its person, and nobody else");
}

/// The first candidate that gives a digest.
fn search(target: &Digest, of: impl Fn(u64) -> Digest) -> Option<u64> {
    (0..CANDIDATES).find(|candidate| of(*candidate) == *target)
}

/// One of a million resident numbers.
fn candidate(at: u64) -> String {
    format!("3199011990{at:06}29")
}

#[test]
fn hld03_a_number_is_not_found_behind_a_certificate_without_its_salt() {
    let (domain, salt, number) = (domain(), Salt([0x5a; 16]), 700_329);
    let facts = Scenery::new().facts;
    let commitment = |salt, number| {
        let leaf = Claim { index: 0, salt, value: Some(value(&candidate(number))) }.leaf(&domain);
        let header = CertificateHeader { facts: facts.clone(), claims_digest: claims_digest(&domain, 1, &leaf) };
        header.commitment(&domain)
    };
    let line = commitment(salt, number);
    assert_eq!(search(&line, |candidate| commitment(Salt([0; 16]), candidate)), None);
    assert_eq!(search(&line, |candidate| commitment(salt, candidate)), Some(number));
}

#[test]
fn hld03_a_case_is_not_found_behind_a_grant_without_its_salt_even_when_it_is_withdrawn() {
    let (domain, salt, number) = (domain(), [0x5a; 32], 700_329);
    let terms = grant_terms();
    let content = |salt, number: u64| {
        let case = Some(format!("YS20260309{number:06}"));
        GrantContent::new(GrantTerms { case, salt, ..terms.clone() }).expect("a whole notice").digest(&domain)
    };
    // A withdrawal shows the content's digest and the secret; the salt stays in the wallet.
    let shown = content(salt, number);
    assert_eq!(search(&shown, |candidate| content([0; 32], candidate)), None);
    assert_eq!(search(&shown, |candidate| content(salt, candidate)), Some(number));
}

#[test]
fn hld03_a_number_is_not_found_behind_a_receipt_without_its_salt() {
    let (domain, salt, number) = (domain(), [0x5a; 32], 700_329);
    let known = receipt(&Scene::new(), 17, ResultCode::Yes);
    let leaf = |salt, number: u64| {
        let record = record_digest(&domain, &salt, &value(&candidate(number)), None);
        Receipt { record, salt, ..known.clone() }.leaf(&domain)
    };
    let published = leaf(salt, number);
    assert_eq!(search(&published, |candidate| leaf([0; 32], candidate)), None);
    assert_eq!(search(&published, |candidate| leaf(salt, candidate)), Some(number));
}
