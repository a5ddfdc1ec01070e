//! What a device trusts offline: a light client, a pack, and the latest moment it has seen.
//!
//! Nothing here goes back: neither to an older pack, nor to an older checkpoint, nor to an earlier
//! hour, because a clock that is turned back would make an old pack young. Rules:
//! `sdk/spec/packs.md`.

use bincode::{Decode, Encode};
use std::sync::{Arc, Mutex, PoisonError};

use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::assurance::Assurance;
use crate::block::Header;
use crate::bytes::Bytes;
use crate::certificate::{CertificateFile, Grade};
use crate::code::{Code, StaticCode};
use crate::codec::{self, DecodeError};
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::finality::CommitCertificate;
use crate::light::{Checkpoint, Handover, LightClient, LightError, Saved};
use crate::limits::STORE_BYTES;
use crate::number::{BookNumber, MemberNumber, PurposeCode};
use crate::pack::{Basis, Pack, PackError, Subscription, TrustPack};
use crate::record::Parameters;
use crate::verdict::{Detail, Verdict, VerdictCode};
use crate::verify::{
    Context, Mode, ReplayCache, SKEW_SECS, Scene, verify_code, verify_code_in, verify_static, verify_without_ledger,
};

/// Codes remembered at a time.
const CODES_REMEMBERED: usize = 100_000;
/// Scenes kept ready: one a book and verifier.
const SCENES: usize = 4096;

/// Who verifies, for what, and what it insists on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// The member that verifies, or on whose behalf an application does.
    pub verifier: MemberNumber,
    /// What for.
    pub purpose: PurposeCode,
    /// The lowest trust grade that will do, if any.
    pub min_grade: Option<Grade>,
    /// How an identity service must at least have checked the holder, if that is asked.
    pub min_assurance: Option<Assurance>,
    /// Hash of the challenge this verifier has shown, if it has.
    pub challenge: Option<Digest>,
}

/// Why a device's trust does not move on.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TrustError {
    /// The header is not final, or contradicts another.
    #[error(transparent)]
    Light(#[from] LightError),
    /// The pack does not add up.
    #[error(transparent)]
    Pack(#[from] PackError),
}

/// What was stored is not a device's trust.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("not a trust store: {reason}; next: begin another one from a checkpoint")]
pub struct StoreError {
    reason: String,
}

/// A device's trust.
#[derive(Debug)]
pub struct TrustStore {
    light: LightClient,
    pack: Option<TrustPack>,
    subscription: Subscription,
    clock: Millis,
    replays: ReplayCache,
    scenes: Mutex<Scenes>,
}

type Scenes = LiteMap<(BookNumber, MemberNumber), Arc<Scene>>;

#[derive(Serialize, Deserialize, Encode, Decode)]
struct Stored {
    format: u8,
    light: Saved,
    subscription: Subscription,
    clock: Millis,
    pack: Option<Bytes>,
}

const FORMAT: u8 = 1;

const NOT_COVERED: &str = "the trust pack does not cover this book; next: subscribe to its type and region";

impl TrustStore {
    /// Trust that begins at a checkpoint, for a subscription.
    pub fn new(checkpoint: Checkpoint, subscription: Subscription) -> Self {
        Self::of(LightClient::from_checkpoint(checkpoint), subscription, None, Millis(0))
    }

    fn of(light: LightClient, subscription: Subscription, pack: Option<TrustPack>, clock: Millis) -> Self {
        let replays = ReplayCache::new(CODES_REMEMBERED);
        Self { light, pack, subscription, clock, replays, scenes: Mutex::default() }
    }

    /// Reads what [`TrustStore::encode`] wrote, and checks that its pack adds up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let refused = |reason: String| StoreError { reason };
        let stored: Stored =
            codec::decode(bytes, STORE_BYTES).map_err(|error: DecodeError| refused(error.to_string()))?;
        if stored.format != FORMAT {
            return Err(refused(format!("format {} is not one this program knows", stored.format)));
        }
        let network = stored.light.network();
        let mut light = stored.light.open(network).map_err(refused)?;
        let open = |pack: Bytes| TrustPack::open(Pack::decode(&pack.0)?, None, light.domain());
        let pack = stored.pack.map(open).transpose().map_err(|error| refused(error.to_string()))?;
        if let Some(pack) = &pack {
            // So that another block at its height is noticed, whatever came after it.
            let heard = light.recall(pack.header(), pack.certificate());
            // Nor does it matter that its set is not known any more, after a newer checkpoint was pinned.
            let known_since = light.handovers_since();
            heard.or_else(|error| match error {
                LightError::UnknownValidators(height) if height <= known_since => Ok(()),
                _ if !light.evidence().is_empty() => Ok(()),
                error => Err(refused(error.to_string())),
            })?;
        }
        Ok(Self::of(light, stored.subscription, pack, stored.clock))
    }

    /// Everything but the codes seen, for a device to keep.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&Stored {
            format: FORMAT,
            light: self.light.saved(),
            subscription: self.subscription.clone(),
            clock: self.clock,
            pack: self.pack.as_ref().map(|pack| Bytes(pack.to_full().encode())),
        })
    }

    /// Suite and network.
    pub fn domain(&self) -> &Domain {
        self.light.domain()
    }

    /// Whom it believes.
    pub fn light(&self) -> &LightClient {
        &self.light
    }

    /// Whom it believes, to follow handovers or to judge proofs.
    pub fn light_mut(&mut self) -> &mut LightClient {
        &mut self.light
    }

    /// The pack at hand.
    pub fn pack(&self) -> Option<&TrustPack> {
        self.pack.as_ref()
    }

    /// What the device wants pages of.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The latest moment it has seen.
    pub fn clock(&self) -> Millis {
        self.clock
    }

    /// What a delta can build on; `None` where a full pack is needed.
    pub fn basis(&self) -> Option<Basis> {
        self.pack.as_ref().filter(|pack| *pack.subscription() == self.subscription).map(TrustPack::basis)
    }

    /// Wants pages of other books from the next full pack on.
    pub fn subscribe(&mut self, subscription: Subscription) {
        self.subscription = subscription;
    }

    /// Takes a pack, full or delta, if a quorum signed its header and it adds up.
    ///
    /// # Errors
    /// [`TrustError`]; the pack at hand stays.
    pub fn update(&mut self, bytes: &[u8], now: Millis) -> Result<&TrustPack, TrustError> {
        let pack = Pack::decode(bytes)?;
        if pack.subscription != self.subscription {
            return Err(PackError::OtherSubscription.into());
        }
        let seen = self.clock.max(now);
        // What validators of long ago sign would count once a newer checkpoint is pinned.
        if let Some(error) = self.light.too_old(seen) {
            return Err(error.into());
        }
        self.light.accept(&pack.header, &pack.certificate, seen)?;
        // A header that is known already is believed without looking at what came with it this time.
        let (domain, height) = (*self.light.domain(), pack.header.height);
        let validators = self.light.validators_at(height)?;
        pack.certificate.verify(&domain, validators, height, pack.header.id(&domain)).map_err(LightError::from)?;
        let opened = TrustPack::open(pack, self.pack.as_ref(), self.light.domain())?;
        self.clock = if self.tells_the_hour(&opened, now) { now } else { seen }.max(opened.header().time);
        self.scenes.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(self.pack.insert(opened))
    }

    /// Believes a header that a quorum signed, for instance to hear several gateways.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn hear(&mut self, header: &Header, certificate: &CommitCertificate, now: Millis) -> Result<(), LightError> {
        // A checkpoint that was too old at the hour seen is not younger because a clock goes back.
        self.light.accept(header, certificate, self.clock.max(now))
    }

    /// Follows a handover to the next set of validators.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn follow(&mut self, handover: &Handover, now: Millis) -> Result<(), LightError> {
        self.light.follow(handover, self.clock.max(now))
    }

    /// Follows a recovery to the validators it names. Rule F-10.
    ///
    /// # Errors
    /// [`LightError`].
    #[cfg(feature = "recovery")]
    pub fn recover(&mut self, recovery: &crate::light::Recovery, now: Millis) -> Result<(), LightError> {
        self.light.recover(recovery, self.clock.max(now))
    }

    /// Whether a pack is news, and as young as this clock: then the clock is right, even where the
    /// hour remembered was a later one. The same pack again says nothing, nor does an older header
    /// than one heard. What remains is a newer header that somebody has held back.
    fn tells_the_hour(&self, pack: &TrustPack, now: Millis) -> bool {
        let header = pack.header();
        let news = self.pack.as_ref().is_none_or(|held| held.header().height < header.height)
            && self.light.newest().is_none_or(|newest| newest.height <= header.height);
        let online_age = pack.record::<Parameters>(0).map_or(0, |parameters| u64::from(parameters.online_age_secs));
        let apart = Millis(now.0.abs_diff(header.time.0));
        news && apart <= Millis::from_secs(online_age + SKEW_SECS)
    }

    /// Remembers up to this many codes at a time, for a verifier of many.
    pub fn remember(&mut self, codes: usize) {
        self.replays = ReplayCache::new(codes);
    }

    /// The latest moment seen is at least this.
    pub fn saw(&mut self, now: Millis) {
        self.clock = self.clock.max(now);
    }

    /// Judges a code by the pack, once: a code that was accepted is refused afterwards.
    pub fn verify(&mut self, code: &Code, question: &Question, now: Millis) -> Verdict {
        let verdict = self.judge(code, question, now);
        self.admit(verdict, code, question, now)
    }

    /// Lets a valid verdict on a code stand once (VER-04).
    pub fn admit(&mut self, verdict: Verdict, code: &Code, question: &Question, now: Millis) -> Verdict {
        self.clock = self.clock.max(now);
        self.replays.admit(verdict, code, &self.context(question, now))
    }

    /// Judges a code by the pack, and remembers nothing.
    ///
    /// # Source
    /// `sdk/spec/packs.md`, rule Q-9; `sdk/spec/verdicts.md`.
    pub fn judge(&self, code: &Code, question: &Question, now: Millis) -> Verdict {
        Verdict { recovered: self.light.unacknowledged(), ..self.judged(code, question, now) }
    }

    fn judged(&self, code: &Code, question: &Question, now: Millis) -> Verdict {
        let context = self.context(question, now);
        if let Some(verdict) = self.bar(now) {
            return verdict;
        }
        let Some(pack) = &self.pack else {
            return verify_without_ledger(code, &context, "there is no trust pack on this device; next: update it");
        };
        let Some(proven) = pack.around(code.shown.place, code.service()) else {
            return verify_without_ledger(code, &context, NOT_COVERED);
        };
        match self.scene(pack, code.shown.place.book, question.verifier) {
            Some(scene) => verify_code_in(&scene, code, &proven, &context),
            None => verify_code(code, &proven, &context),
        }
    }

    /// What the pack records about a printed code's document. Never valid: nobody was checked to be
    /// its holder.
    ///
    /// # Source
    /// `sdk/spec/verdicts.md`, rule V-22.
    pub fn judge_static(&self, code: &StaticCode, question: &Question, now: Millis) -> Verdict {
        Verdict { recovered: self.light.unacknowledged(), ..self.judged_static(code, question, now) }
    }

    fn judged_static(&self, code: &StaticCode, question: &Question, now: Millis) -> Verdict {
        let context = self.context(question, now);
        if let Some(verdict) = self.bar(now) {
            return verdict;
        }
        match self.pack.as_ref().and_then(|pack| pack.all_around(code.place)) {
            Some(proven) => verify_static(code, Some((code.place, &proven)), &context),
            None => Verdict::unreachable(NOT_COVERED),
        }
    }

    /// What the pack records about a certificate file, by the path it holds. Never valid: whoever has
    /// a copy of the file need not be its holder.
    pub fn judge_file(&self, file: &CertificateFile, question: &Question, now: Millis) -> Verdict {
        match file.certificate.check(self.domain()) {
            Ok(()) => self.judge_static(&StaticCode::of(self.domain(), file), question, now),
            Err(error) => Verdict::malformed(&error),
        }
    }

    /// Why nothing can be judged at all: quorums that contradict one another, a clock turned back.
    fn bar(&self, now: Millis) -> Option<Verdict> {
        if let Some(contradiction) = self.light.evidence().first() {
            let height = contradiction.second.header.height;
            let reason = format!("two final headers contradict one another at height {height}");
            return Some(Verdict::unreachable(reason));
        }
        let newest = self.light.newest().map_or(Millis(0), |newest| newest.time);
        let behind = Millis(self.clock.max(newest).0.saturating_sub(now.0));
        let turned_back = behind > Millis::from_secs(SKEW_SECS);
        turned_back.then(|| Verdict::new(VerdictCode::StatusStale, Some(Detail::Clock { behind_secs: behind.secs() })))
    }

    fn scene(&self, pack: &TrustPack, book: BookNumber, verifier: MemberNumber) -> Option<Arc<Scene>> {
        let mut scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scene) = scenes.get(&(book, verifier)) {
            return Some(Arc::clone(scene));
        }
        let scene = Arc::new(Scene::new(&pack.registries(book), book, verifier)?);
        if scenes.len() >= SCENES {
            scenes.clear();
        }
        scenes.insert((book, verifier), Arc::clone(&scene));
        Some(scene)
    }

    fn context(&self, question: &Question, now: Millis) -> Context {
        Context {
            domain: *self.light.domain(),
            verifier: question.verifier,
            purpose: question.purpose,
            now,
            checkpoint_age_secs: self.light.checkpoint_age_secs(now),
            min_grade: question.min_grade,
            min_assurance: question.min_assurance,
            challenge: question.challenge,
            mode: Mode::Offline,
        }
    }
}
