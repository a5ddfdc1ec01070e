//! The sample network: two fictitious provinces, for demonstrations and tests.
//!
//! Nobody here exists. Codes have valid check characters and the unassigned prefecture code 99,
//! so that no real person or body can match. The story is told in the journeys: 东海 with six
//! departments, four of them validators, and 云山 with two that follow as observers.
//!
//! ```text
//! GOV 东海省数据局 (validator)                YGOV 云山省大数据管理局 (observer)
//!  +- PSB 交通管理局 (validator)   T-DL        +- YHD 住房和城乡建设厅 (observer)
//!  +- AMR 市场监督管理局 (validator) T-BL      +- YHR 人力资源和社会保障厅 (joins later)
//!  +- HRS 人社厅 (validator)
//!  +- CIQ 检验检疫局 (observer)    T-CL
//!  +- RES 不动产登记中心 (observer) T-RE
//! ```
//!
//! Customs, who consumes a clearance document at the border, is no member. GOV, which runs the
//! port's single window, consumes it in its place.

mod bodies;
mod certificates;
mod codes;
mod keys;
mod licences;
mod network;
mod types;

pub use bodies::{Body, Person, bodies, people};
pub use certificates::{SampleCertificate, certificates};
pub use keys::{KeySlot, key_slots, test_key, test_recovery_secret, test_secret};
pub use licences::{Licence, licence, values};
pub use network::{agreement_terms, certificate_type, joining, member, network, purpose};
