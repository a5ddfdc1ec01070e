//! Proposals: put to the vote, voted on, and enacted at their height. Rules O-19 to O-21.

use fengni_core::book::Book;
use fengni_core::limits::{LIVE_PROPOSALS, LIVE_PROPOSALS_EACH};
use fengni_core::operation::Ground;
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::record::{Ballot, KeyPurpose, Measure, Proposal, ProposalStatus};
use fengni_core::{Digest, Height, ProposalNumber};

use super::{Actor, known_reason};
use crate::draft::Draft;
use crate::measure::{Moment, Touched, enact};
use crate::records::Records;
use crate::registries::Registries;

/// Rule O-19: a member puts a measure to the vote.
pub(super) fn propose<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    measure: &Measure,
    effective: Height,
    ground: Ground,
) -> Result<Effect, Refusal> {
    actor.decides()?;
    // What would be refused at once need not be voted on.
    let trial = enacted(draft, effective, measure);
    let voting = draft.state.parameters().voting;
    let closes = Height(effective.0.saturating_sub(voting.notice.saturating_add(1)));
    let fits = closes > draft.height && effective.0 - draft.height.0 <= voting.horizon;
    let live: Vec<_> =
        draft.state.live.iter().filter_map(|number| draft.state.registries.proposals.get(number.0)).collect();
    let own = live.iter().filter(|proposal| proposal.proposer == actor.number).count();
    let broken = [
        known_reason(draft, &ground).err(),
        trial.err(),
        (!fits).then_some(Refusal::BadEffect),
        (live.len() >= LIVE_PROPOSALS || own >= LIVE_PROPOSALS_EACH).then_some(Refusal::TooManyProposals),
    ];
    if let Some(refusal) = broken.into_iter().flatten().min() {
        return Err(refusal);
    }
    let status = ProposalStatus::Open;
    let number = ProposalNumber(draft.append(Proposal {
        version: 1,
        proposer: actor.number,
        measure: measure.clone(),
        ground,
        effective,
        opened: draft.height,
        closes,
        ballots: Vec::new(),
        status,
    }));
    draft.state.live.push(number);
    Ok(Effect::Proposal { proposal: number, status })
}

/// Rule O-20: a voter votes, once, on exactly what is proposed.
pub(super) fn vote<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: ProposalNumber,
    digest: &Digest,
    approve: bool,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let mut proposal = found(draft, number)?;
    if !actor.member.is_voter() || proposal.measure.subject() == Some(actor.number) {
        return Err(Refusal::NotEntitled);
    }
    if proposal.ballots.iter().any(|ballot| ballot.member == actor.number) {
        return Err(Refusal::AlreadySigned);
    }
    if proposal.measure.digest(&draft.state.domain, proposal.effective, &proposal.ground) != *digest {
        return Err(Refusal::OtherMeasure);
    }
    if proposal.status != ProposalStatus::Open {
        return Err(Refusal::ProposalState);
    }
    proposal.ballots.push(Ballot { member: actor.number, approve, height: draft.height });
    count(draft, &mut proposal);
    Ok(put(draft, number, proposal))
}

/// Rule O-19: the proposer takes an open proposal back.
pub(super) fn withdraw<R: Records>(
    draft: &mut Draft<'_, R>,
    actor: &Actor,
    number: ProposalNumber,
) -> Result<Effect, Refusal> {
    actor.with_keys_for(&[KeyPurpose::Admin])?;
    let proposal = found(draft, number)?;
    if proposal.proposer != actor.number {
        return Err(Refusal::NotEntitled);
    }
    if proposal.status != ProposalStatus::Open {
        return Err(Refusal::ProposalState);
    }
    let status = ProposalStatus::Withdrawn { height: draft.height };
    Ok(put(draft, number, Proposal { status, ..proposal }))
}

/// Rule O-21: what the end of a block does: votes close, and measures of the next height are enacted.
pub(super) fn close_block<R: Records>(draft: &mut Draft<'_, R>) {
    for number in draft.state.live.clone() {
        let Ok(proposal) = found(draft, number) else { continue };
        match proposal.status {
            ProposalStatus::Open if proposal.closes <= draft.height => {
                let status = ProposalStatus::Lapsed { height: draft.height };
                put(draft, number, Proposal { status, ..proposal });
            }
            ProposalStatus::Passed { .. } if proposal.effective <= draft.height.next() => {
                let height = proposal.effective;
                // A new member's record is there since the vote, and its keys begin by themselves.
                let enacted = if is_admission(&proposal) { Ok(()) } else { enact_now(draft, &proposal) };
                let status = match enacted {
                    Ok(()) => ProposalStatus::Enacted { height },
                    Err(refusal) => ProposalStatus::Failed { height, refusal },
                };
                put(draft, number, Proposal { status, ..proposal });
            }
            _ => (),
        }
    }
}

fn found<R: Records>(draft: &Draft<'_, R>, number: ProposalNumber) -> Result<Proposal, Refusal> {
    let proposal = draft.state.registries.proposals.get(number.0).ok_or(Refusal::UnknownProposal)?;
    Ok(proposal.as_ref().clone())
}

/// Counts the ballots of those who are voters now.
fn count<R: Records>(draft: &mut Draft<'_, R>, proposal: &mut Proposal) {
    let voters = draft.state.registries.voters(&proposal.measure);
    let needed = draft.state.parameters().voting.needed(voters.len());
    let of = |approve: bool| {
        let counted = proposal.ballots.iter().filter(|ballot| ballot.approve == approve);
        counted.filter(|ballot| voters.binary_search(&ballot.member).is_ok()).count()
    };
    let (approved, opposed) = (of(true), of(false));
    let height = draft.height;
    if approved >= needed {
        // A new member's node connects and catches up before its keys count.
        let enacted = if is_admission(proposal) { enact_now(draft, proposal) } else { Ok(()) };
        proposal.status = match enacted {
            Ok(()) => ProposalStatus::Passed { height },
            Err(refusal) => ProposalStatus::Failed { height: proposal.effective, refusal },
        };
    } else if voters.len() - opposed < needed {
        proposal.status = ProposalStatus::Rejected { height };
    }
}

fn is_admission(proposal: &Proposal) -> bool {
    matches!(proposal.measure, Measure::Admit { .. })
}

fn enact_now<R: Records>(draft: &mut Draft<'_, R>, proposal: &Proposal) -> Result<(), Refusal> {
    let (registries, Touched { records, keeper }) = enacted(draft, proposal.effective, &proposal.measure)?;
    draft.state.registries = registries;
    draft.touch_records(records);
    if let Some((book, keeper)) = keeper {
        draft.change_keeper(book, keeper);
    }
    Ok(())
}

/// The registries after a measure, and what it changed.
fn enacted<R: Records>(
    draft: &Draft<'_, R>,
    effective: Height,
    measure: &Measure,
) -> Result<(Registries, Touched), Refusal> {
    let mut registries = draft.state.registries.clone();
    // Only one kind of measure asks for books, and there may be many thousands.
    let is_of_book = matches!(measure, Measure::ChangeKeeper { .. });
    let books: Vec<&Book> = draft.state.books().filter(|_| is_of_book).map(|(_, book)| book.record()).collect();
    let moment = Moment { next: draft.height.next(), effective, today: draft.day() };
    let touched = enact(&mut registries, &books, &draft.state.domain, moment, measure)?;
    Ok((registries, touched))
}

fn put<R: Records>(draft: &mut Draft<'_, R>, number: ProposalNumber, proposal: Proposal) -> Effect {
    let status = proposal.status;
    if !proposal.is_live() {
        draft.state.live.retain(|live| *live != number);
    }
    draft.replace(number.0, Proposal { version: proposal.version + 1, ..proposal });
    Effect::Proposal { proposal: number, status }
}
