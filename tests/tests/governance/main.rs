//! Deciding together on real processes: journeys J1 and J14, keys and versions of the protocol that
//! follow one another, and sets of validators that grow and shrink under load. GOV-01, GOV-03 to GOV-08, SEC-10, CRT-12, OPS-06.

#![forbid(unsafe_code)]

mod failures;
mod joining;
mod recovery;
mod rotations;
mod sets;
mod twins;
mod upgrades;
