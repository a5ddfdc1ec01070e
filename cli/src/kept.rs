//! Kept verdicts: a file that says what a code was worth, and proves it when nobody can be reached.
//!
//! It holds what decided: the text that was scanned, who asked for what and when, and the ledger's
//! own entries under a quorum. Whoever checks it trusts a pinned checkpoint and nothing else, and
//! learns about the past: what held at the time of that block says nothing about today. Rule V-23:
//! `sdk/spec/verdicts.md`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::verify::verdict_by;
use fengni_core::assurance::Assurance;
use fengni_core::certificate::Grade;
use fengni_core::light::{Handover, LightClient, LightError};
use fengni_core::proof::StateProof;
use fengni_core::verdict::Verdict;
use fengni_core::verify::{Context, Mode};
use fengni_core::{Digest, Domain, MemberNumber, Millis, NetworkId, PurposeCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::file::Proof;
use crate::private;

/// What the file says it is.
pub(crate) const KIND: &str = "fengni-verdict";
/// Version of its form.
const FORMAT: u16 = 1;

/// What was asked, of which code.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// What was scanned or typed.
    pub(crate) text: String,
    /// The member that verified.
    pub(crate) verifier: MemberNumber,
    /// What for.
    pub(crate) purpose: PurposeCode,
    /// The lowest trust grade that would do.
    pub(crate) min_grade: Option<Grade>,
    /// How an identity service must at least have checked the holder; files from before it was asked
    /// say nothing.
    #[serde(default)]
    pub(crate) min_assurance: Option<Assurance>,
    /// Hash of the question that was asked before.
    pub(crate) challenge: Option<Digest>,
    /// When it was judged, by the verifier's clock.
    pub(crate) judged: Millis,
}

/// A file of a verdict.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    kind: String,
    format: u16,
    network: NetworkId,
    asked: Asked,
    /// The verdict in words; whoever checks the file computes it anew.
    verdict: Value,
    /// Handovers from the founding to the height of the proof, in order.
    handovers: Vec<Handover>,
    proof: Proof,
}

/// What a file turned out to prove.
pub(crate) struct Shown {
    /// The verdict that follows from the proof.
    pub(crate) verdict: Verdict,
    /// Time of the block whose state decided.
    pub(crate) block: Millis,
    /// Whether the words of the file are those of the proof.
    pub(crate) words_hold: bool,
}

impl Asked {
    /// The statement is about the past: the checkpoint is as good as whoever pins it, whatever its
    /// age, and the code had its time.
    fn context(&self, domain: Domain) -> Context {
        Context {
            domain,
            verifier: self.verifier,
            purpose: self.purpose,
            now: self.judged,
            checkpoint_age_secs: 0,
            min_grade: self.min_grade,
            min_assurance: self.min_assurance,
            challenge: self.challenge,
            mode: Mode::Online,
        }
    }
}

impl Kept {
    /// The file of a verdict that a proof decided.
    ///
    /// - `handovers`: from the founding to the height of the proof, in order.
    /// - `light`: has accepted the proof's header.
    pub(crate) fn new(
        asked: Asked,
        proof: &StateProof,
        handovers: Vec<Handover>,
        light: &mut LightClient,
    ) -> Result<Self> {
        let proven = light.prove(proof, asked.judged)?;
        let verdict = verdict_by(&asked.text, proof, &proven, &asked.context(*light.domain()));
        Ok(Self {
            kind: KIND.to_owned(),
            format: FORMAT,
            network: proof.header.network,
            verdict: serde_json::to_value(&verdict)?,
            asked,
            handovers,
            proof: Proof::of(proof),
        })
    }

    /// Reads a file's text.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let file: Self = serde_json::from_str(text)
            .with_context(|| format!("{} is no file of a verdict, or a damaged one", path.display()))?;
        if file.kind != KIND || file.format != FORMAT {
            bail!("{} is {} of format {}, this program reads format {FORMAT}", path.display(), file.kind, file.format);
        }
        Ok(file)
    }

    /// Writes the file, for its owner alone: it holds what the holder disclosed.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        private::write(path, (serde_json::to_string_pretty(self)? + "\n").as_bytes())
    }

    /// What the file proves to somebody who trusts the light client's checkpoint.
    ///
    /// # Errors
    /// [`LightError`] where it proves nothing.
    pub(crate) fn check(&self, light: &mut LightClient) -> Result<Shown, LightError> {
        let now = self.asked.judged;
        self.handovers.iter().try_for_each(|handover| light.follow(handover, now))?;
        let proof = self.proof.state_proof();
        let proven = light.prove(&proof, now)?;
        let verdict = verdict_by(&self.asked.text, &proof, &proven, &self.asked.context(*light.domain()));
        let same = serde_json::to_value(&verdict).is_ok_and(|verdict| verdict == self.verdict);
        let words_hold = same && self.network == proof.header.network;
        Ok(Shown { block: proof.header.time, words_hold, verdict })
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::light::Checkpoint;
    use fengni_core::verdict::{Answer, VerdictCode};
    use fengni_core::{
        CommitCertificate, CommitSignature, Header, Height, KeyAlgorithm, SecretKey, Validator, ValidatorSet, VoteStep,
        vote_bytes,
    };
    use serde_json::json;

    use super::*;

    const VECTORS: &str = include_str!("../../sdk/spec/vectors/verdicts.json");

    struct Vectors(Value);

    impl Vectors {
        fn new() -> Self {
            Self(serde_json::from_str(VECTORS).expect("a vector file is JSON"))
        }

        fn light(&self) -> LightClient {
            let value = |field: &str| self.0[field].clone();
            LightClient::of_the_past(Checkpoint {
                network: serde_json::from_value(value("network")).expect("a network"),
                suite: fengni_core::Suite::Standard,
                height: Height(0),
                time: Millis(0),
                block: None,
                validators: serde_json::from_value(value("validators")).expect("a set"),
                trusting_period_secs: 1_209_600,
            })
        }

        /// A checkpoint of other validators, and their handover to those of the vectors.
        fn before(&self, kept: &Kept) -> (LightClient, Handover) {
            let key = SecretKey::from_seed(KeyAlgorithm::Ed25519, &[7; 32]).expect("32 bytes are a key");
            let member = MemberNumber(3);
            let founders = ValidatorSet::new(vec![Validator { member, key: key.public(), power: 1 }]).expect("a set");
            let next: ValidatorSet = serde_json::from_value(self.0["validators"].clone()).expect("a set");
            let decided = kept.proof.state_proof().header;
            let domain = decided.domain();
            let height = Height(decided.height.0 - 2);
            let header = Header { height, next_validators: next.digest(&domain), ..decided };
            let block = header.id(&domain);
            let signature = key.sign(&vote_bytes(&domain, VoteStep::Precommit, height, 0, Some(block), member));
            let signatures = vec![CommitSignature { member, signature }];
            let certificate = CommitCertificate { height, round: 0, block, signatures };
            let checkpoint = Checkpoint {
                network: domain.network,
                suite: domain.suite,
                height: Height(0),
                time: Millis(0),
                block: None,
                validators: founders,
                trusting_period_secs: 1_209_600,
            };
            (LightClient::of_the_past(checkpoint), Handover { header, certificate, next })
        }

        /// The file that a verifier of this story keeps.
        fn kept(&self, story: &str) -> Kept {
            let case = self.0["cases"].as_array().expect("cases").iter().find(|case| case["story"] == story);
            let case = case.expect("a story of the vectors");
            let (context, proof) = (&case["context"], case["proof"].as_str().expect("a name"));
            let proof = hex::decode(self.0["proofs"][proof].as_str().expect("digits")).expect("digits");
            let asked = Asked {
                text: case["code"].as_str().expect("a code").to_owned(),
                verifier: serde_json::from_value(context["verifier"].clone()).expect("a member"),
                purpose: serde_json::from_value(context["purpose"].clone()).expect("a purpose"),
                min_grade: serde_json::from_value(context["min_grade"].clone()).expect("a grade"),
                min_assurance: serde_json::from_value(context["min_assurance"].clone()).expect("a level"),
                challenge: serde_json::from_value(context["challenge"].clone()).expect("a hash"),
                judged: serde_json::from_value(context["now_millis"].clone()).expect("a time"),
            };
            let proof = StateProof::decode(&proof).expect("a proof");
            Kept::new(asked, &proof, Vec::new(), &mut self.light()).expect("an honest gateway")
        }

        /// What the file proves to somebody who pins these validators.
        fn check(&self, file: &Value) -> Option<Shown> {
            Kept::parse(&file.to_string(), Path::new("file")).ok()?.check(&mut self.light()).ok()
        }
    }

    #[test]
    fn v23_a_kept_verdict_proves_itself_without_any_network() {
        let vectors = Vectors::new();
        for (story, code) in [
            ("nothing is wrong", VerdictCode::Valid),
            ("suspended by its keeper", VerdictCode::Suspended),
            ("one claim changed", VerdictCode::ContentMismatch),
            ("signed by another phone", VerdictCode::HolderProofInvalid),
            ("an item that demands 实人, and a code with it", VerdictCode::Valid),
            ("an item that demands 实人, and a code with 实名 alone", VerdictCode::AssuranceTooLow),
        ] {
            let file = serde_json::to_value(vectors.kept(story)).expect("plain data");
            let shown = vectors.check(&file).unwrap_or_else(|| panic!("{story}: proves nothing"));
            assert!(shown.words_hold, "{story}");
            assert_eq!(shown.verdict.code, code, "{story}");
        }
    }

    #[test]
    fn v23_a_file_leads_over_a_change_of_validators_by_its_own_handovers() {
        let vectors = Vectors::new();
        let mut kept = vectors.kept("nothing is wrong");
        let (light, handover) = vectors.before(&kept);
        assert!(kept.check(&mut light.clone()).is_err(), "others decided than the founders");
        kept.handovers = vec![handover.clone()];
        let file = serde_json::to_string(&kept).expect("plain data");
        let read = Kept::parse(&file, Path::new("file")).expect("its own file");
        let shown = read.check(&mut light.clone()).expect("the handover leads to them");
        assert!(shown.words_hold && shown.verdict.code == VerdictCode::Valid);
        // One that the founders have not signed leads nowhere.
        kept.handovers[0].header.time = Millis(1);
        assert!(matches!(kept.check(&mut light.clone()), Err(LightError::Handover(_))));
        kept.handovers = vec![handover];
        kept.handovers[0].certificate.signatures.clear();
        assert!(matches!(kept.check(&mut light.clone()), Err(LightError::Handover(_))));
    }

    #[test]
    fn v23_what_was_done_to_a_file_is_noticed() {
        let vectors = Vectors::new();
        let file = serde_json::to_value(vectors.kept("suspended by its keeper")).expect("plain data");
        let altered = |change: &dyn Fn(&mut Value)| {
            let mut file = file.clone();
            change(&mut file);
            vectors.check(&file)
        };
        // Words alone: the proof goes on saying what it says.
        let words = altered(&|file| file["verdict"]["code"] = json!("VALID")).expect("the proof holds");
        assert!(!words.words_hold && words.verdict.code == VerdictCode::Suspended);
        let network = altered(&|file| file["network"] = json!("08".repeat(32))).expect("the proof holds");
        assert!(!network.words_hold);
        // Another moment, when the suspension was not in force yet: the state is not of then.
        let judged = file["asked"]["judged"].as_u64().expect("a time");
        for moment in [judged - 86_400_000, judged + 86_400_000] {
            let other = altered(&|file| file["asked"]["judged"] = json!(moment)).expect("the proof holds");
            assert!(!other.words_hold && other.verdict.answer != Answer::Valid);
        }
        // Another purpose, another verifier, a challenge that nobody asked.
        let valid = serde_json::to_value(vectors.kept("nothing is wrong")).expect("plain data");
        let altered_valid = |change: &dyn Fn(&mut Value)| {
            let mut file = valid.clone();
            change(&mut file);
            vectors.check(&file)
        };
        for (field, value) in [("purpose", json!(4)), ("verifier", json!(5)), ("challenge", json!("08".repeat(32)))] {
            let other = altered_valid(&|file| file["asked"][field] = value.clone()).expect("the proof holds");
            assert!(!other.words_hold && other.verdict.answer != Answer::Valid, "{field}");
        }
        // The proof itself.
        let forged = [
            altered(&|file| file["proof"]["header"]["time"] = json!(1)),
            altered(&|file| file["proof"]["certificate"]["signatures"] = json!([])),
            altered(&|file| file["proof"]["entries"].as_array_mut().expect("entries")[3]["bytes"] = json!("00")),
            altered(&|file| file["kind"] = json!("fengni-history")),
        ];
        assert!(forged.iter().all(Option::is_none));
    }
}
