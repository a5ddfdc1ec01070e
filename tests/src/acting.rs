//! What members' people type, and what others read, on the network's clock.

use serde_json::Value;

use crate::command::Answer;
use crate::network::Network;

impl Network {
    /// A command of a member, as its people type it, with `--json`, its folder and the map.
    pub fn member_command(&self, member: &str, command: &[&str]) -> Answer {
        let home = self.home().join("members").join(member).display().to_string();
        self.fengni(&[&["--json"], command, &["--home", &home, "--network", &self.map()]].concat(), b"")
    }

    /// The same for an act with a reason, whose decision this makes up.
    ///
    /// # Panics
    /// When the decision cannot be written.
    pub fn decree(&self, member: &str, command: &[&str], reason: &str) -> Answer {
        let decision = self.written("decision.txt", "a decision of a test");
        self.member_command(member, &[command, &["--reason", reason, "--decision", &decision]].concat())
    }

    /// A command that only reads, with `--json` and the map.
    pub fn view(&self, command: &[&str]) -> Answer {
        self.fengni(&[&["--json"], command, &["--network", &self.map()]].concat(), b"")
    }

    /// As [`Network::member_command`], which must be done, and known to every node before this returns.
    ///
    /// # Panics
    /// When it is refused.
    pub fn done(&self, member: &str, command: &[&str]) -> Value {
        let answer = self.member_command(member, command).expect(0).json();
        self.wait_together();
        answer
    }

    /// As [`Network::decree`], which must be done, and known to every node before this returns.
    ///
    /// # Panics
    /// When it is refused.
    pub fn decreed(&self, member: &str, command: &[&str], reason: &str) -> Value {
        let answer = self.decree(member, command, reason).expect(0).json();
        self.wait_together();
        answer
    }

    /// Writes a file of a story, and says where it is.
    ///
    /// # Panics
    /// When the folder is not writable.
    pub fn written(&self, name: &str, text: &str) -> String {
        let path = self.scratch().join(name);
        std::fs::write(&path, text).expect("the folder is writable");
        path.display().to_string()
    }
}
