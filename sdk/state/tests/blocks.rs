//! Blocks that must not be: each rule of H-5 to H-12 and T-1 to T-6 with its accepted and its
//! refused case, on one network with a block to follow.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::story::Story;
use common::{FOUNDED, Network, member};
use fengni_core::block::{Block, PROTOCOL_VERSION, transactions_digest};
use fengni_core::bytes::Bytes;
use fengni_core::operation::Operation;
use fengni_core::shelf::Shelf;
use fengni_core::standing::Act;
use fengni_core::transaction::{Transaction, TransactionError, TransactionId};
use fengni_core::{
    ActNumber, BlockId, BookNumber, CommitCertificate, Digest, Height, KeyNumber, LinePlace, Millis, NetworkId,
    PageNumber, SealNumber, Suite,
};
use fengni_state::{BlockError, CheckedBlock, Known, LoadError, RecentIds, Records, State, assemble, check, execute};

/// A network with two blocks; the third is what each test tampers with.
fn network() -> Network {
    let mut story = Story::new(Suite::Standard);
    story.tell(
        "
        block
          police   open B licence 31    ok
        block
          police   seal B a b           ok
    ",
    );
    story.network
}

fn open(network: &mut Network) -> Transaction {
    let subject = fengni_core::book::Subject::Certificates { certificate_type: common::kind("permit") };
    let operation = Operation::OpenBook { subject, division: common::division("31") };
    network.transaction(member("police"), &[4], operation)
}

fn later(network: &Network) -> Millis {
    Millis(network.state.time().0 + 1000)
}

/// A right next block with one transaction.
fn made(network: &mut Network) -> Block {
    let bytes = Bytes(open(network).encode());
    let proposal = network.proposal(later(network));
    assemble(&network.state, &network.records, &network.recent, &(), proposal, [bytes]).0.block
}

fn checked(network: &Network, block: Block) -> Result<CheckedBlock, BlockError> {
    let clock = Some(later(network));
    check(&network.state, &network.recent, &(), network.validators.as_ref(), clock, block)
}

/// Checks and executes.
fn judged(network: &Network, block: Block) -> Result<(), BlockError> {
    let checked = checked(network, block)?;
    execute(&network.state, &network.records, &checked).map(drop)
}

/// What a right block becomes when `tamper` had its hands on it.
fn tampered(tamper: impl FnOnce(&mut Block)) -> Result<(), BlockError> {
    let mut network = network();
    let mut block = made(&mut network);
    assert_eq!(judged(&network, block.clone()), Ok(()));
    tamper(&mut block);
    judged(&network, block)
}

#[test]
fn h5_a_block_is_of_this_network_and_follows_the_last() {
    assert_eq!(tampered(|block| block.header.version = 2), Err(BlockError::OtherNetwork));
    assert_eq!(tampered(|block| block.header.suite = Suite::Trial), Err(BlockError::OtherNetwork));
    assert_eq!(tampered(|block| block.header.network = NetworkId::default()), Err(BlockError::OtherNetwork));
    let last = network().state.last();
    assert_eq!(tampered(|block| block.header.height.0 += 1), Err(BlockError::NotNext { last }));
    assert_eq!(tampered(|block| block.header.height.0 -= 1), Err(BlockError::NotNext { last }));
    assert_eq!(tampered(|block| block.header.parent = BlockId::default()), Err(BlockError::NotNext { last }));
}

#[test]
fn h5_a_program_goes_on_with_no_version_that_it_does_not_speak() {
    let mut founding = common::founding(Suite::Standard);
    founding.parameters.protocol = PROTOCOL_VERSION;
    let network = Network::found(Suite::Standard, founding.clone());
    assert_eq!(network.state.check_spoken(PROTOCOL_VERSION), Ok(()));
    let older = BlockError::LaterVersion { height: Height(1), version: PROTOCOL_VERSION, speaks: 1 };
    assert_eq!(network.state.check_spoken(1), Err(older));
    founding.parameters.protocol += 1;
    let mut network = Network::found(Suite::Standard, founding);
    let block = made(&mut network);
    let (height, version, speaks) = (Height(1), PROTOCOL_VERSION + 1, PROTOCOL_VERSION);
    assert_eq!(judged(&network, block), Err(BlockError::LaterVersion { height, version, speaks }));
}

#[test]
fn h6_time_rises_and_is_not_ahead_of_the_clock_but_final_blocks_skip_the_clock() {
    let mut network = network();
    let parent = network.state.time();
    for (time, clock, wanted) in [
        (parent.0, Some(parent.0 + 1000), Err(BlockError::TimeNotLater { time: parent, parent })),
        (0, None, Err(BlockError::TimeNotLater { time: Millis(0), parent })),
        // No lower bound against the clock: one would halt a chain after a long partition.
        (parent.0 + 1, Some(parent.0 + 99_000_000), Ok(())),
        // The parameter is five seconds here.
        (parent.0 + 6000, Some(parent.0 + 1000), Ok(())),
        (
            parent.0 + 6001,
            Some(parent.0 + 1000),
            Err(BlockError::TimeAhead { time: Millis(parent.0 + 6001), clock: Millis(parent.0 + 1000) }),
        ),
        (parent.0 + 6001, None, Ok(())),
        (u64::MAX, None, Ok(())),
    ] {
        let mut block = made(&mut network);
        block.header.time = Millis(time);
        let validators = network.validators.as_ref();
        let found = check(&network.state, &network.recent, &(), validators, clock.map(Millis), block).map(drop);
        assert_eq!(found, wanted, "{time} at {clock:?}");
    }
}

#[test]
fn h6_a_proposer_with_a_slow_clock_still_makes_a_later_block() {
    let network = network();
    let proposal = network.proposal(FOUNDED);
    let (made, _) = assemble(&network.state, &network.records, &network.recent, &(), proposal, []);
    assert_eq!(made.block.header.time, Millis(network.state.time().0 + 1));
    assert_eq!(judged(&network, made.block), Ok(()));
}

#[test]
fn h7_the_proposer_is_a_validator() {
    let hall = member("hall");
    assert_eq!(tampered(|block| block.header.proposer = hall), Err(BlockError::Proposer(hall)));
    // Who of them proposes is the engine's choice, and the header says it.
    assert_eq!(tampered(|block| block.header.proposer = member("ministry")), Ok(()));
}

#[test]
fn h8_the_parents_certificate_is_there_named_and_sufficient() {
    let missing = Err(BlockError::ParentCertificate);
    assert_eq!(tampered(|block| block.parent_certificate = None), missing);
    assert_eq!(tampered(|block| block.header.parent_certificate = Digest::default()), missing);
    let certificate = |block: &mut Block, change: &dyn Fn(&mut CommitCertificate)| {
        let certificate = block.parent_certificate.as_mut().expect("the third block has one");
        change(certificate);
        block.header.parent_certificate = certificate.digest(&common::domain(Suite::Standard));
    };
    assert_eq!(tampered(|block| certificate(block, &|_| ())), Ok(()));
    for change in [
        &|certificate: &mut CommitCertificate| certificate.height.0 += 1,
        &|certificate: &mut CommitCertificate| certificate.round += 1,
        &|certificate: &mut CommitCertificate| certificate.block = BlockId::default(),
        &|certificate: &mut CommitCertificate| certificate.signatures.truncate(2),
        &|certificate: &mut CommitCertificate| certificate.signatures.reverse(),
    ] as [&dyn Fn(&mut CommitCertificate); 5]
    {
        let found = tampered(|block| certificate(block, change));
        assert!(matches!(found, Err(BlockError::ParentNotFinal(_))), "{found:?}");
    }
    // The first block has no parent to be final.
    let mut first = Network::new(Suite::Standard);
    let mut block = made(&mut first);
    assert_eq!(judged(&first, block.clone()), Ok(()));
    let later = network();
    block.parent_certificate = later.blocks.first().map(|block| block.certificate.clone());
    assert_eq!(judged(&first, block.clone()), missing);
    block.parent_certificate = None;
    block.header.parent_certificate = Digest([1; 32]);
    assert_eq!(judged(&first, block), missing);
}

#[test]
fn h9_the_transactions_are_those_the_header_names() {
    assert_eq!(tampered(|block| block.transactions.clear()), Err(BlockError::Transactions));
    assert_eq!(tampered(|block| block.transactions[0].0[0] ^= 1), Err(BlockError::Transactions));
    assert_eq!(tampered(|block| block.transactions.push(Bytes(vec![]))), Err(BlockError::Transactions));
    assert_eq!(tampered(|block| block.header.transactions = Digest::default()), Err(BlockError::Transactions));
}

#[test]
fn h12_the_header_names_what_executing_gives() {
    assert_eq!(tampered(|block| block.header.outcomes.0[31] ^= 1), Err(BlockError::Result));
    assert_eq!(tampered(|block| block.header.state_root.0[0] ^= 1), Err(BlockError::Result));
    assert_eq!(tampered(|block| block.header.next_validators = Digest::default()), Err(BlockError::Result));
    // The time and the proposer of a block that was executed with others: the id changes, and
    // with it every vote; the time changes what suspensions and limits see.
    assert_eq!(tampered(|block| block.header.time.0 += 1), Ok(()));
}

/// A block of exactly these transaction bytes, with a header that names them.
fn block_of(network: &mut Network, transactions: Vec<Bytes>) -> Block {
    let mut block = made(network);
    block.header.transactions = transactions_digest(&network.domain, &transactions);
    block.transactions = transactions;
    block
}

fn transaction_error(network: &mut Network, transactions: Vec<Bytes>) -> Option<(usize, TransactionError)> {
    let block = block_of(network, transactions);
    match checked(network, block) {
        Ok(_) => None,
        Err(BlockError::Transaction { place, error }) => Some((place, error)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn t1_to_t6_one_wrong_transaction_makes_the_block_invalid() {
    let mut network = network();
    let good = open(&mut network);
    let bytes = |transaction: &Transaction| Bytes(transaction.encode());
    let next = network.state.height().next();
    assert_eq!(transaction_error(&mut network, vec![bytes(&good)]), None);

    // T-1: encoding.
    let mut trailing = bytes(&good);
    trailing.0.push(0);
    let found = transaction_error(&mut network, vec![bytes(&good), trailing]);
    assert!(matches!(found, Some((1, TransactionError::Encoding(_)))), "{found:?}");

    // T-3: another network.
    let mut foreign = good.clone();
    foreign.body.network = NetworkId::default();
    let found = transaction_error(&mut network, vec![bytes(&foreign)]);
    assert_eq!(found, Some((0, TransactionError::OtherNetwork { found: NetworkId::default() })));

    // T-4: signatures.
    let mut unsigned = good.clone();
    unsigned.signatures.clear();
    assert_eq!(transaction_error(&mut network, vec![bytes(&unsigned)]), Some((0, TransactionError::Signatures)));
    let mut twice = good.clone();
    twice.signatures.push(good.signatures[0].clone());
    assert_eq!(transaction_error(&mut network, vec![bytes(&twice)]), Some((0, TransactionError::Signatures)));
    let five = network.sign(good.body.clone(), &[0, 2, 4, 6, 8]);
    assert_eq!(transaction_error(&mut network, vec![bytes(&five)]), Some((0, TransactionError::Signatures)));
    let mut reversed = network.sign(good.body.clone(), &[4, 5]);
    assert_eq!(transaction_error(&mut network, vec![bytes(&reversed)]), None);
    reversed.signatures.reverse();
    assert_eq!(transaction_error(&mut network, vec![bytes(&reversed)]), Some((0, TransactionError::Signatures)));
    let mut other_key = good.clone();
    other_key.signatures[0].key = KeyNumber(6);
    let found = transaction_error(&mut network, vec![bytes(&other_key)]);
    assert_eq!(found, Some((0, TransactionError::BadSignature { key: KeyNumber(6) })));
    let mut other_salt = good.clone();
    other_salt.body.salt[0] ^= 1;
    let found = transaction_error(&mut network, vec![bytes(&other_salt)]);
    assert_eq!(found, Some((0, TransactionError::BadSignature { key: KeyNumber(4) })));
    let mut other_member = good.clone();
    other_member.body.member = member("town");
    let found = transaction_error(&mut network, vec![bytes(&other_member)]);
    assert_eq!(found, Some((0, TransactionError::BadSignature { key: KeyNumber(4) })));
    let mut nobody = good.clone();
    nobody.body.member.0 = 99;
    let found = transaction_error(&mut network, vec![bytes(&nobody)]);
    assert_eq!(found, Some((0, TransactionError::UnknownMember { member: nobody.body.member })));
    // Two signatures right and wrong: one wrong is enough.
    let mut half = network.sign(good.body.clone(), &[4, 5]);
    half.signatures[1].signature = half.signatures[0].signature;
    let found = transaction_error(&mut network, vec![bytes(&half)]);
    assert_eq!(found, Some((0, TransactionError::BadSignature { key: KeyNumber(5) })));
    // A key before its height: key 11 begins at 4, the block is 3.
    let early = network.sign(good.body.clone(), &[11]);
    let unknown = TransactionError::UnknownKey { member: member("police"), key: KeyNumber(11), height: next };
    assert_eq!(transaction_error(&mut network, vec![bytes(&early)]), Some((0, unknown)));

    // T-5: the window is eight heights here, both ends included.
    for (until, allowed) in
        [(next.0 - 1, false), (next.0, true), (next.0 + 8, true), (next.0 + 9, false), (u64::MAX, false)]
    {
        let body = network.body(member("police"), Height(until), good.body.operation.clone());
        let signed = network.sign(body, &[4]);
        let window = TransactionError::Window { until: Height(until), height: next, last: Height(next.0 + 8) };
        let wanted = (!allowed).then_some((0, window));
        assert_eq!(transaction_error(&mut network, vec![bytes(&signed)]), wanted, "{until}");
    }

    // T-6: twice in a block, even with another signature, or in one of the last blocks.
    let cosigned = network.sign(good.body.clone(), &[4, 5]);
    let found = transaction_error(&mut network, vec![bytes(&good), bytes(&cosigned)]);
    assert_eq!(found, Some((1, TransactionError::Replay)));
    let before = network.blocks[1].block.transactions[0].clone();
    assert_eq!(transaction_error(&mut network, vec![before]), Some((0, TransactionError::Replay)));
}

#[test]
fn t6_a_transaction_is_remembered_as_long_as_it_could_be_replayed() {
    let mut network = network();
    let transaction = open(&mut network);
    let bytes = Bytes(transaction.encode());
    let mut clock = later(&network);
    assert_eq!(network.next_block(clock, vec![bytes.clone()]).len(), 1);
    for _ in 0..12 {
        assert!(network.state.check_transaction(&network.recent, &bytes).is_err());
        clock = Millis(clock.0 + 1);
        // A proposer that is offered it again leaves it out; the window then closes behind it.
        assert_eq!(network.next_block(clock, vec![bytes.clone()]).len(), 0);
    }
}

#[test]
fn t6_the_memory_of_ids_is_bounded() {
    let mut recent = RecentIds::default();
    let id = |height: u64| TransactionId(Digest([u8::try_from(height).expect("small"); 32]));
    for height in 1..=20 {
        recent.push(vec![id(height)], 8);
        // A transaction of height h may say valid until h + 8, so it could come back at h + 8.
        for past in 1..=height {
            assert_eq!(recent.contains(&id(past)), past + 8 >= height, "{past} after {height}");
        }
    }
}

#[test]
fn h11_neither_the_block_nor_one_member_outweighs_the_parameters() {
    let founding = || {
        let mut founding = common::founding(Suite::Standard);
        // A transaction weighs 10 and an opened book 20 more.
        (founding.parameters.block_weight, founding.parameters.member_weight) = (100, 60);
        founding
    };
    let mut network = Network::found(Suite::Standard, founding());
    let mut many = |who: &str, count: usize| -> Vec<Bytes> {
        let opens = (0..count).map(|_| {
            let Operation::OpenBook { subject, division } = open(&mut network).body.operation else { unreachable!() };
            Bytes(network.transaction(member(who), &[4], Operation::OpenBook { subject, division }).encode())
        });
        opens.collect()
    };
    let (police, town, yunshan) = (many("police", 3), many("town", 2), many("yunshan", 1));
    let light: Vec<Bytes> = [&police[..2], &town[..1]].concat();
    let heavy_member: Vec<Bytes> = police.clone();
    let heavy_block: Vec<Bytes> = [&police[..2], &town[..1], &yunshan[..]].concat();
    for (transactions, wanted) in
        [(light.clone(), None), (heavy_member, Some(BlockError::Weight)), (heavy_block, Some(BlockError::Weight))]
    {
        let block = block_of(&mut network, transactions);
        let found = checked(&network, block).map(|_| ()).err();
        assert_eq!(found, wanted);
    }
    // A proposer takes what fits, in order, and leaves the rest for later.
    let all = [police, town, yunshan].concat();
    let proposal = network.proposal(later(&network));
    let (made, _) = assemble(&network.state, &network.records, &network.recent, &(), proposal, all);
    assert_eq!(made.block.transactions, light);
}

/// Remembers which signatures were verified, as a pool does.
struct Verified(Bytes);

impl Known for Verified {
    fn is_verified(&self, _: &TransactionId, bytes: &[u8]) -> bool {
        self.0.0 == bytes
    }
}

#[test]
fn known_signatures_are_not_checked_again_but_the_keys_height_is() {
    let mut network = network();
    let mut transaction = open(&mut network);
    transaction.signatures[0].signature = network.sign(transaction.body.clone(), &[6]).signatures[0].signature;
    let bytes = Bytes(transaction.encode());
    let block = block_of(&mut network, vec![bytes.clone()]);
    let judge = |known: &Verified, block: Block| {
        check(&network.state, &network.recent, known, network.validators.as_ref(), None, block).map(drop)
    };
    assert_eq!(judge(&Verified(bytes.clone()), block.clone()), Ok(()));
    assert!(judge(&Verified(Bytes(vec![])), block).is_err());
    transaction.signatures[0].key = KeyNumber(11);
    let bytes = Bytes(transaction.encode());
    let block = block_of(&mut network, vec![bytes.clone()]);
    let judge = check(&network.state, &network.recent, &Verified(bytes), network.validators.as_ref(), None, block);
    assert!(matches!(judge, Err(BlockError::Transaction { error: TransactionError::UnknownKey { .. }, .. })));
}

#[test]
fn every_flipped_byte_of_a_block_is_refused_or_changes_the_block_that_is_voted_on() {
    let mut network = network();
    let block = made(&mut network);
    let (bytes, id) = (block.encode(), block.header.id(&network.domain));
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        let Ok(block) = Block::decode(&other) else { continue };
        let other_id = block.header.id(&network.domain);
        if judged(&network, block).is_ok() {
            // Time and proposer are the header's own, and the id covers them.
            assert_ne!(other_id, id, "byte {at}");
        }
    }
}

#[test]
fn a_stored_state_that_was_damaged_does_not_load() {
    let mut story = Story::on(network());
    story.books.insert("B".into(), BookNumber(0));
    story.tell("block\n police suspend B:0 ok");
    let network = story.network;
    let header = network.last_header();
    assert!(State::load(network.domain, &header, &network.stored).is_ok());
    for shelf in Shelf::ALL {
        let Some(bytes) = network.state.record_bytes(shelf, 0) else { continue };
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let mut stored = network.stored.clone();
            stored.damage(shelf, 0, damaged);
            let found = State::load(network.domain, &header, &stored).err();
            let wanted = matches!(found, Some(LoadError::Record { .. } | LoadError::Root { .. }));
            assert!(wanted, "{shelf:?} byte {at}: {found:?}");
        }
    }
    for what in ["line", "page", "heads", "seal", "act"] {
        let mut stored = network.stored.clone();
        stored.damage_newest(BookNumber(0), what);
        assert!(State::load(network.domain, &header, &stored).is_err(), "{what}");
    }
    let mut short = network.stored.clone();
    short.lose_line(BookNumber(0));
    let found = State::load(network.domain, &header, &short).err();
    assert_eq!(found, Some(LoadError::OpenLines { book: BookNumber(0) }));
    let mut more = network.stored.clone();
    more.damage(Shelf::Codes, 9, vec![]);
    assert!(State::load(network.domain, &header, &more).is_err());
}

/// Counts how many acts are read.
struct Counting<'a, R>(&'a R, std::cell::Cell<usize>);

impl<R: Records> Records for Counting<'_, R> {
    fn find_tags(&self, space: BookNumber, tags: &[fengni_core::book::Tag]) -> Vec<Option<LinePlace>> {
        self.0.find_tags(space, tags)
    }
    fn lines(&self, book: BookNumber, page: PageNumber) -> Vec<fengni_core::book::Line> {
        self.0.lines(book, page)
    }
    fn seal(&self, book: BookNumber, seal: SealNumber) -> Option<fengni_core::book::Seal> {
        self.0.seal(book, seal)
    }
    fn act(&self, book: BookNumber, act: ActNumber) -> Option<Act> {
        self.1.set(self.1.get() + 1);
        self.0.act(book, act)
    }
}

#[test]
fn taking_a_line_over_costs_the_same_however_often_its_flags_were_set() {
    // Invariant 4: no accepted transaction can stall a node. A walk back through the line's acts
    // would let a keeper make every later attempt as dear as it likes.
    let mut story = Story::new(Suite::Standard);
    story.tell(
        "
        block
          police   open B licence 31       ok
          yunshan  open Y licence 33       ok
        block
          police   seal B a                ok
        block
          police   transfer-out a yunshan  ok
    ",
    );
    for _ in 0..40 {
        story.tell(
            "
            block
              police   dispute a           ok
            block
              police   clear-dispute a     ok
        ",
        );
    }
    let mut attempt = story.clone();
    assert_eq!(attempt.answer("yunshan", "transfer-in a Y a2"), "ok");
    let bytes = attempt.network.blocks.last().expect("just made").block.transactions.clone();
    let network = &story.network;
    let counting = Counting(&network.records, Default::default());
    let proposal = network.proposal(later(network));
    let (made, _) = assemble(&network.state, &counting, &network.recent, &(), proposal, bytes);
    assert_eq!(made.block.transactions.len(), 1);
    assert!(counting.1.get() <= 2, "{} acts were read", counting.1.get());
}
