//! Numbered lists: our own against rs_merkle and against the recursion of RFC 9162. Rules L-1 to
//! L-5, D-2: `sdk/spec/lists.md`, `digests.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::{SUITES, cases, domain, hex_of, variant, vectors};
use fengni_core::list::{Frontier, ListKind, NumberedList, PathError, fold_path, list_digest};
use fengni_core::tree::{self, SubsetError, fold_subset, subset_siblings};
use fengni_core::{Digest, Suite};
use proptest::prelude::*;
use serde_json::{Value, json};

/// RFC 9162 section 2.1.1, word for word, with no hasher of ours.
fn tree_hash(suite: Suite, entries: &[Vec<u8>]) -> Digest {
    fn sha(suite: Suite, bytes: &[u8]) -> Digest {
        use sha2::Digest as _;
        match suite {
            Suite::Standard => Digest(sha2::Sha256::digest(bytes).into()),
            Suite::Trial => Digest(sha2::Sha512_256::digest(bytes).into()),
        }
    }
    match entries.len() {
        0 => sha(suite, &[]),
        1 => sha(suite, &[&[0], entries[0].as_slice()].concat()),
        n => {
            let k = (0..).map(|bit| 1usize << bit).take_while(|k| *k < n).last().expect("n is at least 2");
            let (left, right) = (tree_hash(suite, &entries[..k]), tree_hash(suite, &entries[k..]));
            sha(suite, &[&[1], &left.0[..], &right.0[..]].concat())
        }
    }
}

/// RFC 9162 section 2.1.3.1, word for word.
fn rfc_path(suite: Suite, number: usize, entries: &[Vec<u8>]) -> Vec<Digest> {
    if entries.len() == 1 {
        return vec![];
    }
    let k = (0..).map(|bit| 1usize << bit).take_while(|k| *k < entries.len()).last().expect("at least 2");
    let (left, right) = entries.split_at(k);
    let (mut path, sibling) = match number < k {
        true => (rfc_path(suite, number, left), tree_hash(suite, right)),
        false => (rfc_path(suite, number - k, right), tree_hash(suite, left)),
    };
    path.push(sibling);
    path
}

fn entry(number: usize) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

fn leaves(suite: Suite, entries: &[Vec<u8>]) -> Vec<Digest> {
    entries.iter().map(|entry| suite.leaf(entry)).collect()
}

fn list_of(suite: Suite, entries: &[Vec<u8>]) -> NumberedList {
    let mut list = NumberedList::new(suite, ListKind::Shelf);
    for (entry, number) in entries.iter().zip(0..) {
        assert_eq!(list.append(entry), number);
    }
    list
}

#[test]
fn l1_every_size_up_to_300_has_the_root_and_paths_of_rfc_9162_and_of_rs_merkle() {
    for suite in SUITES {
        let mut list = NumberedList::new(suite, ListKind::Shelf);
        let mut entries = Vec::new();
        for size in 0..=300usize {
            let leaves = leaves(suite, &entries);
            let root = tree_hash(suite, &entries);
            assert_eq!(list.root(), root, "{suite:?} {size}");
            assert_eq!(tree::root(suite, &leaves), root, "{suite:?} {size}");
            assert_eq!(list.path(size as u64), None);
            assert_eq!(tree::path(suite, &leaves, size), None);
            // Every path of the small sizes, the telling ones of the large.
            let all = 0..size;
            let telling =
                |number: &usize| size <= 40 || *number < 2 || *number + 2 >= size || number.is_multiple_of(37);
            for number in all.filter(telling) {
                let path = list.path(number as u64).expect("there");
                assert_eq!(path, rfc_path(suite, number, &entries), "{suite:?} {number} of {size}");
                assert_eq!(tree::path(suite, &leaves, number), Some(path.clone()));
                let folded = fold_path(suite, leaves[number], number as u64, size as u64, &path);
                assert_eq!(folded, Ok(root));
            }
            entries.push(entry(size));
            assert_eq!(list.append(&entries[size]), size as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn l1_appending_and_replacing_gives_the_list_of_the_final_entries(
        start in 0usize..70,
        changes in prop::collection::vec((any::<u16>(), any::<[u8; 3]>()), 0..60),
        trial in any::<bool>(),
    ) {
        let suite = if trial { Suite::Trial } else { Suite::Standard };
        let mut entries: Vec<Vec<u8>> = (0..start).map(entry).collect();
        let mut list = list_of(suite, &entries);
        for (place, bytes) in changes {
            // A copy shares its nodes and stays what it was.
            let (before, copy) = (list.root(), list.clone());
            match usize::from(place) % (entries.len() + 1) {
                at if at == entries.len() => {
                    entries.push(bytes.to_vec());
                    list.append(&bytes);
                }
                at => {
                    entries[at] = bytes.to_vec();
                    list.replace(at as u64, &bytes);
                }
            }
            prop_assert_eq!(list.len(), entries.len() as u64);
            prop_assert_eq!(list.root(), tree_hash(suite, &entries));
            prop_assert_eq!(copy.root(), before);
        }
        for number in 0..entries.len() {
            prop_assert_eq!(list.path(number as u64), Some(rfc_path(suite, number, &entries)));
        }
    }

    #[test]
    fn l2_a_frontier_has_the_digest_of_its_list_however_it_was_begun(
        start in 0usize..300, more in 0usize..300, trial in any::<bool>(),
    ) {
        let suite = if trial { Suite::Trial } else { Suite::Standard };
        let mut list = list_of(suite, &(0..start).map(entry).collect::<Vec<_>>());
        let mut frontier = Frontier::of(&list);
        for number in start..start + more {
            prop_assert_eq!(frontier.root(), list.root());
            prop_assert_eq!(frontier.append(&entry(number)), list.append(&entry(number)));
        }
        prop_assert_eq!((frontier.len(), frontier.root()), (list.len(), list.root()));
        prop_assert_eq!(frontier.digest(&domain()), list.digest(&domain()));
        prop_assert_eq!(frontier.is_empty(), list.is_empty());
    }

    #[test]
    fn l4_a_path_fits_one_entry_of_one_size(
        size in 1u64..600, number in any::<u64>(), other_size in 0u64..700, other_number in 0u64..700, cut in 0usize..12,
    ) {
        let suite = Suite::Standard;
        let number = number % size;
        let entries: Vec<Vec<u8>> = (0..size as usize).map(entry).collect();
        let list = list_of(suite, &entries);
        let (leaf, path) = (suite.leaf(&entry(number as usize)), list.path(number).expect("there"));
        let fold = |number, size, path: &[Digest]| fold_path(suite, leaf, number, size, path);
        prop_assert_eq!(fold(number, size, &path), Ok(list.root()));
        // Another number never leads to the root with this path and leaf; another size has
        // another digest even where the root comes out the same.
        if other_number != number {
            prop_assert_ne!(fold(other_number, size, &path), Ok(list.root()));
        }
        if other_size != size {
            let folded = fold(number, other_size, &path).ok();
            let digest = folded.map(|root| list_digest(&domain(), ListKind::Shelf, other_size, &root));
            prop_assert_ne!(digest, Some(list.digest(&domain())));
        }
        // Shorter and longer paths are refused as such.
        let short = &path[..path.len().saturating_sub(1 + cut)];
        if short.len() < path.len() {
            prop_assert_eq!(fold(number, size, short), Err(PathError::Length { found: short.len(), number, size }));
        }
        let long = [path.clone(), vec![list.root(); 1 + cut]].concat();
        prop_assert_eq!(fold(number, size, &long), Err(PathError::Length { found: long.len(), number, size }));
        prop_assert_eq!(fold(size + other_size, size, &path), Err(PathError::Outside { number: size + other_size, size }));
        // One bit anywhere leads elsewhere.
        if !path.is_empty() {
            let mut bent = path.clone();
            let at = cut % path.len();
            bent[at].0[cut] ^= 1;
            prop_assert_ne!(fold(number, size, &bent), Ok(list.root()));
        }
    }

    #[test]
    fn l5_any_subset_folds_to_the_root_and_only_with_its_own_siblings(
        size in 1usize..70, mask in any::<u128>(), bend in any::<u16>(), trial in any::<bool>(),
    ) {
        let suite = if trial { Suite::Trial } else { Suite::Standard };
        let leaves = leaves(suite, &(0..size).map(entry).collect::<Vec<_>>());
        let wanted: Vec<usize> = (0..size).filter(|number| mask >> number & 1 == 1).collect();
        let siblings = subset_siblings(suite, &leaves, &wanted).expect("all below the size");
        let disclosed: Vec<(usize, Digest)> = wanted.iter().map(|number| (*number, leaves[*number])).collect();
        let folded = fold_subset(suite, size, &disclosed, &siblings);
        if wanted.is_empty() {
            prop_assert_eq!(folded, Err(SubsetError::Order));
            return Ok(());
        }
        let root = tree::root(suite, &leaves);
        prop_assert_eq!(folded, Ok(root));
        let more = [siblings.clone(), vec![root]].concat();
        prop_assert_eq!(fold_subset(suite, size, &disclosed, &more), Err(SubsetError::Siblings));
        if !siblings.is_empty() {
            let fewer = &siblings[..siblings.len() - 1];
            prop_assert_eq!(fold_subset(suite, size, &disclosed, fewer), Err(SubsetError::Siblings));
            let mut bent = siblings.clone();
            let at = usize::from(bend) % bent.len();
            bent[at].0[0] ^= 0x80;
            prop_assert_ne!(fold_subset(suite, size, &disclosed, &bent), Ok(root));
        }
        if disclosed.len() > 1 {
            let mut swapped = disclosed.clone();
            swapped.swap(0, 1);
            prop_assert_eq!(fold_subset(suite, size, &swapped, &siblings), Err(SubsetError::Order));
            // The same leaves at other places.
            let (first, second) = (disclosed[0].1, disclosed[1].1);
            let mut moved = disclosed.clone();
            (moved[0].1, moved[1].1) = (second, first);
            prop_assert_ne!(fold_subset(suite, size, &moved, &siblings), Ok(root));
        }
        let beyond = [disclosed.clone(), vec![(size, root)]].concat();
        prop_assert_eq!(fold_subset(suite, size, &beyond, &siblings), Err(SubsetError::Order));
    }
}

#[test]
fn l5_a_size_from_a_stranger_costs_nothing() {
    let leaf = Suite::Standard.leaf(b"x");
    for size in [usize::MAX, usize::MAX / 2 + 2, 1 << 40] {
        assert_eq!(fold_subset(Suite::Standard, size, &[(0, leaf)], &[]), Err(SubsetError::Siblings));
        assert_eq!(fold_subset(Suite::Standard, size, &[(1, leaf)], &[leaf]), Err(SubsetError::Siblings));
    }
    let long = vec![leaf; 100];
    assert!(fold_path(Suite::Standard, leaf, 0, u64::MAX, &long).is_err());
    assert!(fold_path(Suite::Standard, leaf, 0, u64::MAX, &long[..64]).is_ok());
}

#[test]
fn d2_an_inner_node_is_never_a_leaf() {
    for suite in SUITES {
        let list = list_of(suite, &[entry(0), entry(1), entry(2), entry(3)]);
        let (left, right) = (suite.leaf(&entry(0)), suite.leaf(&entry(1)));
        let node = suite.node(&left, &right);
        let path = [list.path(0).expect("there")[1]];
        // The bytes of an inner node, offered as an entry of the shorter list it would make.
        let glued = [left.0, right.0].concat();
        assert_ne!(suite.leaf(&glued), node);
        assert_eq!(fold_path(suite, node, 0, 2, &path), Ok(list.root()), "the arithmetic alone does not stop it");
        assert_ne!(fold_path(suite, suite.leaf(&glued), 0, 2, &path), Ok(list.root()));
        assert_ne!(fold_path(suite, suite.leaf(&[&[1], glued.as_slice()].concat()), 0, 2, &path), Ok(list.root()));
        // And the digest binds the size, so the shorter list is another list.
        let domain = common::domain_of(suite);
        assert_ne!(list_digest(&domain, ListKind::Shelf, 2, &list.root()), list.digest(&domain));
    }
}

#[test]
fn l2_the_digest_binds_kind_size_network_and_suite() {
    let entries: Vec<_> = (0..5).map(entry).collect();
    let root = tree_hash(Suite::Standard, &entries);
    let digest = |kind, size| list_digest(&domain(), kind, size, &root);
    assert_ne!(digest(ListKind::Pages, 5), digest(ListKind::Heads, 5));
    assert_ne!(digest(ListKind::Pages, 5), digest(ListKind::Pages, 6));
    let mut other = domain();
    other.network.0.0[0] ^= 1;
    assert_ne!(list_digest(&other, ListKind::Pages, 5, &root), digest(ListKind::Pages, 5));
    assert_ne!(list_digest(&common::domain_of(Suite::Trial), ListKind::Pages, 5, &root), digest(ListKind::Pages, 5));
}

#[test]
#[should_panic(expected = "an existing entry is replaced")]
fn replacing_an_entry_that_is_not_there_is_a_fault_of_ours() {
    list_of(Suite::Standard, &[entry(0)]).replace(1, b"x");
}

// --- vectors ----------------------------------------------------------------------------------

fn made() -> Value {
    let suite = Suite::Standard;
    let texts = |digests: &[Digest]| digests.iter().map(ToString::to_string).collect::<Vec<_>>();
    let list = |size: usize| list_of(suite, &(0..size).map(entry).collect::<Vec<_>>());
    let lists = [0, 1, 2, 3, 4, 5, 7, 8, 9, 100, 1024, 1025].map(|size| {
        let list = list(size);
        json!({ "size": size, "root": list.root(), "kind": 2, "digest": list.digest(&domain()) })
    });
    let path = |number: usize, size: usize| list(size).path(number as u64).expect("there");
    let good = [(0, 1), (0, 2), (1, 2), (2, 3), (0, 5), (4, 5), (6, 7), (3, 8), (99, 100), (1023, 1024), (1024, 1025)];
    let accepted = good.map(|(number, size)| {
        json!({ "number": number, "size": size, "path": texts(&path(number, size)), "root": list(size).root() })
    });
    let mut refused = Vec::new();
    let mut refuse = |why: &str, number: usize, claimed: usize, size: usize, path: Vec<Digest>, entry: Vec<u8>| {
        let leaf = suite.leaf(&entry);
        let folded = fold_path(suite, leaf, claimed as u64, size as u64, &path);
        let result = match &folded {
            Ok(root) if *root != list(size).root() => "OtherRoot".to_owned(),
            Ok(_) => panic!("{why} at {number} is accepted"),
            Err(error) => variant(error),
        };
        refused.push(json!({
            "why": why, "entry": hex::encode(entry), "number": claimed, "size": size, "path": texts(&path),
            "root": list(size).root(), "error": result,
        }));
    };
    refuse("the number is not below the size", 4, 5, 5, path(4, 5), entry(4));
    refuse("one hash less", 0, 0, 5, path(0, 5)[..2].to_vec(), entry(0));
    refuse("one hash more", 0, 0, 5, [path(0, 5), vec![Digest([0; 32])]].concat(), entry(0));
    refuse("the path of the neighbour", 0, 1, 5, path(0, 5), entry(0));
    refuse("the path of another size", 4, 4, 6, path(4, 5), entry(4));
    refuse(
        "one bit of a sibling",
        3,
        3,
        8,
        {
            let mut bent = path(3, 8);
            bent[1].0[0] ^= 1;
            bent
        },
        entry(3),
    );
    refuse("one bit of the entry", 3, 3, 8, path(3, 8), b"entry 2".to_vec());
    let glued = [suite.leaf(&entry(0)).0, suite.leaf(&entry(1)).0].concat();
    refuse("an inner node as an entry", 0, 0, 2, vec![path(0, 4)[1]], glued);
    let subset = |size: usize, wanted: &[usize]| {
        let leaves = leaves(suite, &(0..size).map(entry).collect::<Vec<_>>());
        let siblings = subset_siblings(suite, &leaves, wanted).expect("below");
        json!({ "size": size, "disclosed": wanted, "siblings": texts(&siblings), "root": tree::root(suite, &leaves) })
    };
    json!({
        "about": "Rules L-1 to L-5. Entry n is the text \"entry n\". Network: 32 bytes 46.",
        "network": domain().network.to_string(),
        "lists": lists,
        "paths": accepted,
        "refused": refused,
        "subsets": [
            subset(1, &[0]), subset(5, &[0]), subset(5, &[4]), subset(5, &[0, 4]), subset(7, &[2, 3, 5]),
            subset(8, &[0, 1, 2, 3, 4, 5, 6, 7]), subset(11, &[1, 8, 10]), subset(64, &[0, 31, 32, 63]),
        ],
    })
}

#[test]
fn vectors_hold() {
    let file = vectors("lists", &made());
    let digests = |case: &Value, field: &str| -> Vec<Digest> {
        let texts = case[field].as_array().expect("a list");
        texts.iter().map(|text| Digest::from_hex(text.as_str().expect("text")).expect("32 bytes")).collect()
    };
    let number = |case: &Value, field: &str| case[field].as_u64().expect("a number");
    for case in cases(&file, "paths") {
        let leaf = Suite::Standard.leaf(&entry(number(case, "number") as usize));
        let folded =
            fold_path(Suite::Standard, leaf, number(case, "number"), number(case, "size"), &digests(case, "path"));
        assert_eq!(
            folded.map(|root| root.to_string()),
            Ok(case["root"].as_str().expect("a root").to_owned()),
            "{case}"
        );
    }
    for case in cases(&file, "refused") {
        let leaf = Suite::Standard.leaf(&hex_of(case, "entry"));
        let folded =
            fold_path(Suite::Standard, leaf, number(case, "number"), number(case, "size"), &digests(case, "path"));
        let held = folded.is_ok_and(|root| root.to_string() == case["root"].as_str().expect("a root"));
        assert!(!held, "{case}");
    }
    for case in cases(&file, "subsets") {
        let wanted =
            case["disclosed"].as_array().expect("a list").iter().map(|n| n.as_u64().expect("a number") as usize);
        let disclosed: Vec<_> = wanted.map(|n| (n, Suite::Standard.leaf(&entry(n)))).collect();
        let folded =
            fold_subset(Suite::Standard, number(case, "size") as usize, &disclosed, &digests(case, "siblings"));
        assert_eq!(
            folded.map(|root| root.to_string()),
            Ok(case["root"].as_str().expect("a root").to_owned()),
            "{case}"
        );
    }
}
