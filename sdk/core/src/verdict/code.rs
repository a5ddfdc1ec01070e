//! The 28 verdict codes: names and numbers for life.

use serde::{Deserialize, Serialize};

use super::{Answer, Reason};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $answer:ident, $en:literal, $zh:literal;)*) => {
        /// Why a verdict answers as it does. Numbers are permanent.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum VerdictCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant = $number,)*
        }

        impl VerdictCode {
            /// Every code, by number.
            pub const ALL: [Self; 28] = [$(Self::$variant),*];

            /// The name, such as `CODE_EXPIRED`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The answer a code stands for. The one exception is an `UNKNOWN_CERT` whose absence
            /// is not proven: its verdict is undecided.
            pub fn answer(self) -> Answer {
                match self { $(Self::$variant => Answer::$answer,)* }
            }

            /// The sentence where no facts say more.
            pub fn reason(self) -> Reason {
                match self { $(Self::$variant => Reason { en: $en.into(), zh: $zh.into() },)* }
            }
        }
    };
}

codes! {
    /// Authentic, in force, recognised here, and shown by its holder.
    Valid = 1, "VALID", Valid,
        "the certificate is authentic, in force and recognised here, and its holder showed it", "证照真实有效,由持证人出示,本单位认可";
    /// As [`VerdictCode::Valid`], by a state of the ledger that this device has kept.
    ValidOffline = 2, "VALID_OFFLINE", Valid,
        "the certificate was in force as of the time given", "离线核验:截至所示时间,证照真实有效";
    /// What acts are recorded for a document: says nothing about who shows it, nor about its dates.
    DocumentStatusOnly = 3, "DOCUMENT_STATUS_ONLY", Undecided,
        "only what is recorded about the document: nobody was checked to be its holder", "仅为证照登记状态,未核验持证人";
    /// The code's time is over.
    CodeExpired = 4, "CODE_EXPIRED", Refused,
        "the code has expired: ask for a new one", "亮证码已过期,请重新出示";
    /// The code was used before.
    CodeReplayed = 5, "CODE_REPLAYED", Refused,
        "the code has been used before: ask for a new one", "亮证码已被使用过,请重新出示";
    /// The code, or the certificate behind it, begins later.
    CodeNotYetValid = 6, "CODE_NOT_YET_VALID", Refused,
        "the code is not yet valid: one of the two clocks is wrong", "亮证码尚未生效,请检查双方时钟";
    /// The holder's key did not sign this code, or must not be trusted any more.
    HolderProofInvalid = 7, "HOLDER_PROOF_INVALID", Refused,
        "the code was not signed by the certificate's holder", "持证人签名无效";
    /// Not a code.
    Malformed = 8, "MALFORMED", Refused,
        "this is not a code of this network", "不是有效的亮证码";
    /// There is no such certificate.
    UnknownCert = 9, "UNKNOWN_CERT", Refused,
        "there is no such certificate on the ledger", "账本上没有该证照";
    /// What is shown is not what was sealed.
    ContentMismatch = 10, "CONTENT_MISMATCH", Refused,
        "what is shown is not what the issuer sealed", "出示内容与签发内容不一致";
    /// The issuer had no authority.
    IssuerNotAuthorised = 11, "ISSUER_NOT_AUTHORISED", Refused,
        "the issuer has no authority for this type, region and day", "发证单位无此类证照的制发权限";
    /// The issuer's key was revoked for the time of sealing.
    IssuerKeyRevoked = 12, "ISSUER_KEY_REVOKED", Refused,
        "the key that sealed the certificate has been revoked", "签发该证照的密钥已被吊销";
    /// 暂扣.
    Suspended = 13, "SUSPENDED", Refused, "the certificate is suspended", "证照已暂扣";
    /// 撤销.
    Annulled = 14, "ANNULLED", Refused, "the certificate is annulled", "证照已撤销";
    /// 注销.
    Cancelled = 15, "CANCELLED", Refused, "the certificate is cancelled", "证照已注销";
    /// 吊销.
    Revoked = 16, "REVOKED", Refused, "the certificate is revoked", "证照已吊销";
    /// 失效.
    Expired = 17, "EXPIRED", Refused, "the certificate has expired", "证照已失效";
    /// 已换发.
    Superseded = 18, "SUPERSEDED", Refused, "the certificate has been replaced by another", "证照已换发";
    /// 转出.
    Transferred = 19, "TRANSFERRED", Refused,
        "the certificate has been transferred to another issuer", "证照已转出";
    /// 异议标注: a warning that accompanies another code and never stands alone.
    Disputed = 20, "DISPUTED", Valid, "an objection to the certificate is open", "证照存在异议,请留意";
    /// 已核销.
    AlreadyConsumed = 21, "ALREADY_CONSUMED", Refused, "the document has been used up", "证照已核销";
    /// No agreement covers it.
    NotRecognised = 22, "NOT_RECOGNISED", Refused,
        "no agreement recognises this certificate here", "本单位未与发证地互认该证照";
    /// Not for this purpose.
    PurposeNotCovered = 23, "PURPOSE_NOT_COVERED", Refused,
        "the certificate does not count for this purpose", "该证照不适用于此用途";
    /// The type asks for the holder's grant for this purpose, and none is on the ledger.
    GrantRequired = 24, "GRANT_REQUIRED", Refused, "the holder's grant is needed", "需要持证人授权";
    /// The verifier may not verify.
    AppSuspended = 25, "APP_SUSPENDED", Refused, "the verifying body or application is suspended", "核验单位或应用已暂停";
    /// The trust grade is too low.
    AssuranceTooLow = 26, "ASSURANCE_TOO_LOW", Refused, "the trust grade is too low here", "可信等级不足";
    /// The evidence is too old.
    StatusStale = 27, "STATUS_STALE", Undecided,
        "the state of the ledger at hand is too old: ask another gateway", "账本状态过旧,请换用其他网关";
    /// The evidence is not there.
    LedgerUnreachable = 28, "LEDGER_UNREACHABLE", Undecided,
        "the ledger could not be asked", "无法查询账本";
}

impl VerdictCode {
    /// The permanent number.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl std::fmt::Display for VerdictCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
