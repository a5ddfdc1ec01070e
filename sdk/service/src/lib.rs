//! What our services with a private folder have in common (服务): the folder, the door through which commands
//! reach the one process that has the store, and how people are answered.
//!
//! ```text
//! command --> door of the folder --> running service: answers from its store
//!        \--> no door            --> the store itself, if nobody has it
//! ```
//!
//! Invariants, each owned by a test:
//!
//! - A folder that others can look into is not opened.
//! - A command is answered alike whether the service runs or not, and waits while another has the store.

#![forbid(unsafe_code)]

pub mod door;
pub mod folder;
pub mod output;
