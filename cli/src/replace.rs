//! `fengni supersede`, `rekey`, `transfer-in`: one line takes the place of another.
//!
//! The new certificate and its salts are on disk before the ledger hears of them, because a lost
//! salt is a lost certificate.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fengni_client::issue::{Format, Row, RowRules, Rows};
use fengni_client::keys::{self, KeyFile};
use fengni_client::random::random;
use fengni_client::standing;
use fengni_client::submit::Settlement;
use fengni_core::book::Book;
use fengni_core::certificate::{Certificate, CertificateFile, Facts, PagePath, Salt};
use fengni_core::id::CertificateId;
use fengni_core::operation::{Cause, Operation};
use fengni_core::outcome::Effect;
use fengni_core::record::{CertificateType, KeyPurpose, Schema};
use fengni_core::{BookNumber, KeyAlgorithm, KeyNumber, LineNumber, LinePlace, PublicKey, SecretKey};

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names, Target};
use crate::output::Output;
use crate::signing::{self, ActorArgs};
use crate::standing::{GroundArgs, finish, report};
