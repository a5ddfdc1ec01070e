//! The spec and the code name the same rules, refusals and states.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fengni_core::outcome::Refusal;
use fengni_core::shelf::Shelf;
use fengni_core::standing::{ActKind, Standing};

/// Rules of the pages this test reads: their letters.
const LETTERS: &str = "ABCDEFHIJKLMOPQRSTUWZ";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("sdk/spec").join(name)).expect("a page of the spec")
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, texts);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(entry).expect("a source file"));
        }
    }
}

/// A rule's letter and number at the head of a word, and what follows it.
fn rule(word: &str) -> Option<(char, u32)> {
    let (letter, rest) = word.split_once('-')?;
    let mut letters = letter.chars();
    let letter = letters.next().filter(|letter| LETTERS.contains(*letter) && letters.next().is_none())?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // P-256 is a curve.
    Some((letter, digits.parse().ok().filter(|number| *number < 100)?))
}

/// Rules a text cites; `O-1 to O-3` cites three.
fn cited(text: &str) -> BTreeSet<(char, u32)> {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || "()[],;:`*\"/!".contains(letter))
        .filter(|word| !word.is_empty())
        .collect();
    let mut rules = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        let Some((letter, number)) = rule(word) else { continue };
        rules.insert((letter, number));
        let last = words.get(at + 1).filter(|word| **word == "to").and_then(|_| rule(words.get(at + 2)?));
        if let Some((_, last)) = last.filter(|last| last.0 == letter) {
            rules.extend((number..=last).map(|number| (letter, number)));
        }
    }
    rules
}

/// Rules a page of the spec states: `**O-3, who changes a standing.**`
fn stated() -> BTreeSet<(char, u32)> {
    let mut rules = BTreeSet::new();
    for entry in fs::read_dir(root().join("sdk/spec")).expect("the spec").map(|entry| entry.expect("an entry").path()) {
        if entry.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(entry).expect("a page");
            for line in text.lines().filter_map(|line| line.strip_prefix("**")) {
                if let Some(rule) = rule(line) {
                    assert!(rules.insert(rule), "{rule:?} is stated twice");
                }
            }
        }
    }
    rules
}

#[test]
fn every_rule_in_the_code_is_in_the_spec_and_the_other_way_round() {
    let mut texts = Vec::new();
    for folder in
        ["sdk/core/src", "sdk/state/src", "sdk/signer/src", "sdk/client/src", "sdk/push/src", "node/provider/src"]
    {
        sources(&root().join(folder), &mut texts);
    }
    let (cited, stated) = (cited(&texts.join("\n")), stated());
    let unstated: Vec<_> = cited.difference(&stated).collect();
    let uncited: Vec<_> = stated.difference(&cited).collect();
    assert!(unstated.is_empty() && uncited.is_empty(), "not in the spec: {unstated:?}; not in the code: {uncited:?}");
}

/// Cells of the table rows of a page.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn the_table_of_refusals_is_that_of_the_code() {
    let listed: Vec<(String, String)> = rows(&page("operations.md"))
        .into_iter()
        .filter(|row| row[0].len() == 3 && row[0].parse::<u16>().is_ok())
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let known: Vec<_> = Refusal::ALL.iter().map(|refusal| (refusal.number().to_string(), refusal.name())).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_tables_of_states_acts_and_shelves_are_those_of_the_code() {
    let words = |name: String| {
        let spaced: String = name
            .chars()
            .flat_map(|letter| [letter.is_uppercase().then_some(' '), Some(letter.to_ascii_lowercase())])
            .flatten()
            .collect();
        spaced.trim().to_owned()
    };
    let standings = page("standings.md");
    let table = rows(&standings);
    for nibble in 0..=15u8 {
        let listed = table.iter().find(|row| row[0] == nibble.to_string() && row.len() == 5).map(|row| row[1].clone());
        let known = Standing::try_from(nibble).ok().map(|standing| words(format!("{:?}", standing.state)));
        assert_eq!(listed, known, "nibble {nibble}");
    }
    // The table of acts has two columns of columns.
    let acts: Vec<(String, String)> = table
        .iter()
        .filter(|row| row.len() == 7)
        .flat_map(|row| [(row[0].clone(), row[1].clone()), (row[4].clone(), row[5].clone())])
        .collect();
    for act in ActKind::ALL {
        let name = words(format!("{act:?}"));
        let number = (act as u8).to_string();
        assert!(acts.iter().any(|(listed, text)| *listed == number && text.starts_with(&name)), "{number} {name}");
    }
    let registries = rows(&page("registries.md"));
    for shelf in Shelf::ALL {
        let number = (shelf as usize).to_string();
        assert!(registries.iter().any(|row| row[0] == number && row[1] == shelf.name()), "{}", shelf.name());
    }
}
