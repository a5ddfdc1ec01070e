//! The demo: a story told by the commands that people would type.

mod gateway;
mod share;
mod stage;
mod story;

pub use stage::Demo;
pub use story::tell;
