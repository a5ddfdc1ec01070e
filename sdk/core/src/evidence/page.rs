//! The page of a package: what people read and print, with the bytes in it. Rule W-6.
//!
//! Everything on the page follows from the bytes, so that whoever checks writes it anew and
//! compares: a word that was altered, moved or added is noticed like a bit of the proof.

use thiserror::Error;

use super::{Evidence, Findings, Package, PackageError};
use crate::book::SuspensionCause;
use crate::bytes::Bytes;
use crate::digest::{Digest, Suite};
use crate::keys::KeyAlgorithm;
use crate::limits::EVIDENCE_BYTES;
use crate::number::Height;

const PACKAGE_OPEN: &str = "<script type=\"application/vnd.fengni.evidence\">";
const STAMP_OPEN: &str = "<script type=\"application/timestamp-reply\">";
const CLOSE: &str = "</script>";

const STYLE: &str = "body{font:10.5pt/1.5 'Noto Sans','Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',sans-serif;\
max-width:52em;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
h1{font-size:1.6em;margin:0}h2{font-size:1.1em;margin:1.6em 0 .4em;border-bottom:1px solid #999}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25em .5em;border-bottom:1px solid #ddd}\
th{font-weight:600}code{font-family:'Noto Sans Mono',Consolas,monospace;font-size:.85em;overflow-wrap:anywhere}\
.defects{border:2px solid #a00;padding:.5em 1em}footer{margin-top:2em;color:#444;font-size:.9em}\
@page{size:A4;margin:18mm}@media print{body{margin:0;max-width:none;padding:0}h2{break-after:avoid}tr{break-inside:avoid}}";

/// Why a page is none of a package.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PageError {
    /// W-6: no package in it, or not in hexadecimal digits.
    #[error("no evidence package is in the page")]
    NoPackage,
    /// W-1: what is in it is no package.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl Evidence {
    /// Reads the bytes in a page. Its words are judged by [`Evidence::page`].
    ///
    /// # Errors
    /// [`PageError`].
    pub fn from_page(page: &str) -> Result<Self, PageError> {
        if page.len() > 3 * EVIDENCE_BYTES {
            return Err(PageError::NoPackage);
        }
        let package = between(page, PACKAGE_OPEN).and_then(|digits| hex::decode(digits).ok());
        let package = Package::decode(&package.ok_or(PageError::NoPackage)?)?;
        let timestamp = match between(page, STAMP_OPEN) {
            Some(digits) => Some(Bytes(hex::decode(digits).map_err(|_| PageError::NoPackage)?)),
            None => None,
        };
        Ok(Self { package, timestamp })
    }

    /// Rule W-6: the page of a package and what it proves; always the same for the same bytes.
    pub fn page(&self, findings: &Findings) -> String {
        let mut page = Writer(String::new());
        page.raw("<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.raw("<meta name=\"viewport\" content=\"width=device-width\">\n<title>存证证明 Evidence</title>\n<style>");
        page.raw(STYLE);
        page.raw("</style>\n</head>\n<body>\n<h1>存证证明</h1>\n<p>Evidence of an electronic certificate’s past 电子证照历史记录证明</p>\n");
        self.subject(&mut page, findings);
        self.content(&mut page, findings);
        events(&mut page, findings);
        signatures(&mut page, findings);
        self.finality(&mut page, findings);
        self.checking(&mut page, findings);
        page.raw(PACKAGE_OPEN);
        page.raw(&hex::encode(self.package.encode()));
        page.raw(CLOSE);
        page.raw("\n");
        if let Some(timestamp) = &self.timestamp {
            page.raw(STAMP_OPEN);
            page.raw(&hex::encode(&timestamp.0));
            page.raw(CLOSE);
            page.raw("\n");
        }
        page.raw("</body>\n</html>\n");
        page.0
    }

    fn subject(&self, page: &mut Writer, findings: &Findings) {
        page.heading("结论 What it says");
        if findings.holds() {
            page.raw("<p>Complete: no seal and no act on this certificate up to the block below is missing. 签章与行为记录完整，无遗漏。");
            page.raw(" Suspensions of many lines by one act are shown as they are now; those lifted before leave no event. 批量暂扣仅示现状。</p>\n");
        } else {
            page.raw("<div class=\"defects\"><p>Incomplete 不完整:</p><ul>");
            findings.defects.iter().for_each(|defect| page.item(&defect.to_string()));
            page.raw("</ul></div>\n");
        }
        let chapters = &findings.history.chapters;
        let at = findings.header.time;
        let last = chapters.last();
        let now = last.map_or_else(String::new, |chapter| chapter.standing_words(at));
        let place = last.map_or(self.package.place, |chapter| chapter.place);
        page.rows(&[
            ("证照类型 Type", format!("{} {}", findings.kind.name, findings.kind.code)),
            ("制发机构 Issuer", format!("{} {}", findings.name(findings.book.opener()), findings.book.issuer)),
            ("行政区划 Division", findings.book.division.to_string()),
            ("登记位置 Place", format!("book 簿 {}, line 行 {}", place.book, place.line)),
            ("状态 Standing", format!("{now}, as of block {} 截至区块", findings.header.height)),
            ("截至 As of", format!("{} +08:00", findings.header.time.show())),
        ]);
        let Some(last) = last else { return };
        for hold in last.holds.iter().filter(|hold| hold.is_live(at)) {
            let until = hold.until.map_or_else(String::new, |until| format!(", until 至 {}", until.show()));
            page.paragraph(&format!("Suspended 暂扣 by {}{until}", findings.name(hold.by)));
        }
        for run in &last.together {
            page.paragraph(&match run.cause {
                SuspensionCause::Key { key } => {
                    format!("Suspended because key {key} of whoever sealed it was revoked 密钥吊销")
                }
                SuspensionCause::Order { order } => format!("Suspended by order {order} 批量暂扣"),
            });
        }
    }

    fn content(&self, page: &mut Writer, findings: &Findings) {
        page.heading("内容 Content");
        let Some(content) = &findings.content else {
            page.raw("<p>Not shown: the ledger holds a salted hash alone. 未出示：账本只存加盐哈希。</p>\n");
            return;
        };
        let facts = &content.facts;
        let until = facts.until.map_or_else(|| "长期 for ever".to_owned(), |until| until.to_string());
        let of = findings.history.chapters.iter().find(|chapter| chapter.place == content.place);
        let standing = of.map_or_else(String::new, |chapter| chapter.standing_words(findings.header.time));
        let mut rows = vec![
            ("证照标识 Identifier", content.identifier.to_string()),
            ("本版本 This version", format!("{}, {standing}", content.place)),
            ("颁发日期 Issued", facts.issued.to_string()),
            ("有效期 Valid", format!("{} – {until}", facts.from)),
            ("可信等级 Grade", facts.grade.to_string()),
        ];
        let claims = content.claims.iter();
        rows.extend(claims.map(|(label, value)| (label.as_str(), value.clone().unwrap_or_else(|| "–".to_owned()))));
        page.rows(&rows);
        if content.hidden > 0 {
            page.paragraph(&format!(
                "{} more claims are not shown. 另有 {} 项未出示。",
                content.hidden, content.hidden
            ));
        }
    }

    fn finality(&self, page: &mut Writer, findings: &Findings) {
        page.heading("区块与签名 Block and quorum");
        let header = &findings.header;
        let signed: u64 = findings.signers.iter().map(|(_, power)| power).sum();
        let (power, quorum) = findings.power;
        let names: Vec<String> = findings.signers.iter().map(|(member, _)| findings.name(*member)).collect();
        let checkpoint = &self.package.checkpoint;
        page.rows(&[
            ("网络 Network", header.network.to_string()),
            ("区块 Block", format!("{} {}", header.height, findings.block)),
            ("状态根 State root", header.state_root.to_string()),
            ("签名 Signed by", format!("{} ({signed} of {power}, quorum {quorum})", names.join("、"))),
            ("检查点 Checkpoint", format!("height {}, digest {}", checkpoint.height, findings.checkpoint)),
            ("验证人交接 Handovers followed", self.package.handovers.len().to_string()),
            (
                "算法 Algorithms",
                format!(
                    "suite {}: SHA-256 (FIPS 180-4), trees of RFC 9162; {}",
                    header.suite.number(),
                    algorithms(findings)
                ),
            ),
            ("软件 Software", format!("{} (the maker’s word 制作者自述)", self.package.software)),
            ("制作 Made", format!("{} +08:00, by the maker’s clock 制作者时钟", self.package.made.show())),
        ]);
    }

    fn checking(&self, page: &mut Writer, findings: &Findings) {
        page.heading("核验 How to check");
        page.paragraph(
            "This page holds the bytes that prove it. No network is needed: 本页内含全部证明数据，可离线核验：",
        );
        page.raw("<pre><code>");
        page.text(&format!("fengni-evidence FILE --checkpoint {}", findings.checkpoint));
        page.raw("</code></pre>\n");
        page.paragraph(
            "Take the checkpoint’s digest from the network’s own publication, not from this page. \
             检查点摘要须取自网络的公开发布，而非本页。",
        );
        let imprint = self.package.imprint();
        page.paragraph(&format!("SHA-256 of the package 数据摘要: {imprint}"));
        match &self.timestamp {
            Some(timestamp) => {
                let digest: Digest = Suite::Standard.hash(&[&timestamp.0]);
                page.paragraph(&format!(
                    "{} bytes said to be an outside timestamp (RFC 3161) are attached, SHA-256 {digest}; they are not judged here. \
                     附称为外部时间戳的数据，此处未核验。",
                    timestamp.0.len()
                ));
            }
            None => page.paragraph("No outside timestamp is attached. 未附外部时间戳。"),
        }
    }
}

/// Every event, numbered from 1.
fn events(page: &mut Writer, findings: &Findings) {
    page.heading("经过 Events");
    page.raw("<table><tr><th>#</th><th>行 Line</th><th>行为 Act</th><th>状态 Standing after</th><th>机构 By</th><th>原因 Reason</th><th>决定 Decision</th><th>时间 Time</th></tr>\n");
    let when = |height: Height| {
        let time = findings.times.get(&height).map_or_else(String::new, |time| time.show());
        format!("{time} block {height}")
    };
    for (seq, told) in (1u64..).zip(findings.history.told()) {
        let reason = told.event.map_or_else(String::new, |event| match &event.reason_name {
            Some(name) => format!("{} {name}", event.reason),
            None => event.reason.to_string(),
        });
        let decision = told.event.map_or_else(String::new, |event| event.decision.to_string());
        let by = findings.name(told.by.member);
        let (seq, place) = (seq.to_string(), told.place.to_string());
        page.cells(&[&seq, &place, &told.act, &told.after, &by, &reason, &decision, &when(told.height)]);
    }
    page.raw("</table>\n");
}

/// Who signed with which key, and under which authority.
fn signatures(page: &mut Writer, findings: &Findings) {
    page.heading("密钥与权限 Keys and authority");
    page.raw("<table><tr><th>机构 Member</th><th>密钥 Key</th><th>公钥 Public key</th><th>有效区块 Valid at blocks</th><th>签署 Signed at</th></tr>\n");
    for used in &findings.keys {
        let until = used.valid.1.map_or_else(|| "…".to_owned(), |until| until.to_string());
        let heights: Vec<String> = used.heights.iter().map(ToString::to_string).collect();
        page.cells(&[
            &findings.name(used.member),
            &format!("{} ({})", used.number, algorithm(used.key.algorithm())),
            &used.key.to_string(),
            &format!("{}–{until}{}", used.valid.0, if used.revoked { ", revoked later 其后吊销" } else { "" }),
            &heights.join(", "),
        ]);
    }
    page.raw("</table>\n");
    if findings.authorities.is_empty() {
        page.raw("<p>No authority on record covers the day of the seal; a line with a new holder key needs none. 签章当日无在册制发权限（补绑行不需要）。</p>\n");
    }
    for (number, authority) in &findings.authorities {
        page.paragraph(&format!(
            "Authority 制发权限 {number}: {}, {} – {}, {}",
            findings.name(authority.member),
            authority.from,
            authority.until,
            authority.basis
        ));
    }
}

fn algorithm(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Ed25519 => "Ed25519, RFC 8032",
        KeyAlgorithm::P256 => "ECDSA P-256 with SHA-256, FIPS 186-5",
        #[cfg(any(test, feature = "trial-suite"))]
        KeyAlgorithm::Trial => "trial",
    }
}

fn algorithms(findings: &Findings) -> String {
    // Validators sign with the first; members' keys say which are theirs.
    let mut names = vec![algorithm(KeyAlgorithm::Ed25519)];
    for used in &findings.keys {
        let name = algorithm(used.key.algorithm());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join("; ")
}

/// What stands between a mark that occurs once and the end of its element.
fn between<'a>(page: &'a str, open: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(open)?;
    let (inner, _) = rest.split_once(CLOSE)?;
    Some(inner)
}

/// Writes HTML in which no word of the ledger is ever markup.
struct Writer(String);

impl Writer {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                other => self.0.push(other),
            }
        }
    }

    fn element(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.text(text);
        self.raw(&format!("</{name}>"));
    }

    fn heading(&mut self, text: &str) {
        self.element("h2", text);
        self.raw("\n");
    }

    fn paragraph(&mut self, text: &str) {
        self.element("p", text);
        self.raw("\n");
    }

    fn item(&mut self, text: &str) {
        self.element("li", text);
    }

    fn rows(&mut self, rows: &[(&str, String)]) {
        self.raw("<table>\n");
        for (name, value) in rows {
            self.raw("<tr>");
            self.element("th", name);
            self.element("td", value);
            self.raw("</tr>\n");
        }
        self.raw("</table>\n");
    }

    fn cells(&mut self, cells: &[&str]) {
        self.raw("<tr>");
        cells.iter().for_each(|cell| self.element("td", cell));
        self.raw("</tr>\n");
    }
}
