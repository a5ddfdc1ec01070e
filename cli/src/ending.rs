//! Endings: what the exit code says.

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It holds, or it is done.
    Holds,
    /// Somebody's input breaks a rule, or the answer is no.
    Refused,
    /// It could not be decided, which is neither yes nor no.
    Undecided,
    /// It could not run: wrong arguments, a missing file, no network.
    CouldNotRun,
}

impl Ending {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Refused => 1,
            Self::Undecided => 2,
            Self::CouldNotRun => 3,
        }
    }

    /// The graver of two: what many items together end with.
    pub fn and(self, other: Self) -> Self {
        if self.code() >= other.code() { self } else { other }
    }
}

/// The same from what a command found.
impl From<bool> for Ending {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Refused }
    }
}
