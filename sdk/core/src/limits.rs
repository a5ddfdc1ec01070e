//! Named limits: how large anything a stranger sends may be.
//!
//! These bound memory before any rule is looked at. Limits that a vote can change live in
//! [`crate::record::Parameters`]; those here are part of the protocol version.

/// Lines on one page (页). A power of two, so that a full page is a perfect tree of depth 10.
pub const PAGE_LINES: u64 = 1024;
/// Hashes on the longest path from a line to its page root.
pub const PAGE_DEPTH: usize = 10;
/// Lines one seal may add.
pub const SEAL_LINES: usize = 1024;
/// Signatures on one transaction.
pub const TRANSACTION_SIGNATURES: usize = 4;
/// Bytes of one encoded transaction: a full seal and its signatures.
pub const TRANSACTION_BYTES: usize = 64 * 1024;
/// Bytes of one encoded block.
pub const BLOCK_BYTES: usize = 8 * 1024 * 1024;
/// Transactions in one block.
pub const BLOCK_TRANSACTIONS: usize = 20_000;
/// Validators in one set.
pub const VALIDATORS: usize = 256;
/// Bytes of one encoded registry record.
pub const RECORD_BYTES: usize = 256 * 1024;
/// Bytes of one encoded state proof.
pub const PROOF_BYTES: usize = 4 * 1024 * 1024;
/// Handovers in one answer of a node.
pub const HANDOVERS: usize = 64;
/// Bytes of one such answer: at least thirty handovers, each with its certificate and set.
pub const HANDOVERS_BYTES: usize = 1024 * 1024;
/// Recoveries in one answer of a node.
pub const RECOVERIES: usize = 4;
/// Bytes of one such answer.
pub const RECOVERIES_BYTES: usize = RECOVERIES * (RECORD_BYTES + 2 * TRANSACTION_BYTES);
/// Bytes of one trust pack: some six hundred million certificates.
pub const PACK_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a device's trust: a full pack, the light client, and evidence.
pub const STORE_BYTES: usize = 60 * 1024 * 1024;
/// Bytes of one evidence package: the largest proof, and the headers of all that happened.
pub const EVIDENCE_BYTES: usize = 16 * 1024 * 1024;
/// Lines of one pack that are not simply in force, each weighing one and one for each of its holds:
/// a few bytes of a pack stand for many lines.
pub const PACK_EXCEPTIONS: usize = 4_000_000;
/// Types, or regions, that one subscription names.
pub const SUBSCRIPTION_ENTRIES: usize = 256;
/// Values that one field of an event filter names.
pub const FILTER_ENTRIES: usize = 256;
/// Hashes on the longest path of any list.
pub const PATH_DEPTH: usize = 64;
/// Claims of one certificate.
pub const CLAIMS: usize = 64;
/// Bytes of one claim's value.
pub const CLAIM_BYTES: usize = 512;
/// Bytes of one certificate file.
pub const CERTIFICATE_FILE_BYTES: usize = 128 * 1024;
/// Bytes of one code (亮证), the hard limit: QR version 22 at level M.
pub const CODE_BYTES: usize = 752;
/// Bytes of an everyday code: QR version 20 at level M.
pub const EVERYDAY_CODE_BYTES: usize = 644;
/// Bytes of a name.
pub const NAME_BYTES: usize = 300;
/// Characters of a case's number (办件编号).
pub const CASE_CHARACTERS: usize = 50;
/// Characters of a service item's code (实施编码).
pub const ITEM_CHARACTERS: usize = 24;
/// Bytes of one text of a resource, a service item or a request: a condition, a law, a measure.
pub const SHARING_TEXT_BYTES: usize = 1000;
/// Items of data of one shared resource.
pub const RESOURCE_FIELDS: usize = 256;
/// What one service item needs, at most.
pub const ITEM_NEEDS: usize = 64;
/// Entries of a list inside a registry record, such as a member's keys.
pub const RECORD_ENTRIES: usize = 1024;
/// Runs of lines that one book has suspended: beyond, those nearest to one another are joined.
pub const SUSPENSIONS: usize = 1024;
/// Members that kept one book before its keeper.
pub const FORMER_KEEPERS: usize = 64;
/// Books that one member keeps or kept: revoking a key of its goes through all of them.
pub const KEPT_BOOKS: usize = 1024;
/// Seals that revoking one key reads: of a book with more, every line since counts as the key's.
pub const REVOCATION_SEALS: u64 = 4096;
/// Seals that a book counts as in which lines are suspended, besides its own: its runs are put
/// together and its record is written anew.
pub const REVOCATION_BOOK: u64 = 16;
/// What revoking a key weighs at most, in lines: the seals it reads, and every book it may change.
pub const REVOCATION_LINES: u64 = REVOCATION_SEALS + REVOCATION_BOOK * KEPT_BOOKS as u64;
/// Books that one order is about.
pub const ORDER_BOOKS: usize = 1024;
/// Orders that suspend lines of one book at once.
pub const BOOK_ORDERS: usize = 64;
/// What an order weighs, in lines: every book it may change.
pub const ORDER_LINES: u64 = REVOCATION_BOOK * ORDER_BOOKS as u64;
/// Proposals that are open or wait for their height at once: each block looks at them all.
pub const LIVE_PROPOSALS: usize = 256;
/// Of one proposer.
pub const LIVE_PROPOSALS_EACH: usize = 16;
/// Bodies that hold one line suspended at once.
pub const HOLDS: usize = 16;
/// How many links a chain of superiors may have.
pub const SUPERIORS: usize = 8;
/// Recovery keys that a network names.
pub const RECOVERY_KEYS: usize = 64;
/// Kinds of data that one grant names.
pub const GRANT_KINDS: usize = 16;
/// Uses of one kind that a grant allows.
pub const GRANT_USES: u32 = 10_000;
/// The longest that a grant holds, in days.
pub const GRANT_DAYS: u64 = 366;
/// Bytes of a text of a grant's notice.
pub const NOTICE_BYTES: usize = 300;
/// Items of data that one access asks for.
pub const ACCESS_FIELDS: usize = 256;
/// Tests of one question.
pub const QUESTION_TESTS: usize = 32;
/// Questions of one access in the mode batch.
pub const ACCESS_QUESTIONS: usize = 100;
/// Bytes of one access as it is sent.
pub const ACCESS_BYTES: usize = 1024 * 1024;
/// Bytes of one grant file or presented grant as it is sent, and of one receipt.
pub const GRANT_FILE_BYTES: usize = 32 * 1024;
/// Bytes of an identity, without its prefix and base45.
pub const IDENTITY_BYTES: usize = 4 * 1024;
/// Bytes of a use code (用证码), without its prefix and base45: QR version 22 at level M.
pub const USE_CODE_BYTES: usize = 752;
