//! The time that is counted: which heights, and whether more is to come. Rule E-1.

use anyhow::{Context as _, Result};
use clap::Args;
use fengni_client::clock;
use fengni_client::ledger::LedgerError;
use fengni_client::report;
use fengni_core::block::Header;
use fengni_core::event::Event;
use fengni_core::{Day, Height};

use crate::audit::period::{self, Edge};
use crate::connect::Connection;
use crate::ending::Ending;
use crate::moment;
use crate::output::Output;

/// Which time.
#[derive(Args, Debug)]
pub(super) struct TimeArgs {
    /// First day or height; else from the founding, or today where no end is named either
    #[arg(long, value_name = "DATE|HEIGHT")]
    from: Option<Edge>,
    /// Last day or height; else to the newest block
    #[arg(long, value_name = "DATE|HEIGHT")]
    to: Option<Edge>,
    /// How old the newest block may be, such as 90s, 30m or 2h, where the time reaches to it
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = moment::parse_span)]
    max_age: u32,
}

impl TimeArgs {
    /// Its edges: today where none is named.
    pub(super) fn edges(&self) -> (Option<Edge>, Option<Edge>) {
        match (self.from, self.to) {
            (None, None) => {
                let today = Edge::Day(Day::of(clock::now()));
                (Some(today), Some(today))
            }
            edges => edges,
        }
    }

    /// Finds its heights by final headers.
    ///
    /// # Errors
    /// Where no gateway shows a header that holds, or an edge is not reached.
    pub(super) fn find(&self, connection: &mut Connection) -> Result<Time> {
        connection.ledger.follow()?;
        let newest = connection.ledger.highest()?.0;
        let (from, to) = self.edges();
        let heights = match (from, to) {
            (Some(Edge::Day(_)), Some(Edge::Day(_))) => {
                period::heights_or_none(&mut connection.ledger, from, to, &newest)?
            }
            _ => period::heights(&mut connection.ledger, from, to, &newest)?,
        };
        let ended = heights.to <= newest.height;
        let last = heights.to.min(newest.height);
        let age_secs = clock::now().0.saturating_sub(newest.time.0) / 1000;
        let stale = !ended && age_secs > u64::from(self.max_age);
        Ok(Time { from: heights.from, last, newest, ended, age_secs, stale })
    }
}

/// Heights that are counted.
pub(super) struct Time {
    /// The first.
    pub(super) from: Height,
    /// The last; below the first where there is none yet.
    pub(super) last: Height,
    /// The newest final header that any gateway shows.
    pub(super) newest: Header,
    /// Whether nothing more is to come.
    pub(super) ended: bool,
    /// Age of the newest block.
    pub(super) age_secs: u64,
    /// Whether it is so old that gateways may be hiding what came since.
    pub(super) stale: bool,
}

impl Time {
    /// Reads its blocks, in order.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn read(
        &self,
        connection: &mut Connection,
        output: Output,
        take: &mut dyn FnMut(&[Event]),
    ) -> Result<(), LedgerError> {
        let count = self.last.next().0.saturating_sub(self.from.0);
        let bar = output.bar("blocks", count);
        let read =
            report::read(&mut connection.ledger, (self.from, self.last), self.newest.height, &mut |_, events| {
                bar.inc(1);
                take(events);
            });
        bar.finish_and_clear();
        read
    }

    /// The last block's header; `None` where the time has no block yet.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(super) fn last_header(&self, connection: &mut Connection) -> Result<Option<Header>> {
        if self.last < self.from {
            return Ok(None);
        }
        if self.last == self.newest.height {
            return Ok(Some(self.newest.clone()));
        }
        let found = connection.ledger.header(self.last).context("the header of the last block")?;
        Ok(Some(found.value.header))
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let Self { from, last, newest, ended, age_secs, .. } = self;
        let counted = match (last < from, ended) {
            (true, true) => "no block is of that time".to_owned(),
            (true, false) => "no block is of that time so far".to_owned(),
            (false, true) => format!("heights {from} to {last}, which have ended"),
            (false, false) => format!("heights {from} to {last}, so far"),
        };
        let age = moment::age(*age_secs);
        format!("{counted}; the newest block is {} of {}, {age} ago", newest.height, newest.time.show())
    }

    /// How a command ends that has counted it; says why where it is undecided.
    pub(super) fn ending(&self, output: Output) -> Ending {
        if !self.stale {
            return Ending::Holds;
        }
        let age = moment::age(self.age_secs);
        output.progress(&format!(
            "undecided: the newest block that any gateway shows is {age} old, and what came since is not counted; next: ask another gateway as well"
        ));
        Ending::Undecided
    }
}
