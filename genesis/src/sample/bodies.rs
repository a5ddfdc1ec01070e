//! Fictitious bodies and people.

use fengni_core::id::{CreditCode, ResidentNumber};

/// A fictitious body (虚构机构).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Body {
    /// Short name, such as `PSB`.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// Credit code, with valid check characters.
    pub code: &'static str,
    /// Region it works in.
    pub division: &'static str,
}

impl Body {
    /// Its credit code.
    pub fn credit_code(&self) -> CreditCode {
        CreditCode::parse(self.code).expect("sample codes are valid: tested below")
    }
}

const fn body(key: &'static str, name: &'static str, code: &'static str, division: &'static str) -> Body {
    Body { key, name, code, division }
}

/// Every fictitious body: departments first, then enterprises.
pub fn bodies() -> &'static [Body] {
    const BODIES: &[Body] = &[
        body("GOV", "东海省数据局", "11319900XN0100013M", "319900"),
        body("PSB", "东海省公安厅交通管理局", "11319900XN0100021G", "319900"),
        body("AMR", "东海省市场监督管理局", "11319900XN010003X8", "319900"),
        body("HRS", "东海省人力资源和社会保障厅", "11319900XN01000563", "319900"),
        body("CIQ", "东海口岸检验检疫局", "11319900XN01000488", "319900"),
        body("RES", "东海省不动产登记中心", "12319900XN0100064T", "319900"),
        body("YGOV", "云山省大数据管理局", "11339900XN02000309", "339900"),
        body("YHD", "云山省住房和城乡建设厅", "11339900XN0200022E", "339900"),
        body("YHR", "云山省人力资源和社会保障厅", "11339900XN0200014K", "339900"),
        body("ENT1", "元海物流有限公司", "91319901MAXN00016B", "319901"),
        body("ENT2", "随行亮科技有限公司", "91319901MAXN000246", "319901"),
        body("ENT3", "云山市自来水有限公司", "91339901MAXN000329", "339901"),
    ];
    BODIES
}

/// The body with a short name.
pub(super) fn find(key: &str) -> &'static Body {
    bodies().iter().find(|body| body.key == key).expect("the sample names its own bodies")
}

/// A fictitious person (虚构人物).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person {
    /// Short name, such as `P1`.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// Resident number, with a valid check character.
    pub number: &'static str,
    /// Part in the journeys.
    pub part: &'static str,
}

impl Person {
    /// The resident number.
    pub fn resident_number(&self) -> ResidentNumber {
        ResidentNumber::parse(self.number).expect("sample numbers are valid: tested below")
    }
}

/// Every fictitious person.
pub fn people() -> &'static [Person] {
    const PEOPLE: &[Person] = &[
        Person { key: "P1", name: "林晓禾", number: "319901199003070029", part: "holder" },
        Person { key: "P2", name: "陈守田", number: "319901194905120133", part: "76 years old, no phone" },
        Person { key: "P3", name: "陈以宁", number: "319901197608251288", part: "daughter of P2" },
        Person { key: "P4", name: "林小满", number: "319901201806010046", part: "a child" },
        Person { key: "P5", name: "周砚", number: "319901198511202353", part: "declarant of ENT1" },
    ];
    PEOPLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_codes_are_valid_and_nobodys() {
        for body in bodies() {
            assert_eq!(&body.credit_code().division().as_str()[2..4], "99", "{}", body.key);
        }
        for person in people() {
            assert_eq!(&person.resident_number().division().as_str()[2..4], "99", "{}", person.key);
        }
    }
}
