//! A PostgreSQL server of its own: made for one test, listening on a socket in a private folder, and
//! gone when the test is, however the test ends.
//!
//! ```no_run
//! let server = fengni_test_postgres::Server::start();
//! server.run("CREATE TABLE insured (id_number text PRIMARY KEY, months integer)");
//! println!("{}", server.url());
//! ```

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian keeps the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs the server where the test is run by root, whom the server refuses.
const USER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// What the keeper does: it runs the server until its own input ends, which it does with the test,
/// whatever becomes of that.
const KEEPER: &str = "\"$0\" \"$@\" & server=$!; read -r _; kill -QUIT $server; wait $server; cd /; rm -rf \"$FOLDER\"";

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    keeper: Child,
}

impl Server {
    /// Makes a cluster and starts its server.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings, such as `shared_buffers=256MB`.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_with(settings: &[&str]) -> Self {
        let programs = programs().expect("PostgreSQL is installed; next: .ci/setup");
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a folder for the server");
        let user = user();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("its own folder");
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group)).expect("root gives folders away");
        }
        let data = folder.path().join("data");
        let mut made = as_user(&programs.join("initdb"), user, folder.path());
        made.arg("-D").arg(&data).args(["-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
        let made = made.stdout(Stdio::null()).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let mut keeper = as_user(Path::new("/bin/sh"), user, folder.path());
        keeper.args(["-c", KEEPER]).arg(programs.join("postgres")).arg("-D").arg(&data);
        let socket = format!("unix_socket_directories={}", folder.path().display());
        // What is lost with the machine is lost with the test.
        let always = ["listen_addresses=", "fsync=off", &socket];
        for setting in always.iter().chain(settings) {
            keeper.args(["-c", setting]);
        }
        let log = std::fs::File::create(folder.path().join("log")).expect("room for a log");
        keeper.env("FOLDER", folder.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let keeper = keeper.spawn().expect("a shell");
        let server = Self { folder, programs, user, keeper };
        let begun = Instant::now();
        while !server.psql("SELECT 1").status.success() {
            let log = || std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "the server does not start: {}", log());
            std::thread::sleep(LOOK);
        }
        server
    }

    /// Where it is, as programs are told.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@localhost/{USER}?host={}", self.folder.path().display())
    }

    /// Where it keeps what it holds.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs statements.
    ///
    /// # Panics
    /// Where one fails.
    pub fn run(&self, statements: &str) {
        let ran = self.psql(statements);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    fn psql(&self, statements: &str) -> std::process::Output {
        let mut psql = as_user(&self.programs.join("psql"), self.user, self.folder.path());
        psql.args(["-X", "-q", "-U", USER, "-d", USER, "-v", "ON_ERROR_STOP=1", "-h"]).arg(self.folder.path());
        let mut running =
            psql.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("psql runs");
        // A server that does not answer closes it early.
        let _ = running.stdin.take().expect("it is piped").write_all(statements.as_bytes());
        running.wait_with_output().expect("psql ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn as_user(program: &Path, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // What a developer has set for databases of theirs is not meant for this one.
    command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(folder);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command
}

/// The programs on the path, or Debian's newest.
fn programs() -> Option<PathBuf> {
    let has = |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).exists());
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(has) {
        return Some(folder);
    }
    let versions = std::fs::read_dir(DEBIAN).ok()?.filter_map(Result::ok);
    let number = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    versions.map(|version| version.path().join("bin")).filter(has).max_by_key(number)
}

/// Whom to run it as, where this is root.
fn user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"])? != 0 {
        return None;
    }
    id(&["-u", USER]).zip(id(&["-g", USER]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_and_leaves_nothing_behind() {
        let server = Server::start();
        server.run("CREATE TABLE insured (id_number text); INSERT INTO insured VALUES ('1')");
        let folder = server.folder.path().to_owned();
        let holder = std::fs::read_to_string(folder.join("data/postmaster.pid")).expect("it runs");
        let holder = format!("/proc/{}", holder.lines().next().expect("its number"));
        assert!(Path::new(&holder).exists());
        drop(server);
        assert!(!Path::new(&holder).exists() && !folder.exists());
    }
}
