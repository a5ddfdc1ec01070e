//! Playing a page: one script in one shell, on a network of its own.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fengni_tests::{Deadline, Load, Network, binary, fengni, free_ports, until};
use tempfile::TempDir;

use crate::page::{Kind, Page, missing, with_codes};

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What every page begins with.
const HEAD: &str = r#"set -eu -o pipefail
ends_with() {
    local wanted=$1 code=0
    shift
    "$@" || code=$?
    [ "$code" = "$wanted" ] || { echo "exit code $code in place of $wanted: $*"; return 1; }
}
"#;

/// Where a page begins.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// In an empty folder.
    Nothing,
    /// In the folder of a sample network that runs, and in which clerks are at work, so that heights
    /// follow one another.
    Network,
}

/// Runs the commands of a page and compares what they show.
pub fn play(page: &Page, scene: Scene) {
    match scene {
        Scene::Nothing => {
            let folder = tempfile::tempdir().expect("a folder for the test");
            let port = free_ports().to_string();
            run(page, Stage::new(folder.path()), &[("PORT", port)]);
        }
        Scene::Network => {
            let mut network = Network::made();
            let home = network.home();
            let stage = Stage::new(&home);
            let _ = fengni(&["up", "--home", &home.display().to_string()], b"").expect(0);
            let load = Load::start(&network, 1);
            let port = network.more_ports()[0].to_string();
            let node = network.node("amr");
            let relay = node.relay.clone().expect("a validator");
            let doors = [("ADMIN", node.admin.clone()), ("GATEWAY", node.gateway.clone()), ("RELAY", relay)];
            run(page, stage, &[&doors[..], &[("PORT", port)]].concat());
            let _ = load.stop();
        }
    }
}

/// The folder in which a page is played; whatever it started ends with it.
struct Stage {
    folder: PathBuf,
    outputs: TempDir,
    shell: Option<Child>,
}

impl Stage {
    fn new(folder: &Path) -> Self {
        let outputs = tempfile::tempdir().expect("a folder for the test");
        Self { folder: folder.to_owned(), outputs, shell: None }
    }

    fn output(&self, line: usize) -> PathBuf {
        self.outputs.path().join(line.to_string())
    }

    /// The script of a page: each fence writes into a file of its own.
    fn script(&self, page: &Page) -> String {
        let mut script = HEAD.to_owned();
        for fence in page.fences.iter().filter(|fence| fence.kind == Kind::Commands) {
            let (commands, output) = (with_codes(&fence.text), self.output(fence.line));
            script.push_str(&format!("{{\n{commands}}} > {} 2>&1\n", output.display()));
        }
        script
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.shell {
            // What the page left running in the background is in the group of its shell.
            let group = format!("-{}", shell.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
            let _ = shell.wait();
        }
        for home in [&self.folder, &self.folder.join("net")] {
            if home.join("network.json").exists() {
                let _ = fengni(&["down", "--kill", "--home", &home.display().to_string()], b"");
            }
        }
    }
}

fn run(page: &Page, mut stage: Stage, variables: &[(&str, String)]) {
    let script = stage.outputs.path().join("script");
    std::fs::write(&script, stage.script(page)).expect("the folder is writable");
    let programs = binary("fengni").parent().expect("programs are in a folder").display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let shell = Command::new("bash")
        .arg(&script)
        .current_dir(&stage.folder)
        .env("PATH", path)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("bash starts");
    let shell = stage.shell.insert(shell);
    let what = format!("{} is played", page.name);
    let ended = until(&what, Deadline(PATIENCE), || shell.try_wait().expect("our own child"));

    let mut said = String::new();
    for fence in &page.fences {
        let place = format!("{}:{}", page.name, fence.line);
        match fence.kind {
            Kind::Commands => {
                said = std::fs::read_to_string(stage.output(fence.line)).unwrap_or_default();
                let reached =
                    page.fences.iter().any(|later| later.line > fence.line && stage.output(later.line).exists());
                assert!(reached || ended.success() || !stage.output(fence.line).exists(), "{place} failed: {said}");
            }
            Kind::Shown => {
                let line = missing(&fence.text, &said);
                assert!(
                    line.is_none(),
                    "{place}: {:?} is not shown by the commands before it: {said}",
                    line.unwrap_or_default()
                );
            }
        }
    }
    assert!(ended.success(), "{}: the script ends with {ended}", page.name);
}
