//! Acts of a member: signed with keys of its folder, an administrator's unless the act needs others.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use fengni_client::submit::Settlement;
use fengni_core::MemberNumber;
use fengni_core::operation::Operation;
use fengni_core::outcome::Effect;
use fengni_core::record::KeyPurpose;

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::Names;
use crate::output::Output;
use crate::signing::{self, ActorArgs, Settled};
use crate::standing::{GroundArgs, Reasoned};

/// Who acts, on which network.
#[derive(Args, Clone, Debug)]
pub(crate) struct ActingArgs {
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What to ask.
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    /// The reason behind it, where it needs one.
    pub(crate) reasoned: Option<Reasoned>,
    /// Whether two persons sign.
    pub(crate) two_persons: bool,
    /// With keys for what.
    pub(crate) purpose: KeyPurpose,
}

/// What one administrator signs, for no reason that has to be kept.
impl From<Operation> for Asked {
    fn from(operation: Operation) -> Self {
        Self { operation, reasoned: None, two_persons: false, purpose: KeyPurpose::Admin }
    }
}

impl GroundArgs {
    /// An operation for this reason, which one person signs.
    pub(crate) fn asked(
        &self,
        connection: &mut Connection,
        names: &mut Names,
        operation: impl FnOnce(fengni_core::operation::Ground) -> Operation,
    ) -> Result<Asked> {
        let reasoned = self.read(connection, names)?;
        let asked = Asked::from(operation(reasoned.ground));
        Ok(Asked { reasoned: Some(reasoned), ..asked })
    }
}

impl ActingArgs {
    /// A member by its folder, on a network.
    pub(crate) fn of(home: &Path, connect: &ConnectArgs) -> Self {
        Self { actor: ActorArgs::of(home), connect: connect.clone() }
    }

    /// The member that acts.
    pub(crate) fn member(&self) -> Result<MemberNumber> {
        self.actor.member()
    }

    /// Who acts, with which keys.
    pub(crate) fn actor(&self) -> &ActorArgs {
        &self.actor
    }

    /// Connects to the network, and remembers in the member's folder what is proven.
    pub(crate) fn open(&self) -> Result<Connection> {
        self.connect.open(Some(&self.actor.home))
    }

    /// Signs and submits an operation, keeps its decision, and says what it did.
    pub(crate) fn carry_out(
        &self,
        output: Output,
        asked: impl FnOnce(&mut Connection, &mut Names) -> Result<Asked>,
        done: impl FnOnce(&Effect) -> String,
    ) -> Result<Ending> {
        let mut connection = self.open()?;
        let asked = asked(&mut connection, &mut Names::default())?;
        self.settle(&mut connection, asked, output, done)
    }

    /// As [`Self::carry_out`], on a network that is connected already.
    pub(crate) fn settle(
        &self,
        connection: &mut Connection,
        asked: Asked,
        output: Output,
        done: impl FnOnce(&Effect) -> String,
    ) -> Result<Ending> {
        let (settlement, settled) = self.submit(connection, asked)?;
        connection.save(output);
        output.answer(&settled, || {
            let what = match &settlement {
                Settlement::Done { effect, .. } => done(effect),
                _ => String::new(),
            };
            settled.text(&what)
        });
        Ok(settled.ending)
    }

    /// Signs and submits an operation, and keeps its decision.
    pub(crate) fn submit(&self, connection: &mut Connection, asked: Asked) -> Result<(Settlement, Settled)> {
        let signers = self.actor.signers(asked.purpose, asked.two_persons)?;
        let settlement = signing::submit(connection, &signers, asked.operation)?;
        let settled = Settled::of(&settlement)?;
        if let Some(reasoned) = asked.reasoned.filter(|_| settled.ending != Ending::Refused) {
            reasoned.keep(&self.actor.home, None, &settled.transaction)?;
        }
        Ok((settlement, settled))
    }
}
