//! Acts of an administrator: signed with an admin key of the member's folder.

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
}

/// What one person signs, for no reason that has to be kept.
impl From<Operation> for Asked {
    fn from(operation: Operation) -> Self {
        Self { operation, reasoned: None, two_persons: false }
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
    /// The member that acts.
    pub(crate) fn member(&self) -> Result<MemberNumber> {
        self.actor.member()
    }

    /// Signs and submits an operation, keeps its decision, and says what it did.
    pub(crate) fn carry_out(
        &self,
        output: Output,
        asked: impl FnOnce(&mut Connection, &mut Names) -> Result<Asked>,
        done: impl FnOnce(&Effect) -> String,
    ) -> Result<Ending> {
        let mut connection = self.connect.open(Some(&self.actor.home))?;
        let asked = asked(&mut connection, &mut Names::default())?;
        let signers = self.actor.signers(KeyPurpose::Admin, asked.two_persons)?;
        let settlement = signing::submit(&mut connection, &signers, asked.operation)?;
        let settled = Settled::of(&settlement)?;
        if let Some(reasoned) = asked.reasoned.filter(|_| settled.ending != Ending::Refused) {
            reasoned.keep(&self.actor.home, None, &settled.transaction)?;
        }
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
}
