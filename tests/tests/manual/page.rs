//! Pages: the fences of a Markdown file.

use std::path::{Path, PathBuf};

/// A page of the manual.
#[derive(Debug)]
pub struct Page {
    /// Its file's name.
    pub name: String,
    /// Its fences, in order.
    pub fences: Vec<Fence>,
}

/// A fence of a page.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence {
    /// Line of the page on which it begins, from 1.
    pub line: usize,
    /// What it holds.
    pub kind: Kind,
    /// Its lines.
    pub text: String,
}

/// What a fence holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Commands.
    Commands,
    /// What the commands before it show.
    Shown,
}

/// The manual's folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../node/docs")
}

impl Page {
    /// Reads a page.
    pub fn load(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        Self::parse(&name, &text).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    /// The fences of a text; what is wrong with it, if it cannot be played.
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut fences: Vec<Fence> = Vec::new();
        let mut open = false;
        for (line, content) in (1..).zip(text.lines()) {
            match content.trim_start().strip_prefix("```") {
                Some("") if open => open = false,
                Some(word) if !open => {
                    let kind = match word {
                        "sh" => Kind::Commands,
                        "text" if fences.is_empty() => {
                            return Err(format!("{name}:{line}: nothing is shown before a command"));
                        }
                        "text" => Kind::Shown,
                        _ => return Err(format!("{name}:{line}: nobody knows what a fence of {word:?} is")),
                    };
                    fences.push(Fence { line, kind, text: String::new() });
                    open = true;
                }
                _ if open => {
                    let fence = fences.last_mut().expect("one is open");
                    fence.text.push_str(content);
                    fence.text.push('\n');
                }
                _ => (),
            }
        }
        match () {
            () if open => Err(format!("{name}: a fence has no end")),
            () if fences.is_empty() => Err(format!("{name}: a page has no command that anybody has run")),
            () => Ok(Self { name: name.to_owned(), fences }),
        }
    }
}

/// Commands in which each that ends in `# exit code N` has to end with that code.
pub fn with_codes(commands: &str) -> String {
    let mut done = String::new();
    // Lines that end in a backslash belong to the command that follows.
    let mut begun = String::new();
    for line in commands.lines() {
        begun.push_str(line);
        begun.push('\n');
        if line.ends_with('\\') {
            continue;
        }
        match line.rsplit_once("# exit code ").map(|(_, code)| code.trim()) {
            Some(code) => done.push_str(&format!("ends_with {code} {}", begun.trim_start())),
            None => done.push_str(&begun),
        }
        begun.clear();
    }
    done + &begun
}

/// The first line of a `text` fence that an output does not have where it should.
pub fn missing<'a>(shown: &'a str, output: &str) -> Option<&'a str> {
    let plain = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut said = output.lines().map(plain);
    let is_in = |wanted: &str, line: &str| {
        let mut rest = line;
        wanted.split("...").map(str::trim).all(|part| {
            let found = rest.find(part);
            found.map(|place| rest = &rest[place + part.len()..]).is_some()
        })
    };
    shown.lines().filter(|line| !line.trim().is_empty()).find(|line| {
        let wanted = plain(line);
        !said.any(|line| is_in(&wanted, &line))
    })
}

#[test]
fn a_page_is_refused_that_nobody_could_play() {
    let parse = |text: &str| Page::parse("page.md", text).map(|page| page.fences);
    let fences = parse("# A\n\n```sh\nls\n```\nas\n```text\nb\n```\n").expect("a page");
    assert_eq!(fences[0], Fence { line: 3, kind: Kind::Commands, text: "ls\n".to_owned() });
    assert_eq!(fences[1], Fence { line: 7, kind: Kind::Shown, text: "b\n".to_owned() });
    for (wrong, why) in [
        ("# A\n\nwords\n", "no command"),
        ("```sh\nls\n", "no end"),
        ("```console\n$ ls\n```\n", "nobody knows"),
        ("```\nls\n```\n", "nobody knows"),
        ("```text\nb\n```\n", "before a command"),
    ] {
        let said = parse(wrong).expect_err(why);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_command_that_is_meant_to_fail_says_so() {
    let with = with_codes("ls\nfengni a \\\n  b  # exit code 2\nls\n");
    assert_eq!(with, "ls\nends_with 2 fengni a \\\n  b  # exit code 2\nls\n");
    assert_eq!(missing("a ... c\nd\n", "x\nstart a  b   c end\nd\n"), None);
    assert_eq!(missing("d\na\n", "a\nd\n"), Some("a"));
    assert_eq!(missing("a ... b\n", "b a\n"), Some("a ... b"));
}
