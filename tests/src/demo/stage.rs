//! The stage: a network, the commands of the story, and what each should answer.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::gateway;
use crate::binaries::pages;
use crate::command::{Answer, fengni};

/// A running sample network and how the story went so far.
pub struct Demo {
    home: PathBuf,
    steps: Cell<usize>,
    wrong: Cell<usize>,
    mine: RefCell<Option<Mine>>,
}

/// What a holder opens on her own page.
struct Mine {
    query: String,
    files: Vec<String>,
}

impl Demo {
    /// Makes the network anew and starts it. From now on an interrupt stops its processes.
    ///
    /// # Errors
    /// Why there is no network.
    pub fn begin(folder: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let home = folder.canonicalize().map_err(|error| error.to_string())?.join("net");
        let text = home.display().to_string();
        if home.join("network.json").exists() {
            // An earlier demo may still run.
            gateway::stop(&home);
            let _ = fengni(&["down", "--home", &text], b"");
            std::fs::remove_dir_all(&home).map_err(|error| format!("{text}: {error}"))?;
        }
        stop_on_interrupt(home.clone())?;
        let demo = Self { home, steps: Cell::default(), wrong: Cell::default(), mine: RefCell::default() };
        demo.title("Four departments and an observer begin a register / 四个部门与一个观察节点建立登记簿");
        let pages = pages().map(|folder| folder.display().to_string());
        let mut sample = vec!["sample", "--home", &text];
        sample.extend(pages.iter().flat_map(|folder| ["--pages", folder]));
        for arguments in [sample, vec!["up", "--home", &text]] {
            let answer = demo.run(&arguments);
            if answer.code != 0 {
                return Err(format!("fengni {} failed: {}", arguments[0], answer.err));
            }
        }
        Ok(demo)
    }

    /// A path in the network's folder.
    pub fn path(&self, inside: &str) -> String {
        self.home.join(inside).display().to_string()
    }

    /// The URL of a node's gateway.
    ///
    /// # Panics
    /// When the map names no such node.
    pub fn gateway(&self, node: &str) -> String {
        self.listener(node, "gateway")
    }

    /// The URL of a validator's relay.
    ///
    /// # Panics
    /// When the map names no such node.
    pub fn relay(&self, node: &str) -> String {
        self.listener(node, "relay")
    }

    fn listener(&self, node: &str, which: &str) -> String {
        let map = std::fs::read(self.home.join("network.json")).expect("sample wrote the map");
        let map: Value = serde_json::from_slice(&map).expect("the map is JSON");
        let nodes = map["nodes"].as_array().expect("the map lists nodes");
        let found = nodes.iter().find(|found| found["name"] == node).expect("the map names the node");
        found[which].as_str().expect("the node has it").to_owned()
    }

    /// The height of the network; 0 where no node says.
    pub fn height(&self) -> u64 {
        let home = self.home.display().to_string();
        let status: Value =
            serde_json::from_str(&fengni(&["--json", "status", "--home", &home], b"").out).unwrap_or_default();
        let heights = status["nodes"].as_array().into_iter().flatten().filter_map(|node| node["height"].as_u64());
        heights.max().unwrap_or_default()
    }

    /// What a holder can open on her own page, for whoever looks at the network after the story.
    ///
    /// - `query`: of the page's address.
    /// - `files`: what the page asks her for.
    pub fn mine(&self, query: &str, files: &[&str]) {
        let files = files.iter().map(|file| quoted(&self.home, file)).collect();
        self.mine.replace(Some(Mine { query: query.to_owned(), files }));
    }

    /// Writes a file of the story, such as a decision document.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("the demo's folder is writable");
        path
    }

    /// Begins a chapter.
    #[expect(clippy::print_stdout)]
    pub fn title(&self, text: &str) {
        println!("\n== {text}");
    }

    /// Runs a command and prints it as it would be typed.
    #[expect(clippy::print_stdout)]
    fn typed(&self, arguments: &[&str]) -> Answer {
        let words: Vec<String> = arguments.iter().map(|argument| quoted(&self.home, argument)).collect();
        println!("$ fengni {}", words.join(" "));
        fengni(arguments, b"")
    }

    /// Runs a command and prints it with its answer.
    #[expect(clippy::print_stdout)]
    pub fn run(&self, arguments: &[&str]) -> Answer {
        let answer = self.typed(arguments);
        for line in answer.out.lines().chain(answer.err.lines().filter(|_| answer.code == 3)) {
            println!("  {line}");
        }
        answer
    }

    /// Runs a command whose answer is a picture, and prints only the command.
    #[expect(clippy::print_stdout)]
    fn run_quietly(&self, arguments: &[&str]) {
        let answer = self.typed(arguments);
        if answer.code != 0 {
            println!("  {}", answer.err.trim());
        }
    }

    /// The credit code of a member, as the founding document has it.
    ///
    /// # Panics
    /// When the sample has no such member.
    fn member_code(&self, key: &str) -> String {
        let body = fengni_genesis::sample::bodies().iter().find(|body| body.key == key);
        body.expect("a sample member").credit_code().to_string()
    }

    /// Runs a command that should end with this exit code and say this.
    pub fn expect(&self, what: &str, code: i32, says: &str, arguments: &[&str]) -> Answer {
        let answer = self.run(arguments);
        let right = answer.code == code && (answer.out.contains(says) || answer.err.contains(says));
        self.judge(what, right, &format!("exit code {code} and {says:?}"));
        answer
    }

    /// Shows a certificate and has it scanned: the picture goes from the wallet to the verifier.
    pub fn scan(&self, what: &str, certificate: &str, purpose: &str, verifier: &str, node: &str, verdict: &str) {
        let picture = self.path("code.png");
        let map = self.path("network.json");
        self.run_quietly(&["show", certificate, "--purpose", purpose, "--png", &picture, "--network", &map]);
        self.verify(what, &picture, purpose, verifier, node, verdict);
    }

    /// Verifies a picture, trusting the founding document alone and asking one node.
    pub fn verify(&self, what: &str, picture: &str, purpose: &str, verifier: &str, node: &str, verdict: &str) {
        let (gateway, genesis) = (self.gateway(node), self.path("genesis.bin"));
        let verifier = self.member_code(verifier);
        let arguments =
            ["verify", picture, "--as", &verifier, "--purpose", purpose, "--gateway", &gateway, "--genesis", &genesis];
        let answer = self.run(&arguments);
        let first = answer.out.lines().next().unwrap_or_default();
        let right = match verdict {
            "VALID" => answer.code == 0 && first.starts_with("valid"),
            refused => answer.code == 1 && first.contains(refused),
        };
        self.judge(what, right, verdict);
    }

    /// Notes whether a step went as it should.
    #[expect(clippy::print_stdout)]
    pub fn judge(&self, what: &str, right: bool, expected: &str) {
        self.steps.set(self.steps.get() + 1);
        if right {
            println!("  ok: {what}: {expected}");
        } else {
            self.wrong.set(self.wrong.get() + 1);
            println!("  WRONG: {what}: expected {expected}");
        }
    }

    /// Whether every step went as it should, with the count.
    #[expect(clippy::print_stdout)]
    pub fn conclude(&self) -> bool {
        let (steps, wrong) = (self.steps.get(), self.wrong.get());
        println!("\n{} of {steps} answers were the expected ones", steps - wrong);
        wrong == 0
    }

    /// Stops the network.
    pub fn end(&self) {
        gateway::stop(&self.home);
        self.run(&["down", "--home", &self.home.display().to_string()]);
    }

    /// Says where the network runs and how to stop it.
    #[expect(clippy::print_stdout)]
    pub fn leave_running(&self) {
        println!("\nThe network goes on:");
        for node in ["gov", "psb", "amr", "hrs", "observer"] {
            println!("  {node:9} {}/v1/network", self.gateway(node));
        }
        if pages().is_some() {
            println!("  pages     {}/web/", self.gateway("observer"));
            if let Some(Mine { query, files }) = &*self.mine.borrow() {
                println!("  her own   {}/web/mine.html{query}", self.gateway("observer"));
                println!("            with {} of {}", files.join(", "), self.home.display());
            }
        } else {
            println!("  pages     none yet: make web, then make demo again");
        }
        println!("next: fengni status --home {0}, and fengni down --home {0}", self.home.display());
        if self.mine.borrow().is_some() {
            println!("      kill $(cat {}) ends the provider's gateway", gateway::pid_file(&self.home).display());
        }
    }
}

/// An argument as it would be typed, with paths inside the demo shortened.
fn quoted(home: &Path, argument: &str) -> String {
    let short = argument.replace(&format!("{}/", home.display()), "");
    if short.contains(' ') { format!("'{short}'") } else { short }
}

/// Stops the network's processes when the demo is interrupted.
fn stop_on_interrupt(home: PathBuf) -> Result<(), String> {
    ctrlc::set_handler(move || {
        eprintln!("\ninterrupted: stopping the network");
        gateway::stop(&home);
        let _ = fengni(&["down", "--home", &home.display().to_string()], b"");
        std::process::exit(130);
    })
    .map_err(|error| error.to_string())
}
