//! The harness: real networks of real processes on loopback, for scenarios, faults and load.
//!
//! A [`Network`] is made by `fengni sample` in a folder of its own with free ports of its own, so
//! that tests run side by side; its processes end with it, whatever happens to the test.

#![forbid(unsafe_code)]

mod actors;
pub mod bench;
mod binaries;
mod clock;
mod command;
pub mod demo;
mod folder;
mod governing;
pub mod liar;
mod load;
mod network;
mod ports;
mod provider;
mod push;
mod receiver;
pub mod sharing;
mod wait;

pub use actors::{Actor, Paper, holder_key, purpose_code, random};
pub use binaries::{binary, pages, python};
pub use command::{Answer, fengni, fengni_node};
pub use folder::copy_folder;
pub use governing::Newcomer;
pub use load::{Load, Sealed};
pub use network::{Network, Node, NodeStatus};
pub use ports::free_block as free_ports;
pub use provider::ProviderGateway;
pub use push::Push;
pub use receiver::{Manner, Posted, Receiver};
pub use wait::{Deadline, until};
