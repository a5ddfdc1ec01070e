//! Issuing: from a file of rows to sealed certificates, and again after any interruption.
//!
//! ```text
//! rows --check--> certificates --archive--> seals --submit--> outcomes --archive--> files
//!                 salts drawn   durable     signed            proven     durable    with paths
//! ```
//!
//! A salt that is lost is a certificate that is lost, so that certificates and signed seals are in
//! the issuer's archive, durably, before the ledger hears of them. A second run of the same file
//! sends the same seals again, which the ledger takes once, and adds nothing.

mod archive;
mod bundle;
mod deliver;
mod progress;
mod rows;
mod run;
mod table;

pub use archive::{Archive, ArchiveError, Archived, Status};
pub use bundle::{Bundle, BundleEntry};
pub use deliver::{DeliverError, Delivered, Target, deliver};
pub use progress::{Progress, Step};
pub use rows::{FILE_CLAIM, Row, RowFault, RowProblem, RowRules, Rows};
pub use run::{IssueError, IssueOptions, IssueReport, Issuer, SealReport};
pub use table::Format;
