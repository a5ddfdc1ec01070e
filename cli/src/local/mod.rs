//! A local network: every node a process of its own on loopback.
//!
//! ```text
//! sample --writes--> DIR/network.json, nodes/, members/
//! up, down, status, doctor, wait --read--> network.json --talk to--> fengni-node processes
//! ```

pub(crate) mod doctor;
pub(crate) mod doors;
pub(crate) mod down;
mod layout;
pub mod map;
mod ports;
pub(crate) mod probe;
mod process;
pub(crate) mod sample;
pub(crate) mod status;
pub(crate) mod up;
pub(crate) mod wait;
