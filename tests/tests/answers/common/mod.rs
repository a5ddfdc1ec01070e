//! What the stories of `answers.rs` share besides the harness.

mod gateway;
mod world;

pub use gateway::{FalseGateway, fetch, nobody};
pub use world::{Held, World, expect};
