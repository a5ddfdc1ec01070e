//! Keys and signatures: one acceptance rule, with the edges where libraries differ. Rules K-1 to
//! K-5: `sdk/spec/keys.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::{cases, hex_of, variant, vectors};
use fengni_core::{KeyAlgorithm, PublicKey, SecretKey, Signature};
use serde_json::{Value, json};

const ED25519: KeyAlgorithm = KeyAlgorithm::Ed25519;
const P256: KeyAlgorithm = KeyAlgorithm::P256;

/// Order of the ed25519 group, little endian.
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/// Order of P-256, big endian.
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// What, key, message, signature.
const EDGES: [(&str, &str, &str, &str); 5] = [
    (
        "R of small order, key of mixed order: the equation holds, the rule does not",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    ),
    (
        "key and R of mixed order, the equation holds without a cofactor",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    ),
    (
        "the equation holds only with a cofactor",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
    ),
    (
        "the equation holds only with a cofactor, R of full order",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
    ),
    (
        "s above the order",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    ),
];

fn bytes<const W: usize>(text: &str) -> [u8; W] {
    hex::decode(text).expect("hexadecimal").try_into().expect("the width")
}

fn key(algorithm: KeyAlgorithm, seed: u8) -> SecretKey {
    SecretKey::from_seed(algorithm, &[seed; 32]).expect("a scalar")
}

/// a + b of 32-byte numbers, little endian, without the carry out.
fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let sums = a.iter().zip(b).map(|(a, b)| {
        carry += u16::from(*a) + u16::from(*b);
        let byte = (carry & 0xff) as u8;
        carry >>= 8;
        byte
    });
    sums.collect()
}

/// n - s for P-256, big endian.
fn negated(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0i16;
    let mut out: Vec<u8> = bytes::<32>(N)
        .iter()
        .rev()
        .zip(s.iter().rev())
        .map(|(n, s)| {
            let difference = i16::from(*n) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            (difference & 0xff) as u8
        })
        .collect();
    out.reverse();
    out
}

fn signature(algorithm: KeyAlgorithm, r: &[u8], s: &[u8]) -> Signature {
    Signature::new(algorithm, &[r, s].concat()).expect("64 bytes")
}

fn made() -> Value {
    let wire = |key: &PublicKey| hex::encode(key.wire());
    let (ed, p) = (key(ED25519, 3).public(), key(P256, 3).public());
    let good = [("ed25519", ed), ("p256, even y or odd", p), ("p256", key(P256, 9).public())]
        .map(|(what, key)| json!({ "what": what, "wire": wire(&key), "text": key.to_string() }));
    let mut refused = Vec::new();
    let mut refuse = |why: &str, rule: &str, wire: Vec<u8>| {
        let error = PublicKey::from_wire(&wire).err().unwrap_or_else(|| panic!("{why} is accepted"));
        refused.push(json!({ "why": why, "rule": rule, "wire": hex::encode(&wire), "error": variant(&error) }));
    };
    let tagged = |number: u8, rest: &[u8]| [&[number], rest].concat();
    refuse("nothing", "K-2", vec![]);
    refuse("unknown algorithm 3", "K-1", tagged(3, ed.bytes()));
    refuse("unknown algorithm 0", "K-1", tagged(0, ed.bytes()));
    refuse("one byte less", "K-2", tagged(1, &ed.bytes()[1..]));
    refuse("one byte more", "K-2", tagged(1, &[ed.bytes(), &[0]].concat()));
    refuse("an ed25519 key as P-256", "K-2", tagged(2, ed.bytes()));
    refuse("a P-256 key as ed25519", "K-2", tagged(1, p.bytes()));
    // The eight points of small order, of which four have an encoding of their own.
    for (why, point) in [
        ("the neutral point", "0100000000000000000000000000000000000000000000000000000000000000"),
        ("order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("order 4, other sign", "0000000000000000000000000000000000000000000000000000000000000080"),
        ("order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ("order 8, other sign", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
        ("order 8, second pair", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("order 8, second pair, other sign", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
        ("the neutral point, x = 0 with a sign", "0100000000000000000000000000000000000000000000000000000000000080"),
        ("y = p, second spelling of 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("y = p + 1, second spelling of 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("y = p + 3, second spelling of 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("no point: y = 2", "0200000000000000000000000000000000000000000000000000000000000000"),
    ] {
        refuse(why, "K-3", tagged(1, &bytes::<32>(point)));
    }
    let mut other = p.bytes().to_vec();
    for (why, head) in
        [("SEC 1 tag 5, compact", 5), ("SEC 1 tag 4, uncompressed", 4), ("SEC 1 tag 0", 0), ("SEC 1 tag 6", 6)]
    {
        other[0] = head;
        refuse(why, "K-3", tagged(2, &other));
    }
    refuse("x beyond the field", "K-3", tagged(2, &[&[2][..], &[0xff; 32]].concat()));
    let off = (0..=255u8).map(|last| {
        let mut x = p.bytes().to_vec();
        x[32] = last;
        x
    });
    let off = off.into_iter().find(|x| p256::ecdsa::VerifyingKey::from_sec1_bytes(x).is_err()).expect("half are off");
    refuse("x of no point", "K-3", tagged(2, &off));

    let mut signatures = Vec::new();
    let message = b"fengni/1/test\0what is signed";
    let mut judge = |what: &str, rule: &str, key: &PublicKey, message: &[u8], signature: &Signature| {
        signatures.push(json!({
            "what": what, "rule": rule, "key": wire(key), "message": hex::encode(message),
            "signature": hex::encode(signature.wire()), "valid": key.verify(message, signature),
        }));
    };
    let (ed_good, p_good) = (key(ED25519, 3).sign(message), key(P256, 3).sign(message));
    judge("right", "K-4", &ed, message, &ed_good);
    judge("right", "K-5", &p, message, &p_good);
    judge("the empty message", "K-4", &ed, b"", &key(ED25519, 3).sign(b""));
    judge("the empty message", "K-5", &p, b"", &key(P256, 3).sign(b""));
    judge("another message", "K-4", &ed, b"another", &ed_good);
    judge("another message", "K-5", &p, b"another", &p_good);
    judge("another key", "K-4", &key(ED25519, 4).public(), message, &ed_good);
    judge("another key", "K-5", &key(P256, 4).public(), message, &p_good);
    judge("a signature of the other algorithm", "K-4", &ed, message, &p_good);
    judge("a signature of the other algorithm", "K-5", &p, message, &ed_good);
    judge(
        "the same bytes under the other number",
        "K-4",
        &ed,
        message,
        &Signature::new(P256, &ed_good.raw()).expect("64"),
    );
    let (r, s) = (ed_good.raw()[..32].to_vec(), ed_good.raw()[32..].to_vec());
    judge("s + l, the second spelling of s", "K-4", &ed, message, &signature(ED25519, &r, &add(&s, &bytes::<32>(L))));
    judge(
        "s = 0, R the neutral point",
        "K-4",
        &ed,
        message,
        &signature(ED25519, &bytes::<32>("0100000000000000000000000000000000000000000000000000000000000000"), &[0; 32]),
    );
    judge("R of small order", "K-4", &ed, message, &signature(ED25519, &[0; 32], &s));
    judge(
        "R with y beyond the field",
        "K-4",
        &ed,
        message,
        &signature(ED25519, &bytes::<32>("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), &s),
    );
    // Edges of "Taming the many EdDSAs", eprint 2020/1244, where libraries part ways.
    for (what, point, message, signature) in EDGES {
        let key = PublicKey::new(ED25519, &bytes::<32>(point)).expect("mixed order, but a usable point");
        let signature = Signature::new(ED25519, &bytes::<64>(signature)).expect("64 bytes");
        judge(what, "K-4", &key, &bytes::<32>(message), &signature);
    }
    let (r, s) = (p_good.raw()[..32].to_vec(), p_good.raw()[32..].to_vec());
    judge("n - s, the high twin", "K-5", &p, message, &signature(P256, &r, &negated(&s)));
    judge("r = 0", "K-5", &p, message, &signature(P256, &[0; 32], &s));
    judge("s = 0", "K-5", &p, message, &signature(P256, &r, &[0; 32]));
    judge("r = n", "K-5", &p, message, &signature(P256, &bytes::<32>(N), &s));
    judge("s = n", "K-5", &p, message, &signature(P256, &r, &bytes::<32>(N)));
    judge("r and s swapped", "K-5", &p, message, &signature(P256, &s, &r));
    json!({
        "about": "Rules K-1 to K-5. A wire form is the algorithm's number and its bytes: 1 ed25519, 2 P-256.",
        "keys": good,
        "refused": refused,
        "signatures": signatures,
    })
}

#[test]
fn k1_to_k5_vectors_hold() {
    let file = vectors("keys", &made());
    for case in cases(&file, "keys") {
        let key = PublicKey::from_wire(&hex_of(case, "wire")).expect("accepted");
        assert_eq!(Some(key.to_string().as_str()), case["text"].as_str());
        assert_eq!(PublicKey::from_text(&key.to_string()), Ok(key));
    }
    for case in cases(&file, "refused") {
        let error = PublicKey::from_wire(&hex_of(case, "wire")).map_err(|error| variant(&error));
        assert_eq!(error.err().as_deref(), case["error"].as_str(), "{case}");
    }
    let mut accepted = 0;
    for case in cases(&file, "signatures") {
        let key = PublicKey::from_wire(&hex_of(case, "key")).expect("a right key");
        let signature = Signature::from_wire(&hex_of(case, "signature")).expect("a right length");
        let valid = key.verify(&hex_of(case, "message"), &signature);
        assert_eq!(Some(valid), case["valid"].as_bool(), "{case}");
        accepted += usize::from(valid);
    }
    assert_eq!(accepted, 5, "the right ones, the one with a key of mixed order, and no other");
}

#[test]
fn k5_a_high_s_is_refused_though_the_curve_would_take_it() {
    use p256::ecdsa::signature::Verifier as _;
    let (secret, message) = (key(P256, 5), b"message");
    let good = secret.sign(message);
    let high = signature(P256, &good.raw()[..32], &negated(&good.raw()[32..]));
    let curve = p256::ecdsa::VerifyingKey::from_sec1_bytes(secret.public().bytes()).expect("a point");
    let raw = p256::ecdsa::Signature::from_slice(&high.raw()).expect("in range");
    assert!(curve.verify(message, &raw).is_ok());
    assert!(!secret.public().verify(message, &high));
}

#[test]
fn signing_is_deterministic_and_ours_is_always_low_s() {
    for seed in 1..40 {
        for algorithm in [ED25519, P256, KeyAlgorithm::Trial] {
            let key = key(algorithm, seed);
            let message = [seed; 40];
            let signature = key.sign(&message);
            assert_eq!(signature, key.sign(&message));
            assert!(key.public().verify(&message, &signature));
            assert_eq!(SecretKey::from_seed(algorithm, &key.seed()).expect("a scalar").public(), key.public());
            // SEC-08: a signature of one algorithm is never one of another.
            for other in [ED25519, P256, KeyAlgorithm::Trial].into_iter().filter(|other| *other != algorithm) {
                let moved = Signature::new(other, &signature.raw()).expect("64 bytes");
                assert!(!key.public().verify(&message, &moved));
            }
        }
    }
}

#[test]
fn secrets_are_not_printed() {
    let secret = key(ED25519, 0x77);
    assert!(!format!("{secret:?}").contains(&"77".repeat(4)));
}

#[test]
fn text_is_the_number_a_colon_and_hexadecimal() {
    let text = key(ED25519, 3).public().to_string();
    assert!(text.starts_with("1:") && text.len() == 2 + 64);
    for wrong in ["", "1", ":", "1:zz", "256:00", "1:00", &text[2..], &format!(" {text}"), &text.replace("1:", "2:")] {
        assert!(PublicKey::from_text(wrong).is_err(), "{wrong}");
    }
}
