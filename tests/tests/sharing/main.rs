//! Data sharing on its dates: the journeys J6, J7 and J13, by the commands, on real processes that live
//! on the days of the story. SHR-01 to SHR-08, SHR-11, SHR-12, CAT-05, HLD-01, HLD-02, HLD-05.
//!
//! Where the journeys say YHR, YHD acts here. How YHR joins is J1: `governance/joining.rs`.

#![forbid(unsafe_code)]

mod objections;
mod requests;
mod uses;

use fengni_core::Day;
use fengni_tests::Network;
use serde_json::{Value, json};

/// A day as records have it.
fn day(text: &str) -> Value {
    json!(Day::parse(text).expect("a real day").0)
}

/// What is overdue of `request` or `objection`, by their numbers, as the network says today.
fn overdue(network: &Network, what: &str) -> Vec<u64> {
    let list = network.view(&[what, "list", "--overdue"]).expect(0).json();
    let listed = list[format!("{what}s")].as_array().expect("a list");
    listed.iter().map(|it| it[what].as_u64().expect("a number")).collect()
}
