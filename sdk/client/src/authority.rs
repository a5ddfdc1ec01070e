//! Operations on issuing authorities (制发权限).

use fengni_core::AuthorityNumber;
use fengni_core::operation::{Ground, Operation};

/// Withholds an authority for now.
pub fn suspend(authority: AuthorityNumber, ground: Ground) -> Operation {
    Operation::SuspendAuthority { authority, ground }
}

/// Gives a suspended authority back.
pub fn resume(authority: AuthorityNumber, ground: Ground) -> Operation {
    Operation::ResumeAuthority { authority, ground }
}
