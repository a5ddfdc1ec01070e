//! What a screen shows at once: one short sentence in plain Chinese, and whether all is well.
//!
//! The sentence fits large type and is read aloud in care mode (关怀模式, HLD-09), so it has at
//! most 40 characters whatever the facts say: names of bodies and agreements are left to the
//! reason. It says what is the matter, and what to do where a holder or clerk can do something.

use serde::{Deserialize, Serialize};

use super::{Answer, AssuranceFault, AuthorityFault, Detail, Evidence, HolderFault, LineFault, Verdict, VerdictCode};
use crate::assurance::Assurance;

/// Characters of a plain text, at most (HLD-09).
pub const PLAIN_TEXT_CHARACTERS: usize = 40;

/// What a screen shows before anything is read, such as by its colour (VER-08).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Display {
    /// Valid, and nothing to be aware of.
    Normal,
    /// Anything else: refused, undecided, or valid with a warning. Somebody has to read on.
    Abnormal,
}

impl Display {
    /// The class as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Abnormal => "abnormal",
        }
    }
}

/// Rule V-20: the class of an answer with its warnings.
pub(super) fn display(verdict: &Verdict) -> Display {
    let disputed = verdict.code == VerdictCode::Disputed;
    if verdict.is_valid() && verdict.warnings.is_empty() && !disputed { Display::Normal } else { Display::Abnormal }
}

/// Rule V-20: the sentence, at most [`PLAIN_TEXT_CHARACTERS`] long.
pub(super) fn plain_text(verdict: &Verdict) -> String {
    let text = sentence(verdict);
    debug_assert!(text.chars().count() <= PLAIN_TEXT_CHARACTERS, "{text}");
    text
}

fn sentence(verdict: &Verdict) -> String {
    let disputed = verdict.warnings.contains(&VerdictCode::Disputed);
    if let Some(Detail::Recorded { standing, .. }) = &verdict.detail {
        return recorded(*standing, disputed);
    }
    if verdict.is_valid() && disputed {
        return match verdict.code {
            VerdictCode::ValidOffline => "离线核验有效,但该证照有异议未办结,请留意。",
            _ => "证照有效,但有异议未办结,请留意。",
        }
        .to_owned();
    }
    if verdict.code == VerdictCode::UnknownCert && verdict.answer == Answer::Undecided {
        return "未查到该证照,请核对标识后再试。".to_owned();
    }
    let detailed = verdict.detail.as_ref().and_then(|detail| of_detail(verdict.code, detail));
    detailed.unwrap_or_else(|| of_code(verdict.code)).to_owned()
}

/// Where the facts call for another sentence than the code alone.
fn of_detail(code: VerdictCode, detail: &Detail) -> Option<&'static str> {
    Some(match detail {
        Detail::Lifetime { .. } => "亮证码有效期超出规定,不能采信。",
        Detail::Holder { fault: HolderFault::Challenge } => "此码不是应答本次核验的,请扫码后重新出示。",
        Detail::Holder { fault: HolderFault::KeyLost } => "该手机已挂失,此码作废。证照补绑新手机后可用。",
        Detail::Holder { fault: HolderFault::Assertion } => "码里的身份认证凭证不对,不能采信。",
        Detail::Assurance { needed, fault, .. } => assurance(*needed, *fault),
        Detail::Line { fault: LineFault::OutsideSchema, .. } => "签发内容不符合该类证照的格式,不能采信。",
        Detail::Line { fault: LineFault::NotFound, .. } => "未查到该证照,请核对标识后再试。",
        Detail::Authority { fault: AuthorityFault::Suspended, .. } => "发证单位的制发权限已暂停,不能采信。",
        Detail::Authority { fault: AuthorityFault::OtherIssuer, .. } => "发证单位与登记簿不符,不能采信。",
        Detail::Validity { .. } if code == VerdictCode::CodeNotYetValid => "证照还没到生效日期,现在不能用。",
        Detail::Validity { .. } => "证照已过有效期,请持证人换证。",
        Detail::Purpose { shown, asked } if shown != asked => "出示的用途与本次办事不符,请重新出示。",
        Detail::Agreement { .. } if code == VerdictCode::NotRecognised => "互认协议不覆盖这张证照,本单位不能认可。",
        Detail::Stale { what: Evidence::Checkpoint, .. } => "本机信任数据太旧,请先联网更新再核验。",
        Detail::Clock { .. } => "本机时钟慢了,请校准后再核验。",
        _ => return None,
    })
}

/// What the holder does next.
fn assurance(needed: Option<Assurance>, fault: AssuranceFault) -> &'static str {
    match (fault, needed) {
        (AssuranceFault::Early, _) => "身份认证还没生效,请核对时钟后重新亮证。",
        (AssuranceFault::Expired, _) => "身份认证已过期,请重新认证后再亮证。",
        (AssuranceFault::Service, _) => "认证平台不在有效名单内,请换平台认证后再亮证。",
        (_, Some(Assurance::RealPerson)) => "请先在身份认证平台完成实人认证,再重新亮证。",
        _ => "请先在身份认证平台完成实名认证,再重新亮证。",
    }
}

fn of_code(code: VerdictCode) -> &'static str {
    match code {
        VerdictCode::Valid => "证照有效。",
        VerdictCode::ValidOffline => "离线核验有效,以所示时间为准。",
        VerdictCode::DocumentStatusOnly => "仅为证照登记状态,未核验持证人。",
        VerdictCode::CodeExpired => "亮证码已过期,请持证人重新出示。",
        VerdictCode::CodeReplayed => "此码已经用过,请持证人重新出示。",
        VerdictCode::CodeNotYetValid => "亮证码还没到时间,请核对手机和本机的时钟。",
        VerdictCode::HolderProofInvalid => "持证人签名不对,不能采信。",
        VerdictCode::Malformed => "这不是有效的亮证码,请对准重新扫描。",
        VerdictCode::UnknownCert => "账本上没有这张证照,不能采信。",
        VerdictCode::ContentMismatch => "出示的内容与签发的不一致,不能采信。",
        VerdictCode::IssuerNotAuthorised => "发证单位没有这类证照的制发权限,不能采信。",
        VerdictCode::IssuerKeyRevoked => "签发这张证照的密钥已吊销,不能采信。",
        VerdictCode::Suspended => "证照已暂扣,现在不能用。",
        VerdictCode::Annulled => "证照已撤销,不能用。",
        VerdictCode::Cancelled => "证照已注销,不能用。",
        VerdictCode::Revoked => "证照已吊销,不能用。",
        VerdictCode::Expired => "证照已失效,不能用。",
        VerdictCode::Superseded => "证照已换发,请出示新的证照。",
        VerdictCode::Transferred => "证照已转到其他发证单位,请出示新的证照。",
        VerdictCode::Disputed => "证照有异议未办结,请留意。",
        VerdictCode::AlreadyConsumed => "证照已核销,不能再用。",
        VerdictCode::NotRecognised => "本单位与发证地没有互认,不能认可。",
        VerdictCode::PurposeNotCovered => "这张证照不能用于本次办事。",
        VerdictCode::GrantRequired => "需要持证人先授权,才能用于本次办事。",
        VerdictCode::AppSuspended => "本单位或应用的核验资格已暂停。",
        VerdictCode::AssuranceTooLow => "可信等级不够,请出示更高等级的证照。",
        VerdictCode::StatusStale => "账本状态太旧,无法判断,请联网后再核验。",
        VerdictCode::LedgerUnreachable => "暂时无法查询账本,不能判断,请稍后再试。",
    }
}

/// What is recorded about a document. An act that bars it comes before everything else.
fn recorded(standing: Option<VerdictCode>, disputed: bool) -> String {
    let state = match standing {
        Some(code) => of_code(code).trim_end_matches('。').split(',').next().unwrap_or_default(),
        None if disputed => "证照有异议未办结",
        None => "没有登记异常",
    };
    format!("{state};仅为登记状态,未核验持证人。")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v20_every_code_has_a_short_sentence_of_its_own() {
        let mut texts: Vec<&str> = VerdictCode::ALL.into_iter().map(of_code).collect();
        assert!(texts.iter().all(|text| (4..=PLAIN_TEXT_CHARACTERS).contains(&text.chars().count())));
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), VerdictCode::ALL.len());
    }

    #[test]
    fn v20_a_recorded_state_is_said_first() {
        for code in VerdictCode::ALL {
            assert!(recorded(Some(code), true).chars().count() <= PLAIN_TEXT_CHARACTERS, "{code}");
        }
        assert_eq!(recorded(Some(VerdictCode::Revoked), false), "证照已吊销;仅为登记状态,未核验持证人。");
        assert_eq!(recorded(None, false), "没有登记异常;仅为登记状态,未核验持证人。");
        assert_eq!(recorded(None, true), "证照有异议未办结;仅为登记状态,未核验持证人。");
    }
}
