//! The operator's manual (运维手册), executed: every fenced command of `node/docs` on real processes.
//!
//! A page is one shell script: its `sh` fences are run in order by bash with `set -eu -o pipefail`, in
//! the folder where `node/docs/README.md` says that a page begins, and nothing in them is replaced.
//! A `text` fence is what the commands before it show: each of its lines has to be found there, in
//! order, with `...` for whatever differs. Any other fence is refused.

#![forbid(unsafe_code)]

mod page;
mod play;

use std::collections::BTreeSet;

use page::Page;
use play::{Scene, play};

/// A test for each page.
macro_rules! pages {
    ($($name:ident: $scene:expr,)*) => {
        const PAGES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                play(&Page::load(&page::folder().join(concat!(stringify!($name), ".md"))), $scene);
            }
        )*
    };
}

pages! {
    rehearsal: Scene::Nothing,
    founding: Scene::Nothing,
    running: Scene::Network,
    keys: Scene::Network,
    members: Scene::Network,
    governing: Scene::Network,
    cases: Scene::Network,
    sharing: Scene::Network,
    orders: Scene::Network,
    auditing: Scene::Network,
    push: Scene::Network,
    offences: Scene::Network,
    stores: Scene::Network,
    recovery: Scene::Network,
    operating: Scene::Network,
}

#[test]
fn every_page_is_played_and_named_in_the_index() {
    let folder = std::fs::read_dir(page::folder()).expect("the manual is there");
    let named = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let pages: BTreeSet<String> = named.filter_map(|name| name.strip_suffix(".md").map(ToOwned::to_owned)).collect();
    let mut played: BTreeSet<String> = PAGES.iter().map(|name| (*name).to_owned()).collect();
    let index = std::fs::read_to_string(page::folder().join("README.md")).expect("the manual has an index");
    for name in &played {
        assert!(index.contains(&format!("]({name}.md)")), "the index does not name {name}.md");
    }
    // The index says how to read the others, and has no commands of its own.
    assert!(!index.contains("```"), "commands of the index belong to a page");
    played.insert("README".to_owned());
    assert_eq!(pages, played);
}
