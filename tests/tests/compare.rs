//! Comparing nodes, and a node whose database was altered: it serves nothing, says which entry, and is
//! the others' equal again once it has done what it said. AUD-02, AUD-04.

#![forbid(unsafe_code)]

use std::path::Path;

use fengni_tests::{Answer, Load, Network, fengni, fengni_node};
use rocksdb::{DB, Options};

/// Alters an entry of a stopped node's store, as somebody with the right tool would: column, key and
/// value are those of `node/src/store/mod.rs`, and every checksum is right afterwards.
fn alter(home: &Path, column: &str, edit: impl FnOnce(&mut Vec<u8>), key: &[u8]) {
    let folder = home.join("data/store");
    let options = Options::default();
    let columns = DB::list_cf(&options, &folder).expect("a store");
    let store = DB::open_cf(&options, &folder, columns).expect("a store of a stopped node");
    let column = store.cf_handle(column).expect("a column of that name");
    let mut value = store.get_cf(column, key).expect("a disk").expect("an entry of that key");
    edit(&mut value);
    store.put_cf(column, key, value).expect("a disk");
}

fn home(network: &Network, name: &str) -> String {
    network.node(name).home.display().to_string()
}

fn compare(network: &Network, arguments: &[&str]) -> Answer {
    let map = network.map();
    fengni(&[&["--json", "audit", "compare", "psb", "amr", "observer", "--network", &map], arguments].concat(), b"")
}

#[test]
fn aud04_a_node_with_an_altered_database_names_the_entry_and_is_equal_again_after_a_resync() {
    let network = Network::start();
    let load = Load::start(&network, 1);
    load.wait_more(4);
    load.stop();
    network.wait_agreed(&["psb", "amr", "observer"]);
    let equal = compare(&network, &["--entries"]).expect(0).json();
    assert_eq!((&equal["result"], equal["nodes"].as_array().map(Vec::len)), (&"equal".into(), Some(3)), "{equal}");
    // A running node looks at its own store beside its work.
    let home = home(&network, "psb");
    let sound = fengni_node(&["check", "--home", &home, "--store", "--json"]).expect(0).json();
    assert_eq!((&sound["result"], sound["entries"].as_u64() > Some(50)), (&"sound".into(), true), "{sound}");

    // Member 1 of the registry: shelf 1, number 1.
    assert_eq!(network.terminate("psb"), Some(0));
    let members = [1, 0, 0, 0, 1];
    alter(Path::new(&home), "records", |record| *record.last_mut().expect("bytes") ^= 1, &members);
    network.run("psb");
    assert_eq!(network.wait_end("psb"), Some(3));
    let said = network.log_end("psb");
    assert!(said.contains("records, members/1") && said.contains("next: move data/store away"), "{said}");
    let found = fengni_node(&["check", "--home", &home, "--store", "--json"]).expect(1).json();
    assert_eq!((&found["result"], &found["damage"][0]["entry"]), (&"damaged".into(), &"members/1".into()), "{found}");
    assert_eq!(found["damage"].as_array().map(Vec::len), Some(1), "{found}");
    let undecided = compare(&network, &[]).expect(2).json();
    assert_eq!(undecided["nodes"][0]["result"], "silent", "{undecided}");

    // What the message says: the guard stays, and the ledger is fetched anew.
    std::fs::rename(Path::new(&home).join("data/store"), network.scratch().join("damaged")).expect("one disk");
    network.run("psb");
    network.wait_votes("psb");
    network.wait_agreed(&["psb", "amr", "observer"]);
    let equal = compare(&network, &["--entries"]).expect(0).json();
    assert_eq!(equal["result"], "equal", "{equal}");

    // An index is made again from the lines it leads to.
    assert_eq!(network.terminate("psb"), Some(0));
    let lost = first_tag(Path::new(&home));
    alter(Path::new(&home), "tags", |place| place[11] ^= 1, &lost);
    let found = fengni_node(&["check", "--home", &home, "--store"]).expect(1);
    assert!(found.out.contains("damaged: tags, book") && found.out.contains("--repair"), "{found:?}");
    let repaired = fengni_node(&["check", "--home", &home, "--store", "--repair", "--json"]).expect(0).json();
    assert_eq!(repaired["result"], "repaired", "{repaired}");
    let sound = fengni_node(&["check", "--home", &home, "--store", "--json"]).expect(0).json();
    assert_eq!(sound["result"], "sound", "{sound}");
    network.run("psb");
    network.wait_votes("psb");
    network.wait_agreed(&["psb", "amr", "observer"]);
}

/// The key of the first entry of the index of tags.
fn first_tag(home: &Path) -> Vec<u8> {
    let folder = home.join("data/store");
    let options = Options::default();
    let columns = DB::list_cf(&options, &folder).expect("a store");
    let store = DB::open_cf_for_read_only(&options, &folder, columns, false).expect("a store");
    let column = store.cf_handle("tags").expect("a column of that name");
    let mut entries = store.iterator_cf(column, rocksdb::IteratorMode::Start);
    let (key, _) = entries.next().expect("lines were sealed").expect("a disk");
    key.into_vec()
}
