//! That the search can find anything.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fengni_genesis::sample;

use super::search::{BYTES_MIN, Search, fields, forms};

#[test]
fn cat03_the_search_finds_every_planted_form() {
    let fields = fields();
    let search = Search::of(&fields);
    let folder = tempfile::tempdir().expect("a folder for the test");
    let planted = folder.path().join("deep").join("planted");
    std::fs::create_dir(planted.parent().expect("a folder")).expect("the test's own folder");
    for (field, value) in &fields {
        for (form, bytes) in forms(value) {
            let noise = [0xa5; 700];
            std::fs::write(&planted, [&noise[..], &bytes, &noise].concat()).expect("the test's own folder");
            let mut found = BTreeSet::new();
            assert_eq!(search.look_in_files(folder.path(), &mut found), 1);
            let place = planted.display();
            assert!(found.contains(&format!("{field} in {form} in {place}")), "{field} in {form} is not found");
        }
    }
}

#[test]
fn cat03_base64_is_found_wherever_the_field_begins() {
    let fields = fields();
    let search = Search::of(&fields);
    for (field, value) in fields.iter().filter(|(_, value)| value.len() >= BYTES_MIN) {
        for before in ["", "x", "xy", "xyz"] {
            let text = STANDARD.encode(format!("{before}{value}, and more"));
            let mut found = BTreeSet::new();
            search.look("a text", text.as_bytes(), &mut found);
            assert!(found.iter().any(|hit| hit.starts_with(&format!("{field} in UTF-8 as base64"))), "{field}");
        }
    }
}

#[test]
fn cat03_what_is_planted_in_a_dump_is_found() {
    let fields = fields();
    let search = Search::of(&fields);
    let person = sample::people()[0];
    let mut dump = Vec::new();
    for part in ["lines", "a key", &person.number.repeat(3)] {
        dump.extend((part.len() as u64).to_be_bytes());
        dump.extend(part.as_bytes());
    }
    let mut found = BTreeSet::new();
    assert_eq!(search.look_in_dump(&dump, &mut found), BTreeMap::from([("lines".to_owned(), 1)]));
    assert!(found.iter().any(|hit| hit.starts_with(&format!("number of {}", person.key))), "what was planted is found");
}
