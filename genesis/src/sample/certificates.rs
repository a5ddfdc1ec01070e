//! Fictitious certificates of the journeys.

use fengni_core::Day;
use fengni_core::id::CertificateId;

/// A fictitious certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleCertificate {
    /// Short name, such as `C1`.
    pub key: &'static str,
    /// Short name of the type.
    pub certificate_type: &'static str,
    /// Short name of the issuer.
    pub issuer: &'static str,
    /// Short name of the person or body that holds it.
    pub holder: &'static str,
    /// Its identifier.
    pub identifier: &'static str,
    /// Day of issue and first day, `YYYY-MM-DD`.
    pub from: &'static str,
    /// Last day; `None` for ever.
    pub until: Option<&'static str>,
    /// Label and value of each claim that is entered, in the order of the type.
    pub claims: &'static [(&'static str, &'static str)],
}

impl SampleCertificate {
    /// Its identifier.
    pub fn id(&self) -> CertificateId {
        CertificateId::parse(self.identifier).expect("sample identifiers are valid: tested")
    }

    /// First day and last day.
    pub fn days(&self) -> (Day, Option<Day>) {
        let day = |text| Day::parse(text).expect("sample dates are real: tested");
        (day(self.from), self.until.map(day))
    }
}

const LIN: &[(&str, &str)] = &[
    ("准驾车型", "C1"),
    ("有效期止", "2032-03-01"),
    ("姓名", "林晓禾"),
    ("证件号码", "319901199003070029"),
    ("住址", "东海省海隅区听潮路9901号(虚构)"),
    ("出生日期", "1990-03-07"),
];

/// Every fictitious certificate of the journeys; C1v2 takes the place of C1.
pub fn certificates() -> &'static [SampleCertificate] {
    const CERTIFICATES: &[SampleCertificate] = &[
        SampleCertificate {
            key: "C1",
            certificate_type: "T-DL",
            issuer: "PSB",
            holder: "P1",
            identifier: "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.001.N",
            from: "2026-03-02",
            until: Some("2032-03-01"),
            claims: LIN,
        },
        SampleCertificate {
            key: "C1v2",
            certificate_type: "T-DL",
            issuer: "PSB",
            holder: "P1",
            identifier: "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.002.L",
            from: "2026-03-27",
            until: Some("2032-03-01"),
            claims: &[
                ("准驾车型", "C1D"),
                ("有效期止", "2032-03-01"),
                ("姓名", "林晓禾"),
                ("证件号码", "319901199003070029"),
                ("住址", "东海省海隅区听潮路9901号(虚构)"),
                ("出生日期", "1990-03-07"),
            ],
        },
        SampleCertificate {
            key: "C2",
            certificate_type: "T-BL",
            issuer: "AMR",
            holder: "ENT1",
            identifier: "1.2.156.3005.2.11100000XN0000020B001.11319900XN010003X8.319900202600004712.001.J",
            from: "2026-02-10",
            until: None,
            claims: &[
                ("统一社会信用代码", "91319901MAXN00016B"),
                ("名称", "元海物流有限公司"),
                ("类型", "有限责任公司"),
                ("法定代表人", "周砚"),
                ("注册资本", "伍佰万元整"),
                ("住所", "东海省海隅区保税路9902号(虚构)"),
                ("经营范围", "国际货物运输代理;仓储服务"),
            ],
        },
        SampleCertificate {
            key: "C3",
            certificate_type: "T-CL",
            issuer: "CIQ",
            holder: "ENT1",
            identifier: "1.2.156.3005.2.11100000XN00000398017.11319900XN01000488.319900126000018633.001.7",
            from: "2026-03-18",
            until: Some("2026-05-17"),
            claims: &[
                ("数量重量", "24000千克"),
                ("统一社会信用代码", "91319901MAXN00016B"),
                ("货物名称", "冷冻对虾"),
                ("报检单位", "元海物流有限公司"),
                ("输出国家", "示例国"),
                ("入境口岸", "东海口岸"),
                ("报检日期", "2026-03-16"),
            ],
        },
        SampleCertificate {
            key: "C4",
            certificate_type: "T-RE",
            issuer: "RES",
            holder: "P1",
            identifier: "1.2.156.3005.2.11100000XN00000473002.12319900XN0100064T.2026XN0000044690.001.M",
            from: "2026-01-15",
            until: None,
            claims: &[
                ("权利类型", "房屋所有权"),
                ("共有情况", "单独所有"),
                ("权利人", "林晓禾"),
                ("证件号码", "319901199003070029"),
                ("坐落", "东海省海隅区听潮路9901号3幢402室(虚构)"),
                ("不动产单元号", "319901001001GB00001F00010012"),
                ("面积", "89.60平方米"),
            ],
        },
        SampleCertificate {
            key: "C5",
            certificate_type: "T-DL",
            issuer: "PSB",
            holder: "P2",
            identifier: "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000002.001.7",
            from: "2026-03-02",
            until: Some("2027-03-01"),
            claims: &[
                ("准驾车型", "C2"),
                ("有效期止", "2027-03-01"),
                ("姓名", "陈守田"),
                ("证件号码", "319901194905120133"),
                ("住址", "东海省海隅区望田村9903号(虚构)"),
                ("出生日期", "1949-05-12"),
            ],
        },
    ];
    CERTIFICATES
}
