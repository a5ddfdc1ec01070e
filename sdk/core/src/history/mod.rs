//! History: everything that ever happened to a certificate, or what is missing of it.
//!
//! ```text
//! seal -> act 1 <- act 2 <- act 3 = head      each act names the one before on the same line
//!                              |
//!                              +-> successor  the line that goes on from here, and its history
//! ```
//!
//! The page's list of heads proves which act is the last, and every act proves the one before: an
//! act that was left out leaves a gap that can be named. What came before the first line is told by
//! [`Origin`].

mod origin;
mod told;

use std::collections::BTreeSet;

use crate::book::{Book, Seal, Subject, Suspension};
use crate::proof::{Place, ProofError, Proven};
use crate::record::{CodeSet, Member};
use crate::shelf::Shelf;
use crate::standing::{Act, ActKind, Hold, Standing};
use crate::{ActNumber, Digest, Height, KeyNumber, LinePlace, MemberNumber, Millis, ReasonCode};
use serde::Serialize;

pub use origin::Origin;
pub use told::{Told, act_words, standing_words};

/// The history of a certificate through the lines that stood for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct History {
    /// Height and time of the state that proves it.
    pub as_of: (Height, Millis),
    /// One chapter a line, the oldest first.
    pub chapters: Vec<Chapter>,
    /// What is missing or does not fit; empty where the history is complete.
    pub gaps: Vec<Gap>,
}

/// The history of one line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Chapter {
    /// The line.
    pub place: LinePlace,
    /// What its book is about.
    pub subject: Subject,
    /// Who keeps the book, and so who sealed the line.
    pub keeper: Actor,
    /// When and with which keys; `None` where the seal was not given.
    pub sealed: Option<Sealed>,
    /// Acts, the oldest first.
    pub events: Vec<Event>,
    /// Standing now.
    pub standing: Standing,
    /// Suspensions now.
    pub holds: Vec<Hold>,
    /// Runs of lines that are suspended together now, and this one with them (B-9).
    pub together: Vec<Suspension>,
}

/// A member, with its name where that was proven.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Actor {
    /// The member.
    pub member: MemberNumber,
    /// Its name.
    pub name: Option<String>,
}

/// When a line was added.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sealed {
    /// At which height.
    pub height: Height,
    /// With which keys of the keeper.
    pub keys: Vec<KeyNumber>,
    /// Lines added by the same signature.
    pub count: u32,
}

/// One act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Event {
    /// Its place on the line, counted from 2: the seal is the first event.
    pub seq: u32,
    /// Its number in the book.
    pub number: ActNumber,
    /// What was done.
    pub kind: ActKind,
    /// Standing before.
    pub from: Standing,
    /// Standing after.
    pub to: Standing,
    /// Why.
    pub reason: ReasonCode,
    /// The reason in words, where that was proven.
    pub reason_name: Option<String>,
    /// Salted hash of the decision document.
    pub decision: Digest,
    /// At which height.
    pub height: Height,
    /// Who.
    pub by: Actor,
    /// With which of its keys.
    pub keys: Vec<KeyNumber>,
    /// Whose hold was lifted.
    pub hold: Option<MemberNumber>,
    /// When a suspension ends by itself.
    pub until: Option<Millis>,
    /// Who the line was given up to.
    pub target: Option<MemberNumber>,
    /// The line that goes on from here.
    pub successor: Option<LinePlace>,
}

/// What is missing of a history, or does not fit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "gap", rename_all = "kebab-case")]
pub enum Gap {
    /// The seal that added the line was not given.
    Seal {
        /// The line.
        place: LinePlace,
    },
    /// The list that says which act is the last was not given: acts may be missing at the end.
    Head {
        /// The line.
        place: LinePlace,
    },
    /// An act was not given, and with it those before.
    Act {
        /// The line.
        place: LinePlace,
        /// The missing act's number in the book.
        number: ActNumber,
    },
    /// An act that the chain names is of another line, or younger than the one after.
    Order {
        /// The line.
        place: LinePlace,
        /// The act.
        number: ActNumber,
    },
    /// The standing before an act, or now, is not the one after the act before.
    Standing {
        /// The line.
        place: LinePlace,
        /// The act; `None` for the standing now.
        number: Option<ActNumber>,
    },
    /// The line that goes on from here was not given.
    Successor {
        /// That line.
        place: LinePlace,
    },
    /// The line took over from another, which was not given.
    Predecessor {
        /// The line.
        place: LinePlace,
        /// The one before it.
        before: LinePlace,
    },
    /// Whether the line took over from another was not shown.
    Origin {
        /// The line.
        place: LinePlace,
    },
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seal { place } => write!(f, "{place}: the seal is missing"),
            Self::Head { place } => write!(f, "{place}: the head of its acts is missing"),
            Self::Act { place, number } => write!(f, "{place}: gap at act {number}"),
            Self::Order { place, number } => write!(f, "{place}: act {number} does not belong there"),
            Self::Standing { place, number: Some(number) } => {
                write!(f, "{place}: act {number} does not begin where the one before ended")
            }
            Self::Standing { place, number: None } => {
                write!(f, "{place}: the last act does not lead to the standing now")
            }
            Self::Successor { place } => write!(f, "{place}: takes over and is missing"),
            Self::Predecessor { place, before } => write!(f, "{place}: took over from {before}, which is missing"),
            Self::Origin { place } => write!(f, "{place}: what came before it is not shown"),
        }
    }
}

impl History {
    /// Reads the history of a line, and of the lines that took its place, from proven entries.
    ///
    /// What was left out is a [`Gap`], not an error.
    ///
    /// # Errors
    /// [`ProofError`] where not even the line's book and page were proven.
    pub fn read(proven: &Proven, place: LinePlace) -> Result<Self, ProofError> {
        let header = proven.header();
        let mut history = Self { as_of: (header.height, header.time), chapters: Vec::new(), gaps: Vec::new() };
        let mut gone = BTreeSet::new();
        let mut next = Some((place, None));
        while let Some((place, begins)) = next.filter(|(place, _)| gone.insert(*place)) {
            let chapter = match history.chapter(proven, place, begins) {
                Ok(chapter) => chapter,
                Err(error) if history.chapters.is_empty() => return Err(error),
                Err(_) => {
                    history.gaps.push(Gap::Successor { place });
                    break;
                }
            };
            let last = chapter.events.last();
            next = last.and_then(|event| Some((event.successor?, Some(event.from))));
            history.chapters.push(chapter);
        }
        Ok(history)
    }

    /// Rule S-10: what came before the first line, by entries of their own.
    ///
    /// - `parts`: of any state since; none where nobody gave them.
    ///
    /// Where the line took over from another, or that is not shown, it is a [`Gap`].
    pub fn begins(&mut self, parts: &[Proven]) -> Option<Origin> {
        let first = self.chapters.first()?;
        let (place, seal) = (first.place, first.sealed.as_ref()?);
        let origin = Origin::read(parts, place, seal).ok();
        match origin {
            Some(Origin::Issued) => (),
            Some(Origin::TookOver { place: before, .. }) => self.gaps.push(Gap::Predecessor { place, before }),
            None => self.gaps.push(Gap::Origin { place }),
        }
        origin
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// How many events: seals and acts.
    pub fn events(&self) -> usize {
        self.chapters.iter().map(|chapter| chapter.events.len() + usize::from(chapter.sealed.is_some())).sum()
    }

    /// The chapter of one line. `begins` is the standing of the line it took over from.
    fn chapter(&mut self, proven: &Proven, place: LinePlace, begins: Option<Standing>) -> Result<Chapter, ProofError> {
        let book: Book = proven.record(place.book.0)?;
        let page = proven.page(place.book, place.line.page())?;
        let (standing, holds) = page.standing(place.line.place());
        let sealed = proven.seal_of(place);
        if sealed.is_none() {
            self.gaps.push(Gap::Seal { place });
        }
        let acts = self.acts(proven, place, book.acts.size);
        self.check_standings(place, begins, &acts, standing);
        let chapter = Chapter {
            place,
            subject: book.subject,
            keeper: actor(proven, book.sealer(place.line)),
            sealed: sealed.map(|Seal { height, keys, count, .. }| Sealed { height, keys, count }),
            events: (2..).zip(acts).map(|(seq, (number, act))| event(proven, seq, number, act)).collect(),
            standing,
            holds: holds.to_vec(),
            together: book.suspended.iter().filter(|run| run.covers(place.line)).copied().collect(),
        };
        Ok(chapter)
    }

    /// The acts of a line from its head back to the first, returned oldest first.
    fn acts(&mut self, proven: &Proven, place: LinePlace, in_book: u64) -> Vec<(ActNumber, Act)> {
        // A book without acts has no heads to show.
        let heads = proven.heads(place.book, place.line.page());
        let mut next = match heads {
            Ok(heads) => heads.of(place.line.place()),
            Err(_) if in_book == 0 => None,
            Err(_) => {
                self.gaps.push(Gap::Head { place });
                // Without the head the last act that was given is the best there is.
                last_given(proven, place)
            }
        };
        let mut acts: Vec<(ActNumber, Act)> = Vec::new();
        while let Some(number) = next {
            let Ok(act) = proven.act(place.book, number) else {
                self.gaps.push(Gap::Act { place, number });
                break;
            };
            // Numbers and heights fall on the way back, so that the walk ends.
            let falls = acts.last().is_none_or(|(after, later)| number < *after && act.height <= later.height);
            if act.line != place.line || !falls {
                self.gaps.push(Gap::Order { place, number });
                break;
            }
            next = act.previous;
            acts.push((number, act));
        }
        acts.reverse();
        acts
    }

    fn check_standings(
        &mut self,
        place: LinePlace,
        begins: Option<Standing>,
        acts: &[(ActNumber, Act)],
        now: Standing,
    ) {
        let mut before = None;
        for (number, act) in acts {
            if before.is_some_and(|before: Standing| before != act.from) {
                self.gaps.push(Gap::Standing { place, number: Some(*number) });
            }
            before = Some(act.to);
        }
        // A line that took over begins as its predecessor left off, or in force.
        let begins = begins.is_none().then_some(Standing::ACTIVE);
        if before.or(begins).is_some_and(|before| before != now) {
            self.gaps.push(Gap::Standing { place, number: None });
        }
    }
}

/// The youngest act on a line among those that were given.
fn last_given(proven: &Proven, place: LinePlace) -> Option<ActNumber> {
    let acts = proven.places().filter_map(|found| match found {
        Place::Act(book, number) if *book == place.book => Some(*number),
        _ => None,
    });
    acts.filter(|number| proven.act(place.book, *number).is_ok_and(|act| act.line == place.line)).last()
}

fn actor(proven: &Proven, member: MemberNumber) -> Actor {
    Actor { member, name: proven.record::<Member>(member.0).ok().map(|record| record.name) }
}

/// What a code of an act stands for: of a case, a step.
fn reason_name(proven: &Proven, kind: ActKind, reason: ReasonCode) -> Option<String> {
    let sets = proven.places().filter_map(|place| match place {
        Place::Record(Shelf::Codes, number) => Some(*number),
        _ => None,
    });
    let mut sets = sets.filter_map(|number| proven.record::<CodeSet>(number).ok());
    let reasons = sets.find(|set| set.name == kind.reasons())?;
    reasons.name_of(&reason.to_string()).map(str::to_owned)
}

fn event(proven: &Proven, seq: u32, number: ActNumber, act: Act) -> Event {
    Event {
        seq,
        number,
        kind: act.kind,
        from: act.from,
        to: act.to,
        reason: act.reason,
        reason_name: reason_name(proven, act.kind, act.reason),
        decision: act.decision,
        height: act.height,
        by: actor(proven, act.by),
        keys: act.keys,
        hold: act.hold,
        until: act.until,
        target: act.target,
        successor: act.successor,
    }
}
