//! The doctor: what stands between this node and its work, each with the next step.
//!
//! The node examines itself, because it alone has its files, its peers and its clock. While it runs,
//! its admin listener tells (`fengni doctor`); when it does not, its own program does
//! (`fengni-node doctor`), with what needs no running node.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fengni_core::record::{KeyPurpose, MemberStatus};
use fengni_core::{Domain, Height, MemberNumber, PublicKey};
use fengni_signer::{Keeping, KeyFile};
use fengni_state::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::disk;
use crate::engine;
use crate::membership::{self, Membership};

/// How long a peer's port may take to answer.
const PORT: Duration = Duration::from_secs(1);

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, and wants attention.
    Warn,
    /// Does not work, or will not for long.
    Fail,
}

/// What one look found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// What was looked at: `disk`, `keys`, `guard`, `log`, `ports`, `register`, `following`, `peers`,
    /// `clock`, `version` or `store`.
    pub check: &'static str,
    /// How grave it is.
    pub level: Level,
    /// What was found, with the next step where there is one.
    pub says: String,
}

impl Finding {
    /// What was found.
    pub fn new(check: &'static str, level: Level, says: impl Into<String>) -> Self {
        Self { check, level, says: says.into() }
    }
}

/// A key file of the configuration.
#[derive(Clone, Debug)]
pub struct KeyOnDisk {
    /// The field that names it.
    pub field: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its public half.
    pub key: PublicKey,
}

/// What the doctor looks at.
#[derive(Clone, Debug)]
pub struct Doctor {
    /// Suite and network.
    pub domain: Domain,
    /// Folder of everything the node writes.
    pub data: PathBuf,
    /// Key files.
    pub keys: Vec<KeyOnDisk>,
    /// Other files that only the node may read.
    pub secrets: Vec<PathBuf>,
    /// Ports of the peers that the configuration dials.
    pub ports: Vec<(PublicKey, SocketAddr)>,
    /// Whose node it is.
    pub own: Membership,
    /// The newest version of the protocol that it speaks.
    pub speaks: u16,
}

/// What only a running node knows.
#[derive(Clone, Debug)]
pub struct Vitals {
    /// Why the node does not follow, if it does not.
    pub unready: Option<String>,
    /// Members with a connected peer.
    pub connected: Vec<MemberNumber>,
    /// How many milliseconds ahead of this node's clock each proposer's block arrived.
    pub ahead_millis: Vec<(MemberNumber, i64)>,
    /// The newest version of the protocol that members with a connected peer say they speak.
    pub versions: Vec<(MemberNumber, u16)>,
}

impl Doctor {
    /// Everything that needs no running node.
    ///
    /// - `state`: the newest state, if the store could be read.
    pub fn examine(&self, state: Option<&State>) -> Vec<Finding> {
        let mut findings = vec![self.disk()];
        findings.extend(self.keys.iter().map(|key| key.look(state, &self.own)));
        findings.extend(self.secrets.iter().filter_map(|path| open_to_others(path)));
        findings.extend(state.map(|state| self.register(state)));
        findings.extend(state.map(|state| self.version(state)));
        let voting = self.keys.iter().filter(|key| key.purpose == KeyPurpose::Consensus);
        findings.extend(voting.map(|key| self.guard(&key.key)));
        findings.extend(self.ports());
        findings
    }

    /// What a running node sees besides.
    pub fn examine_running(&self, state: &State, vitals: &Vitals) -> Vec<Finding> {
        let mut findings = self.examine(Some(state));
        findings.push(match &vitals.unready {
            None => Finding::new("following", Level::Ok, format!("follows at height {}", state.height())),
            Some(reason) => Finding::new("following", Level::Fail, reason.clone()),
        });
        findings.push(self.peers(state, &vitals.connected));
        findings.push(clock(state, &vitals.ahead_millis));
        findings.extend(others_versions(state, &vitals.versions));
        findings
    }

    /// The engine's log of a stopped node.
    pub fn log(&self, state: &State) -> Finding {
        match engine::check_log(&self.data.join(engine::FOLDER), state.height().next()) {
            Ok(()) => Finding::new("log", Level::Ok, "the engine's log can be read"),
            Err(error) => Finding::new("log", Level::Fail, error.to_string()),
        }
    }

    fn disk(&self) -> Finding {
        let folder = self.data.display();
        match disk::too_full(&self.data).map_or_else(|| disk::room(&self.data).map_err(|error| error.to_string()), Err)
        {
            Err(trouble) => Finding::new("disk", Level::Fail, trouble),
            Ok(room) if room < disk::ROOM_LOW => Finding::new(
                "disk",
                Level::Warn,
                format!(
                    "{} MiB are left for {folder}; next: make room before {} MiB, where the node stops",
                    room >> 20,
                    disk::ROOM_MIN >> 20
                ),
            ),
            Ok(room) => Finding::new("disk", Level::Ok, format!("{} MiB are left for {folder}", room >> 20)),
        }
    }

    fn register(&self, state: &State) -> Finding {
        match self.own.trouble(state) {
            None => Finding::new("register", Level::Ok, "the register lists this node as its files say"),
            Some(trouble) => Finding::new("register", Level::Fail, trouble),
        }
    }

    /// Whether this node can go on, now and after what members have voted for.
    fn version(&self, state: &State) -> Finding {
        let (software, speaks) = (env!("CARGO_PKG_VERSION"), self.speaks);
        let said = format!("software {software} speaks protocol {speaks}");
        match state.check_spoken(speaks) {
            Err(error) => Finding::new("version", Level::Fail, format!("{said}; {error}")),
            Ok(()) => coming(said, speaks, state.coming_version()),
        }
    }

    fn guard(&self, key: &PublicKey) -> Finding {
        let home = self.data.join(engine::FOLDER);
        match engine::signed_height(&home, &self.domain, key) {
            Ok(Some(height)) => Finding::new("guard", Level::Ok, format!("{key} has signed up to height {height}")),
            Ok(None) => Finding::new(
                "guard",
                Level::Warn,
                format!(
                    "there is no record of what {key} has signed: right for a key that never voted; next: if it did, \
                     stop the node and restore data/consensus before it votes"
                ),
            ),
            Err(error) => Finding::new("guard", Level::Fail, error.to_string()),
        }
    }

    /// Each peer's port, all at once.
    fn ports(&self) -> Vec<Finding> {
        std::thread::scope(|scope| {
            let look = |(key, address): &(PublicKey, SocketAddr)| match TcpStream::connect_timeout(address, PORT) {
                Ok(_) => Finding::new("ports", Level::Ok, format!("{address} of {key} answers")),
                Err(error) => Finding::new(
                    "ports",
                    Level::Warn,
                    format!(
                        "{address} of {key} does not answer: {error}; next: see whether that node runs, and to \
                             firewalls between"
                    ),
                ),
            };
            let looks: Vec<_> = self.ports.iter().map(|port| scope.spawn(move || look(port))).collect();
            looks.into_iter().filter_map(|look| look.join().ok()).collect()
        })
    }

    /// Validators without a connection here, and whether enough are left to vote with.
    fn peers(&self, state: &State, connected: &[MemberNumber]) -> Finding {
        if self.own.consensus.is_empty() {
            // An observer follows whoever has final blocks: one peer is enough.
            let said = format!("{} members' nodes are here, one is enough to follow", connected.len());
            let next = "next: see to the network, and to the peers in node.toml";
            return match connected {
                [] => Finding::new("peers", Level::Fail, format!("{said}; {next}")),
                _ => Finding::new("peers", Level::Ok, said),
            };
        }
        let set = state.next_validators();
        let own = membership::find(state, &self.own.code);
        let there = |member: MemberNumber| Some(member) == own || connected.contains(&member);
        let absent: Vec<String> =
            set.iter().filter(|it| !there(it.member)).map(|validator| validator.member.to_string()).collect();
        let power: u64 = set.iter().filter(|it| there(it.member)).map(|validator| validator.power).sum();
        let registered = membership::listed(state).len();
        let said = format!("members with {power} of {} votes are here, {} are needed", set.power(), set.quorum());
        let absent = absent.join(", ");
        let next = format!("next: see to the nodes of members {absent}, and to the network between");
        match () {
            () if power < set.quorum() => Finding::new("peers", Level::Fail, format!("{said}; {next}")),
            () if !absent.is_empty() => Finding::new("peers", Level::Warn, format!("{said}; {next}")),
            () => Finding::new("peers", Level::Ok, format!("{said}; {registered} peer keys are registered")),
        }
    }
}

impl KeyOnDisk {
    fn look(&self, state: Option<&State>, own: &Membership) -> Finding {
        if let Some(finding) = open_to_others(&self.path) {
            return finding;
        }
        let Self { field, key, purpose, .. } = self;
        let (unsafety, kept) = match self.kept() {
            Ok(kept) => kept,
            Err(trouble) => return Finding::new("keys", Level::Fail, format!("{field}: {trouble}")),
        };
        let Some(state) = state else {
            return Finding::new("keys", unsafety, format!("{field}: {key} can be read; {kept}"));
        };
        let height = state.height().next();
        let member = membership::find(state, &own.code).and_then(|number| state.member(number));
        let known = member.and_then(|member| {
            let mut keys = member.keys.iter().filter(|known| known.purpose == *purpose && known.key == *key);
            keys.next().map(|key| (key, member.status == MemberStatus::Active))
        });
        let (level, said) = match known {
            None => (Level::Fail, "is not registered for this member; next: have it registered".to_owned()),
            Some((_, false)) => (Level::Fail, "is of a member that is not active".to_owned()),
            Some((known, true)) if known.is_valid_at(height) => {
                let until = known.until.map_or_else(|| "while in use".to_owned(), |until| format!("to height {until}"));
                (Level::Ok, format!("is registered from height {} {until}", known.from))
            }
            Some((known, true)) if known.from > height => {
                (Level::Warn, format!("is registered from height {} on; it is {height} now", known.from))
            }
            Some(_) => (Level::Warn, "has ended; next: name the key that follows it, or remove the file".to_owned()),
        };
        Finding::new("keys", level.max(unsafety), format!("{field}: {key} {said}; {kept}"))
    }

    /// How the file keeps the secret. A vote is the gravest thing that a file can sign.
    fn kept(&self) -> Result<(Level, String), String> {
        let file = KeyFile::load(&self.path).map_err(|error| format!("{error}; next: restore the file"))?;
        Ok(match file.keeping() {
            Keeping::Encrypted => (Level::Ok, "encrypted with a passphrase".to_owned()),
            Keeping::Token => (Level::Ok, "kept in a token".to_owned()),
            Keeping::Plain if self.purpose == KeyPurpose::Consensus => (
                Level::Warn,
                format!(
                    "in the clear: whoever copies the file votes in this member's name; next: fengni key passphrase {}",
                    self.path.display()
                ),
            ),
            Keeping::Plain => (Level::Ok, "in the clear".to_owned()),
        })
    }
}

/// A secret that others than its owner may read.
fn open_to_others(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = path.display();
    match std::fs::metadata(path) {
        Err(error) => Some(Finding::new("keys", Level::Fail, format!("{file}: {error}; next: restore the file"))),
        Ok(data) if data.permissions().mode() & 0o077 != 0 => {
            Some(Finding::new("keys", Level::Fail, format!("{file} is open to others; next: chmod 600 {file}")))
        }
        Ok(_) => None,
    }
}

/// This node's clock against those who proposed the newest blocks.
fn clock(state: &State, ahead: &[(MemberNumber, i64)]) -> Finding {
    let mut millis: Vec<i64> = ahead.iter().map(|(_, millis)| *millis).collect();
    millis.sort_unstable();
    // One whose clock is wrong says nothing of this node's.
    let Some(median) = millis.get(millis.len() / 2) else {
        return Finding::new("clock", Level::Ok, "nobody has proposed a block to this node yet: nothing to compare");
    };
    let limit = i64::try_from(state.parameters().clock_ahead_millis).unwrap_or(i64::MAX);
    let said =
        format!("blocks of {} proposers arrive {median} ms ahead of this clock, {limit} are allowed", millis.len());
    let next = "next: see that this host keeps time (chronyc tracking)";
    match *median {
        median if median > limit => Finding::new("clock", Level::Fail, format!("{said}; {next}")),
        median if median > limit / 2 => Finding::new("clock", Level::Warn, format!("{said}; {next}")),
        // Late by what a block takes on its way, and by a clock that is fast.
        median if median < -limit.saturating_mul(10) => Finding::new("clock", Level::Warn, format!("{said}; {next}")),
        _ => Finding::new("clock", Level::Ok, said),
    }
}

/// What a version that was voted for means for this node.
fn coming(said: String, speaks: u16, coming: Option<(Height, u16)>) -> Finding {
    match coming {
        None => Finding::new("version", Level::Ok, said),
        Some((height, version)) if version <= speaks => {
            Finding::new("version", Level::Ok, format!("{said}; from block {height} on the network speaks {version}"))
        }
        Some((height, version)) => Finding::new(
            "version",
            Level::Warn,
            format!(
                "{said}; from block {height} on the network speaks {version}, and this node ends before; next: \
                 install the newer program, and start the node again"
            ),
        ),
    }
}

/// Members whose nodes would end at a version that was voted for.
fn others_versions(state: &State, versions: &[(MemberNumber, u16)]) -> Option<Finding> {
    let (height, coming) = state.coming_version()?;
    let behind = versions.iter().filter(|(_, version)| *version < coming);
    let behind: Vec<String> = behind.map(|(member, version)| format!("{member} ({version})")).collect();
    let said = format!(
        "from block {height} on the network speaks protocol {coming}, and nodes of members {} do not; next: have them \
         install the newer program",
        behind.join(", ")
    );
    (!behind.is_empty()).then(|| Finding::new("version", Level::Warn, said))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use fengni_core::Millis;
    use fengni_core::id::CreditCode;
    use fengni_genesis::sample;
    use fengni_signer::{Passphrases, Source};

    use super::*;

    fn level(findings: &[Finding], check: &str) -> Option<Level> {
        findings.iter().filter(|finding| finding.check == check).map(|finding| finding.level).max()
    }

    #[test]
    fn each_look_finds_its_own_trouble() {
        let genesis =
            sample::network(Millis(1_800_000_000_000), &sample::test_key).check().expect("the sample is right");
        let state = State::found(genesis.domain(), genesis.founding());
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("peer.json");
        let secret = sample::test_secret("PSB", KeyPurpose::Peer, 0);
        KeyFile::plain(KeyPurpose::Peer, secret.clone()).save(&path).expect("the folder is writable");
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        mode(0o600);
        let number = sample::member("PSB").expect("a sample member");
        let key = secret.public();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let code = genesis.founding().members[number.0 as usize].code;
        let doctor = Doctor {
            domain: genesis.domain(),
            data: folder.path().to_owned(),
            keys: vec![KeyOnDisk { field: "keys.peer", path: path.clone(), purpose: KeyPurpose::Peer, key }],
            secrets: Vec::new(),
            ports: vec![(key, listener.local_addr().expect("it listens"))],
            own: Membership {
                code,
                peer: key,
                consensus: vec![sample::test_secret("PSB", KeyPurpose::Consensus, 0).public()],
            },
            speaks: state.parameters().protocol,
        };
        let vitals = Vitals {
            unready: None,
            connected: state.next_validators().iter().map(|validator| validator.member).collect(),
            ahead_millis: vec![(MemberNumber(0), -20), (MemberNumber(2), 99_000), (MemberNumber(3), 5)],
            versions: vec![(MemberNumber(2), state.parameters().protocol)],
        };
        let healthy = doctor.examine_running(&state, &vitals);
        let bad: Vec<_> = healthy.iter().filter(|it| it.level != Level::Ok && it.check != "disk").collect();
        assert!(bad.is_empty(), "{bad:?}");
        // One thing at a time is wrong.
        let sick = |vitals: Vitals, check| level(&doctor.examine_running(&state, &vitals), check);
        let unready = Some("no block for 11 s".to_owned());
        assert_eq!(sick(Vitals { unready, ..vitals.clone() }, "following"), Some(Level::Fail));
        let connected = vec![MemberNumber(0), MemberNumber(2)];
        assert_eq!(sick(Vitals { connected, ..vitals.clone() }, "peers"), Some(Level::Warn));
        assert_eq!(sick(Vitals { connected: Vec::new(), ..vitals.clone() }, "peers"), Some(Level::Fail));
        let observer = Doctor { own: Membership { consensus: Vec::new(), ..doctor.own.clone() }, ..doctor.clone() };
        let follows =
            |connected| level(&observer.examine_running(&state, &Vitals { connected, ..vitals.clone() }), "peers");
        assert_eq!(follows(vec![MemberNumber(3)]), Some(Level::Ok), "it counts no votes");
        assert_eq!(follows(Vec::new()), Some(Level::Fail));
        let ahead_millis = vec![(MemberNumber(0), 9_000), (MemberNumber(2), 9_100)];
        assert_eq!(sick(Vitals { ahead_millis, ..vitals.clone() }, "clock"), Some(Level::Fail));
        let older = Doctor { speaks: doctor.speaks - 1, ..doctor.clone() };
        assert_eq!(level(&older.examine(Some(&state)), "version"), Some(Level::Fail));
        mode(0o644);
        assert_eq!(level(&doctor.examine(Some(&state)), "keys"), Some(Level::Fail));
        mode(0o600);
        drop(listener);
        assert_eq!(level(&doctor.examine(Some(&state)), "ports"), Some(Level::Warn));
        let mut stranger = doctor.clone();
        stranger.keys[0].key = sample::test_secret("AMR", KeyPurpose::Peer, 0).public();
        assert_eq!(level(&stranger.examine(Some(&state)), "keys"), Some(Level::Fail));
        stranger.keys[0].purpose = KeyPurpose::Consensus;
        assert_eq!(level(&stranger.examine(None), "guard"), Some(Level::Warn));
        std::fs::write(&path, "{}").expect("the folder is writable");
        assert_eq!(level(&doctor.examine(Some(&state)), "keys"), Some(Level::Fail));
    }

    #[test]
    fn a_key_that_votes_is_not_kept_in_the_clear() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("key.json");
        let secret = sample::test_secret("PSB", KeyPurpose::Consensus, 0);
        let look = |purpose, file: KeyFile| {
            file.save(&path).expect("the folder is writable");
            let key = KeyOnDisk { field: "keys", path: path.clone(), purpose, key: secret.public() };
            let code = CreditCode::parse("11319900XN0100021G").expect("a code");
            key.look(None, &Membership { code, peer: secret.public(), consensus: Vec::new() })
        };
        let plain = |purpose| look(purpose, KeyFile::plain(purpose, secret.clone()));
        let found = plain(KeyPurpose::Consensus);
        assert_eq!(found.level, Level::Warn);
        assert!(found.says.contains("next: fengni key passphrase"), "{}", found.says);
        assert_eq!(plain(KeyPurpose::Peer).level, Level::Ok);
        let sources = folder.path().join("passphrase");
        std::fs::write(&sources, "a passphrase of a test\n").expect("the folder is writable");
        std::fs::set_permissions(&sources, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
        let passphrase = Passphrases::new(vec![Source::File(sources)]).fresh("key.json").expect("a passphrase");
        let encrypted = KeyFile::encrypted(KeyPurpose::Consensus, &secret, &passphrase).expect("a key file");
        let found = look(KeyPurpose::Consensus, encrypted);
        assert_eq!(found.level, Level::Ok);
        assert!(found.says.ends_with("encrypted with a passphrase"), "{}", found.says);
    }

    #[test]
    fn a_coming_version_is_found_before_its_height() {
        let found = |coming_version| coming("speaks protocol 2".to_owned(), 2, coming_version);
        assert_eq!(found(None).level, Level::Ok);
        let known = found(Some((Height(4_096), 2)));
        assert_eq!(known.level, Level::Ok, "{known:?}");
        assert!(known.says.contains("from block 4096"), "{known:?}");
        let unknown = found(Some((Height(4_096), 3)));
        assert_eq!(unknown.level, Level::Warn);
        assert!(unknown.says.contains("next: install the newer program"), "{unknown:?}");
    }
}
