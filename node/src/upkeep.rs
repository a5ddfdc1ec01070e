//! What an operator does with a node's store from outside: check, repair, back up, restore, let a key
//! vote.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::backup::{self, Manifest};
use crate::config::Config;
use crate::engine;
use crate::run::Files;
use crate::selfcheck::{self, Damage, Report};
use crate::store::{Store, StoreError, copy};

/// The rest between two questions how far a running node's check is.
const REST: Duration = Duration::from_millis(500);
/// How long a running node may take for a backup.
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes a backup of a node into a folder that is not there yet: a running node is asked through
/// its admin listener, the store of a stopped one is copied.
///
/// # Errors
/// Wrong files, [`backup::BackupError`], or what the running node answers.
pub fn back_up(home: &Path, to: &Path) -> anyhow::Result<Manifest> {
    let files = Files::load(home)?;
    anyhow::ensure!(!to.exists(), "{} is there already; next: choose another folder", to.display());
    // On the store's disk first, where a copy takes no time; then to where it is wanted.
    let name = format!("for-{}", std::process::id());
    let staged = backup::folder(&files.config.data).join(&name);
    let manifest = match Store::open(&copy::place(&files.config.data), &files.domain) {
        Ok(store) => backup::write(&store, &files.domain, &staged)?,
        Err(error) if error.is_held() => ask(&files.config, &name, error)?,
        Err(error) => return Err(error.into()),
    };
    backup::move_folder(&staged, to)?;
    Ok(manifest)
}

/// Asks the admin listener of a running node.
fn ask(config: &Config, name: &str, held: StoreError) -> anyhow::Result<Manifest> {
    let url = admin_url(config, held)? + "/v1/backups";
    let mut answer = agent().post(&url).send_json(json!({ "folder": name })).with_context(|| url.clone())?;
    if answer.status() == 201 {
        return answer.body_mut().read_json().with_context(|| url.clone());
    }
    Err(said(&url, &mut answer))
}

/// Where a running node listens for its operator.
fn admin_url(config: &Config, held: StoreError) -> anyhow::Result<String> {
    let admin = config.admin.as_ref().ok_or(held).context("the node runs without an admin listener")?;
    let scheme = if admin.tls_certificate.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{}", admin.listen))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

/// A problem in the words of the node.
fn said(url: &str, answer: &mut ureq::http::Response<ureq::Body>) -> anyhow::Error {
    let problem: serde_json::Value = match answer.body_mut().read_json() {
        Ok(problem) => problem,
        Err(error) => return anyhow::Error::from(error).context(url.to_owned()),
    };
    let said = |field: &str| problem[field].as_str().unwrap_or("?").to_owned();
    anyhow::anyhow!("the node answers: {}; next: {}", said("detail"), said("next"))
}

/// Looks at every entry of a node's store: a stopped node's here, a running one's through its admin
/// listener.
///
/// - `repair`: puts indexes right that can be made from the rest, where nothing else is damaged.
/// - `tell`: told how many entries were looked at.
///
/// # Errors
/// Wrong files, no store, what the running node answers, or a repair of a node that runs.
pub fn check_store(home: &Path, repair: bool, tell: &mut dyn FnMut(u64)) -> anyhow::Result<Report> {
    let files = Files::load(home)?;
    let (domain, founding) = (files.domain, files.genesis.founding());
    let place = copy::place(&files.config.data);
    anyhow::ensure!(place.exists(), "{} is not there; next: start the node, which makes it", place.display());
    match Store::open(&place, &domain) {
        Ok(store) => Ok(selfcheck::check_stopped(&store, domain, &founding, repair, tell)?),
        Err(error) if error.is_held() && repair => Err(error).context("next: stop the node first"),
        Err(error) if error.is_held() => ask_check(&files.config, error, tell),
        Err(error) if error.is_damage() => {
            let (column, entry) = ("store".to_owned(), "the database".to_owned());
            let damage = Damage { column, entry, says: error.to_string() };
            Ok(Report { damage: vec![damage], ..Report::default() })
        }
        Err(error) => Err(error.into()),
    }
}

/// Has a running node look at its store, and waits for what it finds.
fn ask_check(config: &Config, held: StoreError, tell: &mut dyn FnMut(u64)) -> anyhow::Result<Report> {
    let url = admin_url(config, held)? + "/v1/check";
    let mut begun = agent().post(&url).send_json(json!({})).with_context(|| url.clone())?;
    // Where one is under way, that one is as good.
    if begun.status() != 202 && begun.status() != 409 {
        return Err(said(&url, &mut begun));
    }
    loop {
        let mut answer = agent().get(&url).call().with_context(|| url.clone())?;
        if answer.status() != 200 {
            return Err(said(&url, &mut answer));
        }
        let now: serde_json::Value = answer.body_mut().read_json().with_context(|| url.clone())?;
        match now["state"].as_str() {
            Some("running") => tell(now["entries"].as_u64().unwrap_or_default()),
            Some("done") => return Ok(serde_json::from_value(now["report"].clone())?),
            Some("failed") => anyhow::bail!("the node could not check its store: {}", now["reason"]),
            _ => anyhow::bail!("the node checks nothing; next: wait for its first block"),
        }
        std::thread::sleep(REST);
    }
}

/// Puts a backup in the place of a stopped node's store.
///
/// A validator whose record of signed votes is not on this machine is marked first: it follows
/// without voting until the network has gone on, as `engine/quiet.rs` says.
///
/// # Errors
/// Wrong files or [`backup::BackupError`].
pub fn restore(home: &Path, from: &Path, force: bool) -> anyhow::Result<Manifest> {
    let files = Files::load(home)?;
    let data = &files.config.data;
    std::fs::create_dir_all(data).with_context(|| format!("data: cannot make {}", data.display()))?;
    let checked = backup::check(from, data, &files.genesis, force)?;
    quieten(&files)?;
    Ok(checked.put_in_place()?)
}

/// Marks a validator whose record of signed votes is not on this machine, before it gets a store that
/// others had: it follows without voting until the network has gone on, as `engine/quiet.rs` says.
///
/// # Errors
/// The disk.
pub(crate) fn quieten(files: &Files) -> anyhow::Result<()> {
    let consensus = files.config.data.join(engine::FOLDER);
    if !files.consensus_keys.is_empty() && !engine::has_record(&consensus)? {
        engine::mark_quiet(&consensus)?;
        eprintln!(
            "no record of signed votes is here: the node will follow without voting until the network has gone on"
        );
    }
    Ok(())
}

/// Takes the operator's word that a stopped validator's key signed nothing but what its record on
/// this machine says.
///
/// # Errors
/// Wrong files, a node that is no validator, or the disk.
pub fn never_signed(home: &Path) -> anyhow::Result<()> {
    let files = Files::load(home)?;
    if files.consensus_keys.is_empty() {
        anyhow::bail!("mode: an observer signs nothing; next: nothing to do");
    }
    let keys: Vec<_> = files.consensus_keys.iter().map(|key| key.public()).collect();
    let store = Store::open(&copy::place(&files.config.data), &files.domain);
    drop(store.context("next: stop the node first, if it runs")?);
    Ok(engine::never_signed(&files.config.data.join(engine::FOLDER), files.domain, &keys)?)
}
