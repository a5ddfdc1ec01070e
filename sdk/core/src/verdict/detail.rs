//! The facts behind a verdict, and the sentences they make.

use serde::{Deserialize, Serialize};

use super::{Reason, VerdictCode};
use crate::assurance::Assurance;
use crate::certificate::Grade;
use crate::number::{Height, KeyNumber, LinePlace, MemberNumber, OrderNumber, PurposeCode};

/// What is too old.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The state of the ledger.
    Standing,
    /// The checkpoint from which the validators are known.
    Checkpoint,
}

/// What is wrong about the holder's proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderFault {
    /// The signature is not the holder's over this code.
    Signature,
    /// The code answers another challenge, or none.
    Challenge,
    /// The key was reported lost (挂失).
    KeyLost,
    /// The assertion was signed for another key, or not by the service it names.
    Assertion,
}

/// Why an identity service's assertion does not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssuranceFault {
    /// The code carries none.
    Absent,
    /// The person was checked in a weaker way.
    Level,
    /// It begins later.
    Early,
    /// Its time is over.
    Expired,
    /// Whoever made it is no identity service in force, or its key is not.
    Service,
}

/// How a line is not the certificate's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineFault {
    /// The book has fewer lines.
    BeyondCount,
    /// The line is another certificate's.
    OtherCertificate,
    /// The line is this certificate's, with other content or another holder's key.
    OtherContent,
    /// The sealed content does not fit the type's schema.
    OutsideSchema,
    /// Nobody found the identifier, which does not prove that there is none.
    NotFound,
}

/// Why no authority covers a certificate: the nearest miss among the issuer's authorities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityFault {
    /// The book names another issuer than its keeper.
    OtherIssuer,
    /// None for this type.
    OtherType,
    /// For this type, elsewhere.
    OtherDivision,
    /// For this type and region, on other days.
    OutsidePeriod,
    /// It would cover the certificate, and is suspended.
    Suspended,
}

/// Why an agreement does not carry a certificate: the nearest miss among the verifier's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementFault {
    /// For other regions.
    OtherDivision,
    /// Not every party has signed.
    NotSigned,
    /// Not in these days.
    OutsidePeriod,
    /// Suspended.
    Suspended,
    /// For other purposes.
    OtherPurpose,
    /// For better trust grades.
    Grade,
}

/// A member that is named in a verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Body {
    /// Its number.
    pub member: MemberNumber,
    /// Its name, where its record was proven.
    pub name: Option<String>,
}

/// The facts behind a verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Detail {
    /// The text is no code.
    Malformed {
        /// What the reader met.
        error: String,
    },
    /// The code claims a longer life than its type allows.
    Lifetime {
        /// Seconds claimed.
        claimed_secs: u32,
        /// Seconds allowed.
        allowed_secs: u32,
    },
    /// The code holds at another time.
    CodeTime {
        /// When it was signed, in seconds since 1970.
        issued_secs: u64,
        /// When it expires.
        expires_secs: u64,
    },
    /// The holder's proof.
    Holder {
        /// What is wrong.
        fault: HolderFault,
    },
    /// The line.
    Line {
        /// Where.
        place: LinePlace,
        /// What is wrong.
        fault: LineFault,
    },
    /// The issuer's authority.
    Authority {
        /// Name of the issuing member.
        issuer: String,
        /// What is wrong.
        fault: AuthorityFault,
    },
    /// The seal's keys.
    SealKeys {
        /// Keys of the issuer that were not valid, or for whose revocation the line is suspended.
        keys: Vec<KeyNumber>,
        /// When they sealed; `None` where no seal is at hand.
        height: Option<Height>,
    },
    /// Suspensions in force.
    Holds {
        /// Who suspended.
        by: Vec<Body>,
    },
    /// An order that suspends many certificates.
    Order {
        /// Which.
        order: OrderNumber,
    },
    /// The line that goes on from here.
    Successor {
        /// Where.
        place: LinePlace,
        /// Its identifier, where it could be told from the old one.
        identifier: Option<String>,
    },
    /// The certificate's own dates.
    Validity {
        /// First day, `YYYY-MM-DD`.
        from: String,
        /// Last day; `None` for ever.
        until: Option<String>,
    },
    /// A purpose.
    Purpose {
        /// What the holder showed it for.
        shown: PurposeCode,
        /// What the verifier asks for.
        asked: PurposeCode,
    },
    /// An agreement.
    Agreement {
        /// The parties' name for it.
        label: String,
        /// What is wrong.
        fault: AgreementFault,
    },
    /// The trust grade.
    Grade {
        /// The certificate's.
        found: Grade,
        /// The lowest that would do.
        needed: Grade,
    },
    /// What an identity service vouches for.
    Assurance {
        /// What the code says; `None` where it says nothing.
        found: Option<Assurance>,
        /// The lowest that would do; `None` where none is asked for.
        needed: Option<Assurance>,
        /// What is wrong.
        fault: AssuranceFault,
    },
    /// Something is too old.
    Stale {
        /// What.
        what: Evidence,
        /// How old.
        age_secs: u64,
        /// How old it may be.
        limit_secs: u64,
    },
    /// The device's clock is behind the ledger's.
    Clock {
        /// By how much.
        behind_secs: u64,
    },
    /// The gateway did not prove what is needed.
    Missing {
        /// What.
        what: String,
    },
    /// What is recorded about a document.
    Recorded {
        /// The code the standing would give, or none where no act bars it.
        standing: Option<VerdictCode>,
        /// The line that goes on from it.
        successor: Option<LinePlace>,
    },
}

impl Detail {
    /// The sentence these facts make, where they say more than the code.
    pub(super) fn reason(&self) -> Option<Reason> {
        let (en, zh) = match self {
            Self::Malformed { error } => (format!("not a code: {error}"), "不是有效的亮证码".to_owned()),
            Self::Lifetime { claimed_secs, allowed_secs } => (
                format!("the code claims to hold {claimed_secs} seconds; this type allows {allowed_secs}"),
                format!("亮证码有效期{claimed_secs}秒,超过该类证照允许的{allowed_secs}秒"),
            ),
            Self::Holder { fault } => return Some(holder(*fault)),
            Self::Line { place, fault } => return line(*place, *fault),
            Self::Authority { issuer, fault } => authority(issuer, *fault),
            Self::Holds { by } => {
                let names: Vec<String> = by.iter().map(Body::display).collect();
                (
                    format!("the certificate is suspended by {}", names.join(", ")),
                    format!("证照已被{}暂扣", names.join("、")),
                )
            }
            Self::Order { order } => {
                (format!("the certificate is suspended by order {order}"), format!("证照已被第{order}号批量暂扣令暂扣"))
            }
            Self::Successor { place, identifier } => match identifier {
                Some(identifier) => {
                    (format!("the certificate goes on as {identifier}, {place}"), format!("证照已由 {identifier} 接续"))
                }
                None => (
                    format!("the certificate goes on at {place}"),
                    format!("证照已由登记簿{}第{}行接续", place.book, place.line),
                ),
            },
            Self::Validity { from, until } => {
                let last = until.as_deref().unwrap_or("ever");
                (
                    format!("the certificate is valid from {from} to {last}"),
                    format!("证照有效期为{from}至{}", until.as_deref().unwrap_or("长期")),
                )
            }
            Self::Purpose { shown, asked } if shown != asked => (
                format!("the code was shown for purpose {shown}, not for {asked}"),
                format!("亮证用途为{shown},与核验用途{asked}不符"),
            ),
            Self::Agreement { label, fault } => agreement(label, *fault),
            Self::Grade { found, needed } => {
                (format!("the trust grade is {found}; {needed} is needed"), format!("可信等级为{found},需要{needed}级"))
            }
            Self::Assurance { found, needed, fault } => assurance(*found, *needed, *fault),
            Self::Stale { what, age_secs, limit_secs } => stale(*what, *age_secs, *limit_secs),
            Self::Clock { behind_secs } => (
                format!("this device's clock is {behind_secs} seconds behind the ledger's"),
                format!("本机时钟比账本慢{behind_secs}秒"),
            ),
            Self::Missing { what } => {
                (format!("the ledger could not be asked: {what}"), "无法从账本取得所需证明".to_owned())
            }
            Self::Recorded { standing: Some(code), .. } => {
                let Reason { en, zh } = code.reason();
                (
                    format!("recorded about the document: {en}; its holder was not checked"),
                    format!("登记状态:{zh};未核验持证人"),
                )
            }
            Self::CodeTime { .. } | Self::SealKeys { .. } | Self::Purpose { .. } | Self::Recorded { .. } => {
                return None;
            }
        };
        Some(Reason { en, zh })
    }
}

impl Body {
    fn display(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("member {}", self.member))
    }
}

fn holder(fault: HolderFault) -> Reason {
    match fault {
        HolderFault::Signature => VerdictCode::HolderProofInvalid.reason(),
        HolderFault::Challenge => Reason {
            en: "the code does not answer this verifier's challenge".into(),
            zh: "亮证码未应答本次核验挑战".into(),
        },
        HolderFault::KeyLost => {
            Reason { en: "the holder's phone was reported lost".into(), zh: "持证人已挂失该设备".into() }
        }
        HolderFault::Assertion => Reason {
            en: "the assertion in the code was not made for this phone by the identity service it names".into(),
            zh: "码中的身份认证凭证不是所称平台为该设备签发的".into(),
        },
    }
}

fn line(place: LinePlace, fault: LineFault) -> Option<Reason> {
    let (en, zh) = match fault {
        LineFault::BeyondCount => (format!("{place} does not exist"), "账本上没有该证照"),
        LineFault::OtherCertificate => (format!("{place} is another certificate's"), "账本该位置是另一证照"),
        LineFault::OutsideSchema => {
            ("the sealed content does not fit the type's schema".to_owned(), "签发内容不符合该类证照的数据结构")
        }
        LineFault::NotFound => (
            "no gateway found this identifier, which does not prove that there is none".to_owned(),
            "未查到该证照标识,不能据此认定其不存在",
        ),
        LineFault::OtherContent => return None,
    };
    Some(Reason { en, zh: zh.to_owned() })
}

fn authority(issuer: &str, fault: AuthorityFault) -> (String, String) {
    let (en, zh) = match fault {
        AuthorityFault::OtherIssuer => ("is not the issuer the book names", "与登记簿所列发证单位不符"),
        AuthorityFault::OtherType => ("has no authority for this type", "没有该类证照的制发权限"),
        AuthorityFault::OtherDivision => ("has no authority for this region", "没有该区域的制发权限"),
        AuthorityFault::OutsidePeriod => ("had no authority on the day of issue", "在颁发日期没有制发权限"),
        AuthorityFault::Suspended => ("has its authority suspended", "的制发权限已暂停"),
    };
    (format!("{issuer} {en}"), format!("{issuer}{zh}"))
}

fn agreement(label: &str, fault: AgreementFault) -> (String, String) {
    let (en, zh) = match fault {
        AgreementFault::OtherDivision => ("does not cover the region", "不覆盖该区域"),
        AgreementFault::NotSigned => ("is not signed by every party", "尚未全部签署"),
        AgreementFault::OutsidePeriod => ("is not in force today", "不在有效期内"),
        AgreementFault::Suspended => ("is suspended", "已暂停"),
        AgreementFault::OtherPurpose => ("does not cover this purpose", "不覆盖此用途"),
        AgreementFault::Grade => ("asks for a better trust grade", "要求更高的可信等级"),
    };
    (format!("agreement {label} {en}"), format!("互认协议 {label} {zh}"))
}

/// A level in each language, and what stands for none.
fn level(level: Option<Assurance>) -> (&'static str, &'static str) {
    level.map_or(("nothing", "未认证"), |level| (level.as_str(), level.chinese()))
}

fn assurance(found: Option<Assurance>, needed: Option<Assurance>, fault: AssuranceFault) -> (String, String) {
    let ((found, found_zh), (needed, needed_zh)) = (level(found), level(needed));
    let (en, zh) = match fault {
        AssuranceFault::Absent | AssuranceFault::Level => {
            return (
                format!(
                    "an identity service vouches for {found}; {needed} is needed: be checked, then show a new code"
                ),
                format!("身份认证等级为{found_zh},需要{needed_zh}认证后重新亮证"),
            );
        }
        AssuranceFault::Early => {
            ("begins later: set both clocks, then show a new code", "尚未生效,请核对双方时钟后重新亮证")
        }
        AssuranceFault::Expired => ("has expired: be checked again, then show a new code", "已过期,请重新认证后再亮证"),
        AssuranceFault::Service => (
            "is of no identity service in force: be checked by another, then show a new code",
            "不是有效的认证平台签发的,请换平台认证后再亮证",
        ),
    };
    (format!("the identity service's assertion {en}"), format!("身份认证凭证{zh}"))
}

fn stale(what: Evidence, age_secs: u64, limit_secs: u64) -> (String, String) {
    let (en, zh) = match what {
        Evidence::Standing => ("the state of the ledger", "账本状态"),
        Evidence::Checkpoint => ("the checkpoint", "信任检查点"),
    };
    (
        format!("{en} is {age_secs} seconds old; {limit_secs} are allowed"),
        format!("{zh}已有{age_secs}秒,超过允许的{limit_secs}秒"),
    )
}
