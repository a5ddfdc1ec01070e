//! Keys and signatures: one acceptance rule, with the edges where libraries differ. Rules K-1 to
//! K-5: `sdk/spec/keys.md`.

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
    let mut out: Vec<u8> = bytes::<32>(N).iter().rev().zip(s.iter().rev()).map(|(n, s)| {
        let difference = i16::from(*n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        (difference & 0xff) as u8
    }).collect();
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
    for (why, head) in [("SEC 1 tag 5, compact", 5), ("SEC 1 tag 4, uncompressed", 4), ("SEC 1 tag 0", 0), ("SEC 1 tag 6", 6)] {
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
    judge("the same bytes under the other number", "K-4", &ed, message, &Signature::new(P256, &ed_good.raw()).expect("64"));
    let (r, s) = (ed_good.raw()[..32].to_vec(), ed_good.raw()[32..].to_vec());
    judge("s + l, the second spelling of s", "K-4", &ed, message, &signature(ED25519, &r, &add(&s, &bytes::<32>(L))));
    judge("s = 0, R the neutral point", "K-4", &ed, message, &signature(ED25519, &bytes::<32>("0100000000000000000000000000000000000000000000000000000000000000"), &[0; 32]));
    judge("R of small order", "K-4", &ed, message, &signature(ED25519, &[0; 32], &s));
    judge("R with y beyond the field", "K-4", &ed, message, &signature(ED25519, &bytes::<32>("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), &s));
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
    assert_eq!(accepted, 4, "the right ones, and no other");
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
