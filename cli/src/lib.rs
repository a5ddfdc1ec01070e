//! x
#[allow(missing_docs)] pub mod args;
#[allow(missing_docs)] pub mod ending;
#[allow(missing_docs)] pub mod id;
#[allow(missing_docs)] pub mod main;
#[allow(missing_docs)] pub mod moment;
#[allow(missing_docs)] pub mod output;
