//! The language of the stories.
//!
//! ```text
//! block +1d                                              a new block, a day after the last
//!   police        open B licence 31                ok     member, operation, operands, answer
//!   court/enf*2   annul a                          NOT_ENTITLED
//!   see           a active held:court disputed            what stands in the register now
//! ```
//!
//! A member signs with one issuing key unless it says otherwise: `/adm`, `/enf`, `/app` and the
//! like name other keys, `*2` two of them. Lines and books are named by the story; a line's tag
//! comes from its name without the trailing `+` of a new holder key. What stands of a book is its
//! runs of suspended lines: `see B key4:3-9`. An answer is `ok`, the name
//! of a refusal (with `@3` its detail) or `dropped` for a transaction no block takes.

use fengni_core::book::{Line, Subject, SuspensionCause, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::certificate::Grade;
use fengni_core::operation::{Cause, Ground, Operation, StandingChange};
use fengni_core::outcome::{Decision, Effect, Outcome};
use fengni_core::record::{AgreementStatus, AgreementTerms, Term};
use fengni_core::{
    AgreementNumber, AuthorityNumber, BookNumber, Day, Digest, Height, KeyNumber, LineNumber, LinePlace, Millis,
    PurposeCode, ReasonCode, Suite, TypeNumber,
};

use super::{Names, Network, division, kind, member};

/// Tells a story on a new network, in both suites, and checks every answer.
pub fn check(text: &str) {
    for suite in [Suite::Standard, Suite::Trial] {
        let mut story = Story::new(suite);
        story.tell(text);
        story.network.assert_rebuilds();
    }
}

#[derive(Clone)]
pub struct Story {
    pub network: Network,
    pub books: Names<BookNumber>,
    pub lines: Names<LinePlace>,
    pub agreements: Names<AgreementNumber>,
    clock: Millis,
    stamp: u64,
}

/// A transaction of the block being told, with what its story expects.
struct Told {
    text: String,
    expected: String,
    bytes: Bytes,
    id: fengni_core::transaction::TransactionId,
    /// Names given once it is done: a book, lines or an agreement.
    names: Vec<String>,
}

impl Story {
    pub fn new(suite: Suite) -> Self {
        Self::on(Network::new(suite))
    }

    pub fn on(network: Network) -> Self {
        let clock = network.state.time();
        Self { network, books: Names::new(), lines: Names::new(), agreements: Names::new(), clock, stamp: 0 }
    }

    /// Tells a story and checks every answer.
    pub fn tell(&mut self, text: &str) {
        let mut open: Option<Vec<Told>> = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[0] {
                "block" => {
                    self.close(open.take());
                    self.clock = Millis(self.clock.0 + words.get(1).map_or(1000, |step| millis(step)));
                    open = Some(Vec::new());
                }
                "see" => {
                    if open.is_some() {
                        self.close(open.take());
                    }
                    self.see(&words[1..]);
                }
                _ => {
                    let told = self.told(line, &words);
                    open.as_mut().expect("a block is open").push(told);
                }
            }
        }
        self.close(open);
    }

    fn told(&mut self, line: &str, words: &[&str]) -> Told {
        let (expected, words) = words.split_last().expect("an answer ends the line");
        let (who, keys) = actor(words[0]);
        let (operation, names) = self.operation(words[1], &words[2..]);
        let transaction = self.network.transaction(who, &keys, operation);
        let id = transaction.body.id(&self.network.domain);
        Told { text: line.into(), expected: (*expected).into(), bytes: Bytes(transaction.encode()), id, names }
    }

    /// Signs and runs one operation in a block of its own; the answer as a story writes it.
    pub fn answer(&mut self, who: &str, words: &str) -> String {
        self.clock = Millis(self.clock.0 + 1000);
        let line = format!("{who} {words} ?");
        let told = self.told(&line, &line.split_whitespace().collect::<Vec<_>>());
        let outcomes = self.network.next_block(self.clock, vec![told.bytes.clone()]);
        let outcome = outcomes.first();
        if let Some(Decision::Done(effect)) = outcome.map(|outcome| &outcome.decision) {
            self.name(effect, &told.names);
        }
        answer(outcome)
    }

    fn close(&mut self, open: Option<Vec<Told>>) {
        let Some(open) = open else { return };
        let candidates = open.iter().map(|told| told.bytes.clone()).collect();
        let outcomes = self.network.next_block(self.clock, candidates);
        for told in &open {
            let outcome = outcomes.iter().find(|outcome| outcome.transaction == told.id);
            let found = answer(outcome);
            let found = if told.expected.contains('@') { found } else { found.split('@').next().unwrap_or("").into() };
            assert_eq!(found, told.expected, "block {}: {}", self.network.state.height(), told.text);
            if let Some(Decision::Done(effect)) = outcome.map(|outcome| &outcome.decision) {
                self.name(effect, &told.names);
            }
        }
        assert!(outcomes.len() <= open.len());
    }

    fn name(&mut self, effect: &Effect, names: &[String]) {
        match effect {
            Effect::BookOpened { book } => self.books.extend([(names[0].clone(), *book)]),
            Effect::Sealed { book, first, count, .. } | Effect::DatedSealed { book, first, count, .. } => {
                assert_eq!(names.len(), *count as usize);
                for (name, number) in names.iter().zip(first.0..) {
                    self.lines.insert(name.clone(), LinePlace { book: *book, line: LineNumber(number) });
                }
            }
            Effect::Replaced { book, line, .. } => {
                self.lines.insert(names[0].clone(), LinePlace { book: *book, line: *line });
            }
            Effect::Agreement { agreement, .. } => {
                self.agreements.extend(names.iter().map(|name| (name.clone(), *agreement)));
            }
            Effect::Acted { .. }
            | Effect::KeyRevoked { .. }
            | Effect::Authority { .. }
            | Effect::Application { .. }
            | Effect::Proposal { .. }
            | Effect::KeyAdded { .. }
            | Effect::Order { .. }
            | Effect::Confirmed { .. }
            | Effect::Offence { .. }
            | Effect::Recovered { .. }
            | Effect::Resource { .. }
            | Effect::Item { .. }
            | Effect::Request { .. }
            | Effect::Objection { .. } => (),
        }
    }

    fn operation(&mut self, verb: &str, words: &[&str]) -> (Operation, Vec<String>) {
        let ground = self.ground(words);
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with("reason:")).collect();
        let words = words.as_slice();
        let cause = |cause| match cause {
            "renew" => Cause::Renew,
            "change" => Cause::Change,
            _ => Cause::Correct,
        };
        let mut names = Vec::new();
        let operation = match verb {
            "open" => {
                names.push(words[0].into());
                let subject = Subject::Certificates {
                    certificate_type: number(words[1], "type:").map_or_else(|| kind(words[1]), TypeNumber),
                };
                Operation::OpenBook { subject, division: division(words[2]) }
            }
            "seal" => {
                names = words[1..].iter().flat_map(|word| many(word)).collect();
                let lines = names.iter().map(|name| self.line(name)).collect();
                Operation::Seal { book: self.book(words[0]), lines }
            }
            "renew" | "change" | "correct" => {
                names.push(words[2].into());
                let new = self.line(words[2]);
                let (old, into) = (self.place(words[0]), self.book(words[1]));
                Operation::Supersede { old, into, new, cause: cause(verb), ground }
            }
            "rekey" => {
                names.push(words[1].into());
                Operation::Rekey { old: self.place(words[0]), new: self.line(words[1]), ground }
            }
            "transfer-in" => {
                names.push(words[2].into());
                let new = self.line(words[2]);
                Operation::TransferIn { old: self.place(words[0]), into: self.book(words[1]), new, ground }
            }
            "consume" => Operation::Consume { place: self.place(words[0]), ground },
            "propose" => {
                names.push(words[0].into());
                Operation::ProposeAgreement { terms: terms(words) }
            }
            "sign" => {
                let agreement = self.agreement(words[0]);
                let terms = self.network.state.agreements().get(agreement.0).map(|found| &found.terms);
                let right = terms.map(|terms| terms.digest(&self.network.domain)).unwrap_or_default();
                let digest = if words.contains(&"other-digest") { Digest([9; 32]) } else { right };
                Operation::SignAgreement { agreement, digest }
            }
            "suspend-agreement" => Operation::SuspendAgreement { agreement: self.agreement(words[0]), ground },
            "resume-agreement" => Operation::ResumeAgreement { agreement: self.agreement(words[0]), ground },
            "revoke-key" => {
                let from = number(words[2], "from:").expect("a height");
                let key = KeyNumber(words[1].parse().expect("a key's number"));
                let member = number(words[0], "member:").map_or_else(|| member(words[0]), fengni_core::MemberNumber);
                Operation::RevokeKey { member, key, from: Height(from.into()), ground }
            }
            "suspend-authority" => Operation::SuspendAuthority { authority: authority(words[0]), ground },
            "resume-authority" => Operation::ResumeAuthority { authority: authority(words[0]), ground },
            _ => Operation::Change { place: self.place(words[0]), change: self.change(verb, &words[1..]), ground },
        };
        (operation, names)
    }

    fn change(&self, verb: &str, words: &[&str]) -> StandingChange {
        let named = |word: &str| number(word, "member:").map_or_else(|| member(word), fengni_core::MemberNumber);
        match verb {
            "suspend" => {
                let until = words.first().and_then(|word| word.strip_prefix("until:+"));
                StandingChange::Suspend { until: until.map(|step| Millis(self.clock.0 + millis(step))) }
            }
            "return" => StandingChange::Return { hold: named(words[0]) },
            "cancel" => StandingChange::Cancel,
            "annul" => StandingChange::Annul,
            "revoke" => StandingChange::Revoke,
            "transfer-out" => StandingChange::TransferOut { target: named(words[0]) },
            "cancel-transfer" => StandingChange::CancelTransfer,
            "expire" => StandingChange::Expire,
            "dispute" => StandingChange::Dispute,
            "clear-dispute" => StandingChange::ClearDispute,
            "block-key" => StandingChange::BlockKey,
            other => panic!("no operation {other}"),
        }
    }

    fn ground(&mut self, words: &[&str]) -> Ground {
        let reason = words.iter().find_map(|word| number(word, "reason:")).unwrap_or(1);
        Ground { reason: ReasonCode(u16::try_from(reason).expect("a small number")), decision: self.fresh() }
    }

    fn fresh(&mut self) -> Digest {
        self.stamp += 1;
        let mut bytes = [0xd0; 32];
        bytes[..8].copy_from_slice(&self.stamp.to_be_bytes());
        Digest(bytes)
    }

    /// A line whose tag comes from its name.
    fn line(&mut self, name: &str) -> Line {
        let mut tag = Tag::default();
        let text = name.trim_end_matches('+').as_bytes();
        tag.0[..text.len()].copy_from_slice(text);
        Line { tag, commitment: self.fresh() }
    }

    fn book(&self, name: &str) -> BookNumber {
        number(name, "book:").map_or_else(|| self.books[name], BookNumber)
    }

    fn agreement(&self, name: &str) -> AgreementNumber {
        number(name, "agreement:").map_or_else(|| self.agreements[name], AgreementNumber)
    }

    /// A named line, or `B:7` for line 7 of book B.
    pub fn place(&self, name: &str) -> LinePlace {
        match name.rsplit_once(':') {
            Some((book, line)) => {
                LinePlace { book: self.book(book), line: LineNumber(line.parse().expect("a line number")) }
            }
            None => *self.lines.get(name).unwrap_or_else(|| panic!("no line {name}")),
        }
    }

    fn see(&self, words: &[&str]) {
        let found = match (self.agreements.get(words[0]), self.books.get(words[0])) {
            (Some(agreement), _) => self.agreement_words(*agreement),
            (_, Some(book)) => self.suspended_words(*book),
            _ => self.standing_words(words[0]),
        };
        assert_eq!(found, words[1..].join(" "), "{} in block {}", words[0], self.network.state.height());
    }

    /// State, holds that live now, and flags.
    pub fn standing_words(&self, name: &str) -> String {
        let place = self.place(name);
        let book = self.network.state.book(place.book).expect("a book");
        let (standing, holds) = book.standing(place.line).expect("a line");
        let mut words = vec![format!("{:?}", standing.state).to_lowercase()];
        let live = holds.iter().filter(|hold| hold.is_live(self.clock));
        let names: Vec<_> = live.map(|hold| super::MEMBERS[hold.by.0 as usize].0).collect();
        if !names.is_empty() {
            words.push(format!("held:{}", names.join(",")));
        }
        words.extend(standing.disputed.then(|| "disputed".into()));
        words.extend(standing.key_blocked.then(|| "blocked".into()));
        words.join(" ")
    }

    /// Lines of a book that are suspended together: the key, first and last line of each run.
    pub fn suspended_words(&self, book: BookNumber) -> String {
        let runs = &self.network.state.book(book).expect("a book").record().suspended;
        let words = runs.iter().map(|run| match run.cause {
            SuspensionCause::Key { key } => format!("key{key}:{}-{}", run.first, run.last),
            SuspensionCause::Order { order } => format!("order{order}:{}-{}", run.first, run.last),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn agreement_words(&self, number: AgreementNumber) -> String {
        let agreement = self.network.state.agreements().get(number.0).expect("an agreement");
        let signed = agreement.parties.iter().filter(|party| party.signed.is_some()).count();
        match agreement.status {
            AgreementStatus::Proposed => format!("proposed {signed}"),
            AgreementStatus::InForce => "in-force".into(),
            AgreementStatus::Suspended { by, .. } => format!("suspended:{}", super::MEMBERS[by.0 as usize].0),
        }
    }
}

/// The answer as a story writes it.
fn answer(outcome: Option<&Outcome>) -> String {
    match outcome.map(|outcome| &outcome.decision) {
        None => "dropped".into(),
        Some(Decision::Done(_)) => "ok".into(),
        Some(Decision::Refused { refusal, detail: 0 }) => refusal.name(),
        Some(Decision::Refused { refusal, detail }) => format!("{}@{detail}", refusal.name()),
    }
}

/// A member and the keys it signs with.
fn actor(word: &str) -> (fengni_core::MemberNumber, Vec<u16>) {
    let (word, count) = word.split_once('*').unwrap_or((word, "1"));
    let count: usize = count.parse().expect("a small number");
    let (name, purpose) = word.split_once('/').unwrap_or((word, "iss"));
    let keys: &[u16] = match purpose {
        "adm" => &[2, 3],
        "iss" => &[4, 5],
        "enf" => &[6, 7],
        "app" => &[8, 9],
        "con" => &[0],
        "peer" => &[1],
        "mixed" => &[4, 6],
        "old" => &[10],
        "new" => &[11],
        "none" => &[99],
        other => panic!("no keys {other}"),
    };
    (member(name), if purpose == "mixed" { keys.to_vec() } else { keys[..count].to_vec() })
}

/// An authority by its number.
fn authority(word: &str) -> AuthorityNumber {
    AuthorityNumber(word.parse().expect("an authority's number"))
}

/// `3*x` is x0, x1, x2.
fn many(word: &str) -> Vec<String> {
    match word.split_once('*') {
        Some((count, name)) => (0..count.parse().expect("a number")).map(|n: usize| format!("{name}{n}")).collect(),
        None => vec![word.into()],
    }
}

fn number(word: &str, prefix: &str) -> Option<u32> {
    word.strip_prefix(prefix).map(|number| number.parse().expect("a number"))
}

/// `+1d`, `30s` and the like.
fn millis(text: &str) -> u64 {
    let text = text.trim_start_matches('+');
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        other => panic!("no unit {other}"),
    };
    number.parse::<u64>().expect("a number") * unit
}

/// Name, parties, and what differs from good terms.
fn terms(words: &[&str]) -> AgreementTerms {
    let mut parties: Vec<_> = words[1]
        .split(',')
        .map(|name| number(name, "member:").map_or_else(|| member(name), fengni_core::MemberNumber))
        .collect();
    if !words.contains(&"unsorted") {
        parties.sort();
    }
    let with = |prefix: &str| words.iter().find_map(|word| word.strip_prefix(prefix));
    let numbers = |list: &str| -> Vec<u16> {
        list.split(',').filter(|word| !word.is_empty()).map(|word| word.parse().expect("a number")).collect()
    };
    let purposes: Vec<_> = numbers(with("purposes:").unwrap_or("1")).into_iter().map(PurposeCode).collect();
    let types = numbers(with("types:").unwrap_or("0")).into_iter();
    let days = with("days:").unwrap_or("20500..20900").split_once("..").expect("two days");
    AgreementTerms {
        label: with("label:").unwrap_or(words[0]).into(),
        parties,
        terms: types
            .map(|kind| Term { certificate_type: TypeNumber(kind.into()), purposes: purposes.clone() })
            .collect(),
        divisions: with("divisions:").unwrap_or("").split(',').filter(|text| !text.is_empty()).map(division).collect(),
        min_grade: Grade::A,
        from: Day(days.0.parse().expect("a day")),
        until: Day(days.1.parse().expect("a day")),
    }
}
