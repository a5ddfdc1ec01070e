//! A row: what is tampered with, which tool is asked, and what it must say.

use fengni_tests::liar::Rule;
use fengni_tests::{Answer, fengni};
use serde_json::Value;

use crate::world::World;

/// What is tampered with.
pub enum Lie {
    /// A file of a history, for `fengni check`.
    History(fn(&mut Value)),
    /// A file of an audit, for `fengni check`.
    Audit(fn(&mut Value)),
    /// A file of a verdict, for `fengni check`.
    Verdict(fn(&mut Value)),
    /// What the gateway answers that a tool asks.
    Gateway(Tool, Vec<Rule>),
    /// The founding document is another network's.
    Founding(Tool),
}

/// A command that asks gateways, or reads a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tool {
    /// `fengni history --prove`.
    History,
    /// `fengni audit book`, of a book.
    Book,
    /// The same, of a department.
    Department,
    /// `fengni verify`.
    Verify,
    /// `fengni trust update`, with a store that is up to date.
    Trust,
    /// `fengni audit replay`.
    Replay,
    /// `fengni check` of the history as it was written.
    Check,
}

/// One way of tampering.
pub struct Row {
    /// What is done.
    pub name: &'static str,
    /// To what.
    pub lie: Lie,
    /// The tool's exit code.
    pub code: i32,
    /// What it says, all of it; `{liar}` stands for the lying gateway.
    pub says: Vec<String>,
    /// What it must not say: that something else is wrong.
    pub never: Vec<String>,
    /// Whether the tool gives the right answer where an honest gateway is named as well.
    pub healed: bool,
    /// Whether the tool is told, where the liar is alone, that a state of a second is too old.
    pub stale: bool,
}

impl Row {
    /// A row about a file.
    pub fn file(name: &'static str, lie: Lie, code: i32, says: &[&str]) -> Self {
        let says = says.iter().map(|says| (*says).to_owned()).collect();
        Self { name, lie, code, says, never: Vec::new(), healed: false, stale: false }
    }

    /// A row about a gateway that lies.
    pub fn gateway(name: &'static str, tool: Tool, rules: Vec<Rule>, code: i32, says: &[&str]) -> Self {
        Self { healed: true, ..Self::file(name, Lie::Gateway(tool, rules), code, says) }
    }

    /// What must not be blamed.
    pub fn never(mut self, never: &[&str]) -> Self {
        self.never = never.iter().map(|never| (*never).to_owned()).collect();
        self
    }

    /// Where a second gateway does not help: the tool reads one alone.
    pub fn alone(mut self) -> Self {
        self.healed = false;
        self
    }

    /// What the liar shows was true seconds ago: alone, it is believed for as long as a state may stand
    /// for the present, which is made short.
    pub fn stale(mut self) -> Self {
        self.stale = true;
        self
    }

    /// Tampers, asks, and compares; what is wrong otherwise.
    pub fn run(&self, world: &World) -> Result<(), String> {
        let altered = |path: &std::path::Path, alter: &fn(&mut Value)| {
            let text = std::fs::read_to_string(path).expect("the world wrote it");
            let mut file: Value = serde_json::from_str(&text).expect("a file of JSON");
            let before = file.clone();
            alter(&mut file);
            assert_ne!(file, before, "{}: nothing was altered", self.name);
            let path = world.scratch("altered");
            std::fs::write(&path, file.to_string()).expect("the folder is writable");
            world.check(&path, &world.genesis)
        };
        match &self.lie {
            Lie::History(alter) => self.judge(world, &altered(&world.history, alter), "the file"),
            Lie::Audit(alter) => self.judge(world, &altered(&world.audit, alter), "the file"),
            Lie::Verdict(alter) => self.judge(world, &altered(&world.verdict, alter), "the file"),
            Lie::Founding(tool) => {
                self.judge(world, &world.ask(*tool, &[&world.honest()], &world.other_genesis), "another founding")
            }
            Lie::Gateway(tool, _) => {
                world.liar.lie(self.rules());
                let older = if self.stale { &["--max-age", "0s"][..] } else { &[] };
                let answer = world.ask_with(*tool, &[&world.liar.url()], &world.genesis, older);
                let alone = self.judge(world, &answer, "alone");
                let both = match self.healed {
                    true => self.heals(world, &world.ask(*tool, &[&world.liar.url(), &world.honest()], &world.genesis)),
                    false => Ok(()),
                };
                world.liar.be_honest();
                alone.and(both)
            }
        }
    }

    fn rules(&self) -> Vec<Rule> {
        match &self.lie {
            Lie::Gateway(_, rules) => rules.clone(),
            _ => Vec::new(),
        }
    }

    fn judge(&self, world: &World, answer: &Answer, how: &str) -> Result<(), String> {
        let said = format!("{}{}", answer.out, answer.err);
        let wrong = |what: String| Err(format!("- {} ({how}): {what}\n    it said: {}", self.name, said.trim()));
        if answer.code != self.code {
            return wrong(format!("exit code {} in place of {}", answer.code, self.code));
        }
        for says in &self.says {
            let says = says.replace("{liar}", &world.liar.url());
            if !said.contains(&says) {
                return wrong(format!("it does not say {says:?}"));
            }
        }
        match self.never.iter().find(|never| said.contains(never.as_str())) {
            Some(never) => wrong(format!("it blames {never:?}")),
            None => Ok(()),
        }
    }

    /// With an honest gateway beside the liar, the right answer comes.
    fn heals(&self, world: &World, answer: &Answer) -> Result<(), String> {
        let said = format!("{}{}", answer.out, answer.err).replace(&world.liar.url(), "the liar");
        let old = format!("header {} of", world.before);
        // A node that was asked nothing which it lies about is no liar.
        let names = self.says.iter().any(|says| says.contains("{liar}"));
        if answer.code == 0 && !said.contains(&old) && (!names || said.contains("the liar")) {
            return Ok(());
        }
        Err(format!(
            "- {} (with an honest gateway): exit code {}\n    it said: {}",
            self.name,
            answer.code,
            said.trim()
        ))
    }
}

/// Every tool says that it holds, where nobody tampers; the liar passes everything on as it is.
pub fn assert_all_hold(world: &World) {
    world.liar.be_honest();
    for tool in [Tool::History, Tool::Book, Tool::Department, Tool::Verify, Tool::Trust, Tool::Replay, Tool::Check] {
        let answer = world.ask(tool, &[&world.liar.url()], &world.genesis);
        assert_eq!(answer.code, 0, "{tool:?}: {answer:?}");
    }
    for file in [&world.history, &world.audit, &world.verdict] {
        let answer = world.check(file, &world.genesis);
        assert_eq!(answer.code, 0, "{}: {answer:?}", file.display());
    }
}

/// Runs a command.
pub fn run(arguments: &[String]) -> Answer {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    fengni(&arguments, b"")
}
