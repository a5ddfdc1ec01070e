//! The identity of a network: one value, one byte string, one id (GOV-02).

use fengni_core::record::{MemberStatus, Roles};
use fengni_core::{Day, MemberNumber, Millis, codec};
use fengni_genesis::{Contents, Document, Format, Genesis, GenesisError, sample};
use proptest::prelude::*;

fn document() -> Document {
    sample::network(Millis(1_767_196_800_000), &sample::test_key)
}

fn genesis() -> Genesis {
    document().check().unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn g3_every_spelling_of_a_document_has_one_id() {
    let genesis = genesis();
    let again = |text: &str, format| {
        let document = Document::parse(text, format).unwrap_or_else(|problems| panic!("{problems}"));
        document.check().unwrap_or_else(|problems| panic!("{problems}")).network()
    };
    assert_eq!(again(&document().to_toml(), Format::Toml), genesis.network());
    assert_eq!(again(&genesis.to_toml(), Format::Toml), genesis.network());
    let json = serde_json::to_string_pretty(&document()).expect("a document is plain data");
    assert_eq!(again(&json, Format::Json), genesis.network());
    let decoded = Genesis::decode(&genesis.encode()).expect("its own bytes");
    assert_eq!(decoded, genesis);
    assert_eq!(again(&decoded.to_toml(), Format::Toml), genesis.network());
}

#[test]
fn g3_one_letter_of_a_name_is_another_network() {
    let mut other = document();
    other.members[3].name.push('局');
    let other = other.check().unwrap_or_else(|problems| panic!("{problems}"));
    assert_ne!(other.network(), genesis().network());
    assert_ne!(other.domain(), genesis().domain());
}

#[test]
fn g2_one_byte_changed_is_refused_or_another_network() {
    let genesis = genesis();
    let bytes = genesis.encode();
    // Every 13th byte, with the bit turned by its place: all of them take a while.
    for place in (0..bytes.len()).step_by(13) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        if let Ok(other) = Genesis::decode(&changed) {
            assert_ne!(other.network(), genesis.network(), "byte {place}");
            assert_eq!(other.encode(), changed, "byte {place}");
        }
    }
    assert!(matches!(Genesis::decode(&bytes[..bytes.len() - 1]), Err(GenesisError::Encoding(_))));
    assert!(matches!(Genesis::decode(&[bytes.as_slice(), &[0]].concat()), Err(GenesisError::Encoding(_))));
    assert!(Genesis::decode(&[]).is_err() && Genesis::decode(&[1]).is_err());
}

#[test]
fn g2_another_protocol_version_is_named() {
    let mut bytes = genesis().encode();
    bytes[0] = 2;
    assert_eq!(Genesis::decode(&bytes), Err(GenesisError::Version { found: 2 }));
}

/// What bytes can say wrong and a document cannot.
#[test]
fn g2_records_are_as_a_founding_leaves_them() {
    type Change = fn(&mut Contents);
    let changes: [(&str, Change); 12] = [
        ("parameters", |it| it.parameters.version = 2),
        ("codes.reasons", |it| it.codes[4].version = 0),
        ("codes", |it| it.codes.swap(0, 1)),
        ("codes.purposes", |it| it.codes[3].codes.swap(0, 1)),
        ("members[0]", |it| it.members[0].status = MemberStatus::Suspended),
        ("members[1]", |it| it.members[1].authorities.clear()),
        ("members[2]", |it| it.members[2].terminal_acts = (Day(1), 1)),
        ("members[3]", |it| it.members[3].keys[0].until = Some(fengni_core::Height(9))),
        ("members[4]", |it| it.members[4].roles = codec::decode::<Roles>(&[0x07, 0x80], 2).expect("two bytes")),
        ("types[0].suspenders", |it| it.types[0].suspenders.reverse()),
        ("types[1]", |it| it.types[1].schemas.clear()),
        ("authorities[2]", |it| it.authorities[2].suspended = Some(MemberNumber(0))),
    ];
    for (path, change) in changes {
        let mut contents = genesis().into_contents();
        change(&mut contents);
        let problems = Genesis::new(contents).expect_err(path);
        assert!(problems.iter().any(|found| found.rule == "G-2" && found.path == path), "{path}: {problems}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_and_texts_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Genesis::decode(&bytes).is_err());
        let versioned = [&[1, 0, 1][..], &bytes].concat();
        prop_assert!(Genesis::decode(&versioned).is_err());
        let text = String::from_utf8_lossy(&bytes);
        for format in [Format::Toml, Format::Json] {
            let parsed = Document::parse(&text, format);
            prop_assert!(parsed.is_err() || parsed.is_ok_and(|document| document.check().is_err()));
        }
    }
}

#[test]
fn deep_and_long_texts_are_refused() {
    for text in ["[".repeat(100_000), "{\"a\":".repeat(50_000) + "1" + &"}".repeat(50_000)] {
        assert!(Document::parse(&text, Format::Json).is_err());
        assert!(Document::parse(&text, Format::Toml).is_err());
    }
    let closed = "[".repeat(50_000) + &"]".repeat(50_000);
    assert!(Document::parse(&closed, Format::Json).is_err());
    assert!(Document::parse(&("a = ".to_owned() + &closed), Format::Toml).is_err());
    assert!(Document::parse(&"#".repeat(fengni_genesis::DOCUMENT_BYTES + 1), Format::Toml).is_err());
}
