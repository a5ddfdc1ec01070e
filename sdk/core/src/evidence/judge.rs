//! What a package proves, and what is missing of it. Rules W-2 to W-4.

use std::fmt;

use litemap::LiteMap;

use super::content::{Content, ContentError, ContentShown};
use super::{Evidence, Package};
use crate::block::{BlockId, Header};
use crate::book::Book;
use crate::day::{Day, Millis};
use crate::digest::{Digest, Domain};
use crate::history::{Gap, History};
use crate::keys::PublicKey;
use crate::light::{LightClient, LightError};
use crate::number::{AuthorityNumber, Height, KeyNumber, LinePlace, MemberNumber};
use crate::proof::{Place, ProofError, Proven};
use crate::record::{Authority, CertificateType, KeyPurpose, Member};
use crate::shelf::Shelf;

/// A key that signed a seal or an act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyUsed {
    /// Whose.
    pub member: MemberNumber,
    /// Its number.
    pub number: KeyNumber,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The public half.
    pub key: PublicKey,
    /// Heights at which it signed, rising.
    pub heights: Vec<Height>,
    /// First and last height at which it signs.
    pub valid: (Height, Option<Height>),
    /// Whether it was revoked later, with effect from before what it signed here (O-15).
    pub revoked: bool,
}

/// Everything that a package proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// Digest of the checkpoint that it is judged against: whoever reads compares it.
    pub checkpoint: Digest,
    /// Header of the state that proves the rest.
    pub header: Header,
    /// Its id.
    pub block: BlockId,
    /// Validators that signed it, with the power of each.
    pub signers: Vec<(MemberNumber, u64)>,
    /// Power of all validators of its height, and how much a quorum needs.
    pub power: (u64, u64),
    /// The book of the line that stands for the certificate now.
    pub book: Book,
    /// Its type.
    pub kind: CertificateType,
    /// Events, standing and gaps.
    pub history: History,
    /// When the blocks were made in which something happened.
    pub times: LiteMap<Height, Millis>,
    /// Members that are named, by number.
    pub members: LiteMap<MemberNumber, Member>,
    /// Keys that signed, each once.
    pub keys: Vec<KeyUsed>,
    /// The issuer's authorities that covered the day of the seal.
    pub authorities: Vec<(AuthorityNumber, Authority)>,
    /// What the certificate says, where that is shown and holds.
    pub content: Option<ContentShown>,
    /// What is missing or does not fit; empty where the package proves everything that it is to prove.
    pub defects: Vec<Defect>,
}

/// What is missing of a package, or does not fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Defect {
    /// W-2: of the history.
    History(Gap),
    /// W-2: the header of a height is missing, which says when.
    Time(Height),
    /// W-4: the record of a member that acted is missing.
    Member(MemberNumber),
    /// W-4: an authority of the issuer that its record names is missing.
    Authority(AuthorityNumber),
    /// W-4: a key that signed is not the member's, not for this, or not from then on.
    Key {
        /// Whose.
        member: MemberNumber,
        /// Its number.
        key: KeyNumber,
        /// When it signed.
        height: Height,
    },
    /// W-3: the content is not that of the line.
    Content(ContentError),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::History(gap) => gap.fmt(f),
            Self::Time(height) => write!(f, "the header of height {height} is missing, which says when"),
            Self::Member(member) => write!(f, "the record of member {member} is missing"),
            Self::Authority(number) => write!(f, "authority {number} of the issuer is missing"),
            Self::Key { member, key, height } => {
                write!(f, "key {key} of member {member} is none that signs this at height {height}")
            }
            Self::Content(error) => error.fmt(f),
        }
    }
}

impl Evidence {
    /// Rules W-2 to W-4: what the package proves to somebody who believes its checkpoint.
    ///
    /// Whether to believe it is the reader's to say: [`Findings::checkpoint`] against the digest that
    /// the network published.
    ///
    /// # Errors
    /// [`LightError`] where it proves nothing at all.
    pub fn judge(&self) -> Result<Findings, LightError> {
        let Package { checkpoint, handovers, place, proof, origin, headers, content, .. } = &self.package;
        let domain = checkpoint.domain();
        let mut light = LightClient::of_the_past(checkpoint.clone());
        // A statement about the past: no clock is asked.
        let now = proof.header.time;
        handovers.iter().try_for_each(|handover| light.follow(handover, now))?;
        headers.iter().try_for_each(|found| light.accept(&found.header, &found.certificate, now))?;
        let proven = light.prove(proof, now)?;
        // A header that was accepted above is not asked for its signatures again, and these are shown.
        let validators = light.validators_at(proof.header.height)?.clone();
        proof.certificate.verify(&domain, &validators, proof.header.height, proof.header.id(&domain))?;
        let mut history = History::read(&proven, *place).map_err(LightError::Proof)?;
        let origin: Vec<Proven> = origin.iter().map(|proof| light.prove(proof, now)).collect::<Result<_, _>>()?;
        history.begins(&origin);
        // What stands now is the last line's; what was issued is the first one's.
        let last = history.chapters.last().map_or(*place, |chapter| chapter.place);
        let (book, kind) = subject(&proven, last).map_err(LightError::Proof)?;
        let begun: Book = proven.record(place.book.0).map_err(LightError::Proof)?;

        let mut defects: Vec<Defect> = history.gaps.iter().cloned().map(Defect::History).collect();
        let times = headers.iter().map(|found| (found.header.height, found.header.time)).collect::<LiteMap<_, _>>();
        let uses = uses(&history);
        let mut heights: Vec<Height> = uses.iter().map(|(_, _, height, _)| *height).collect();
        heights.sort_unstable();
        heights.dedup();
        defects.extend(heights.iter().filter(|height| times.get(height).is_none()).copied().map(Defect::Time));
        let members = members(&proven);
        let keys = keys(&members, &uses, &mut defects);
        let authorities = authorities(&proven, &begun, *place, &times, &mut defects);
        let content = content.as_ref().and_then(|content| {
            let shown = shown(content, &proven, &history, &domain, &kind);
            shown.map_err(|error| defects.push(Defect::Content(error))).ok()
        });

        let signers = proof.certificate.signatures.iter();
        let power = |member| validators.get(member).map_or(0, |validator| validator.power);
        Ok(Findings {
            checkpoint: checkpoint.digest(),
            block: proof.header.id(&domain),
            signers: signers.map(|signed| (signed.member, power(signed.member))).collect(),
            power: (validators.power(), validators.quorum()),
            header: proof.header.clone(),
            book,
            kind,
            history,
            times,
            members,
            keys,
            authorities,
            content,
            defects,
        })
    }
}

/// The line's book and its type.
fn subject(proven: &Proven, place: LinePlace) -> Result<(Book, CertificateType), ProofError> {
    let book: Book = proven.record(place.book.0)?;
    let kind = proven.type_of(&book)?;
    Ok((book, kind))
}

/// What the certificate says, as one of its lines commits to it: which one, its version tells.
fn shown(
    content: &Content,
    proven: &Proven,
    history: &History,
    domain: &Domain,
    kind: &CertificateType,
) -> Result<ContentShown, ContentError> {
    let mut wrong = ContentError::Header;
    for chapter in &history.chapters {
        let (Ok(line), Ok(book)) = (proven.line(chapter.place), proven.record(chapter.place.book.0)) else { continue };
        match content.check(domain, (chapter.place, &line), &book, kind) {
            Ok(shown) => return Ok(shown),
            Err(ContentError::Header) => (),
            Err(error) => wrong = error,
        }
    }
    Err(wrong)
}

/// Who signed what when, and whether only a key for issuing does.
type Use = (MemberNumber, KeyNumber, Height, bool);

fn uses(history: &History) -> Vec<Use> {
    let mut uses = Vec::new();
    for chapter in &history.chapters {
        if let Some(sealed) = &chapter.sealed {
            uses.extend(sealed.keys.iter().map(|key| (chapter.keeper.member, *key, sealed.height, true)));
        }
        for event in &chapter.events {
            uses.extend(event.keys.iter().map(|key| (event.by.member, *key, event.height, false)));
        }
    }
    uses
}

/// The members whose records are in the package.
fn members(proven: &Proven) -> LiteMap<MemberNumber, Member> {
    let numbers = proven.places().filter_map(|place| match place {
        Place::Record(Shelf::Members, number) => Some(*number),
        _ => None,
    });
    numbers.filter_map(|number| Some((MemberNumber(number), proven.record(number).ok()?))).collect()
}

/// The keys that signed, each once, with what does not fit.
fn keys(members: &LiteMap<MemberNumber, Member>, uses: &[Use], defects: &mut Vec<Defect>) -> Vec<KeyUsed> {
    let mut keys: Vec<KeyUsed> = Vec::new();
    for (member, number, height, sealed) in uses {
        let Some(record) = members.get(member) else {
            if !defects.contains(&Defect::Member(*member)) {
                defects.push(Defect::Member(*member));
            }
            continue;
        };
        // What stands on the ledger was signed with a key in force: an end from before it came later.
        let found = record.key(*number).filter(|key| key.from <= *height && suits(key.purpose, *sealed));
        let Some(key) = found else {
            defects.push(Defect::Key { member: *member, key: *number, height: *height });
            continue;
        };
        let revoked = key.until.is_some_and(|until| until < *height);
        match keys.iter_mut().find(|used| (used.member, used.number) == (*member, *number)) {
            Some(used) => {
                used.heights.push(*height);
                used.revoked |= revoked;
            }
            None => keys.push(KeyUsed {
                member: *member,
                number: *number,
                purpose: key.purpose,
                key: key.key,
                heights: vec![*height],
                valid: (key.from, key.until),
                revoked,
            }),
        }
    }
    keys.iter_mut().for_each(|used| {
        used.heights.sort_unstable();
        used.heights.dedup();
    });
    keys
}

/// Lines are sealed with issuing keys; acts are also signed by enforcement and, where a document is
/// used up, by applications.
fn suits(purpose: KeyPurpose, sealed: bool) -> bool {
    match purpose {
        KeyPurpose::Issuing => true,
        KeyPurpose::Enforcement | KeyPurpose::Application => !sealed,
        KeyPurpose::Consensus | KeyPurpose::Peer | KeyPurpose::Admin => false,
    }
}

/// The issuer's authorities that covered the day of the first seal: that of a line with a new holder
/// key may be later than any. One that is withheld today may have held then.
fn authorities(
    proven: &Proven,
    book: &Book,
    place: LinePlace,
    times: &LiteMap<Height, Millis>,
    defects: &mut Vec<Defect>,
) -> Vec<(AuthorityNumber, Authority)> {
    let issuer = book.opener();
    let Ok(record) = proven.record::<Member>(issuer.0) else {
        defects.push(Defect::Member(issuer));
        return Vec::new();
    };
    let seal = proven.seal_of(place);
    let day = seal.and_then(|seal| times.get(&seal.height)).map(|time| Day::of(*time));
    let mut found = Vec::new();
    for number in record.authorities {
        // Its record names all of them: that none covers the day is only said where all are there.
        let Ok(authority) = proven.record::<Authority>(number.0) else {
            defects.push(Defect::Authority(number));
            continue;
        };
        let held = Authority { suspended: None, ..authority.clone() };
        let covers = |day| book.certificate_type().is_some_and(|kind| held.covers(issuer, kind, &book.division, day));
        if day.is_some_and(covers) {
            found.push((number, authority));
        }
    }
    found
}

impl Findings {
    /// Whether nothing is missing.
    pub fn holds(&self) -> bool {
        self.defects.is_empty()
    }

    /// In one line: how many events of what, and how it stands as of which block.
    pub fn summary(&self) -> String {
        let chapters = &self.history.chapters;
        let place = chapters.first().map_or_else(String::new, |chapter| chapter.place.to_string());
        let standing = chapters.last().map_or_else(String::new, |chapter| chapter.standing_words(self.header.time));
        format!(
            "{} events of {place}, standing {standing} as of block {}, {} +08:00",
            self.history.events(),
            self.header.height,
            self.header.time.show()
        )
    }

    /// A member's name, or its number where its record is not in the package.
    pub fn name(&self, member: MemberNumber) -> String {
        self.members.get(&member).map_or_else(|| format!("member {member}"), |record| record.name.clone())
    }
}
