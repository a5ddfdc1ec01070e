//! Certificates (电子证照).
use serde::{Deserialize, Serialize};

/// Trust grade (可信等级, CRT-10): who vouches for the content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Grade {
    /// Issued by the authority.
    A = 1,
    /// A copy a window has checked.
    B = 2,
    /// Uploaded by the holder.
    C = 3,
    /// Declared by the holder.
    D = 4,
}
