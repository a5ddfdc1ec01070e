//! What people call the members and types that figures count by number.

use fengni_core::{MemberNumber, TypeNumber};

use crate::connect::Connection;
use crate::names::{MembersCalled, Names};

/// Names by number. Where nobody gives them, numbers will do.
#[derive(Default)]
pub(super) struct Called {
    members: MembersCalled,
    types: Vec<String>,
}

impl Called {
    pub(super) fn load(connection: &mut Connection) -> Self {
        let mut names = Names::default();
        let members = names.called(connection);
        let types = names.types(connection).map(|all| all.iter().map(|kind| kind.name.clone()).collect());
        Self { members: members.unwrap_or_default(), types: types.unwrap_or_default() }
    }

    pub(super) fn member(&self, number: MemberNumber) -> String {
        self.members.of(number)
    }

    pub(super) fn certificate_type(&self, number: TypeNumber) -> String {
        self.types.get(number.0 as usize).cloned().unwrap_or_else(|| format!("type {number}"))
    }
}
