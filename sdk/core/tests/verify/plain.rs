//! The short sentence and the display class: whatever the facts say, they fit a screen.

use fengni_core::assurance::Assurance;
use fengni_core::certificate::Grade;
use fengni_core::verdict::{
    AgreementFault, AssuranceFault, AuthorityFault, Body, Detail, Display, Evidence, HolderFault, LineFault,
    PLAIN_TEXT_CHARACTERS, Verdict, VerdictCode,
};
use fengni_core::{BookNumber, Height, KeyNumber, LineNumber, LinePlace, MemberNumber, PurposeCode};

/// Every kind of detail and every fault in it, with names and numbers as long as they come.
fn details() -> Vec<Detail> {
    let long = "东海省某某某局".repeat(20);
    let place = LinePlace { book: BookNumber(u32::MAX), line: LineNumber(u64::MAX) };
    let mut details = vec![
        Detail::Malformed { error: long.clone() },
        Detail::Lifetime { claimed_secs: u32::MAX, allowed_secs: 120 },
        Detail::CodeTime { issued_secs: u64::MAX, expires_secs: u64::MAX },
        Detail::SealKeys { keys: vec![KeyNumber(u16::MAX); 9], height: Some(Height(u64::MAX)) },
        Detail::Holds { by: vec![Body { member: MemberNumber(9), name: Some(long.clone()) }; 16] },
        Detail::Successor { place, identifier: Some(long.clone()) },
        Detail::Successor { place, identifier: None },
        Detail::Validity { from: "9999-12-31".into(), until: None },
        Detail::Purpose { shown: PurposeCode(u16::MAX), asked: PurposeCode(1) },
        Detail::Purpose { shown: PurposeCode(1), asked: PurposeCode(1) },
        Detail::Grade { found: Grade::D, needed: Grade::A },
        Detail::Clock { behind_secs: u64::MAX },
        Detail::Missing { what: long.clone() },
        Detail::Recorded { standing: None, successor: Some(place) },
    ];
    details.extend(VerdictCode::ALL.map(|code| Detail::Recorded { standing: Some(code), successor: None }));
    details.extend(
        [HolderFault::Signature, HolderFault::Challenge, HolderFault::KeyLost, HolderFault::Assertion]
            .map(|fault| Detail::Holder { fault }),
    );
    let levels = [None, Some(Assurance::RealName), Some(Assurance::RealPerson)];
    let faults = [
        AssuranceFault::Absent,
        AssuranceFault::Level,
        AssuranceFault::Early,
        AssuranceFault::Expired,
        AssuranceFault::Service,
    ];
    for (found, needed) in levels.into_iter().flat_map(|found| levels.map(|needed| (found, needed))) {
        details.extend(faults.map(|fault| Detail::Assurance { found, needed, fault }));
    }
    let faults = [
        LineFault::BeyondCount,
        LineFault::OtherCertificate,
        LineFault::OtherContent,
        LineFault::OutsideSchema,
        LineFault::NotFound,
    ];
    details.extend(faults.map(|fault| Detail::Line { place, fault }));
    let faults = [
        AuthorityFault::OtherIssuer,
        AuthorityFault::OtherType,
        AuthorityFault::OtherDivision,
        AuthorityFault::OutsidePeriod,
        AuthorityFault::Suspended,
    ];
    details.extend(faults.map(|fault| Detail::Authority { issuer: long.clone(), fault }));
    let faults = [
        AgreementFault::OtherDivision,
        AgreementFault::NotSigned,
        AgreementFault::OutsidePeriod,
        AgreementFault::Suspended,
        AgreementFault::OtherPurpose,
        AgreementFault::Grade,
    ];
    details.extend(faults.map(|fault| Detail::Agreement { label: long.clone(), fault }));
    let stale = |what| Detail::Stale { what, age_secs: u64::MAX, limit_secs: u64::MAX };
    details.extend([Evidence::Standing, Evidence::Checkpoint].map(stale));
    details
}

#[test]
fn v20_no_code_with_any_detail_makes_a_long_sentence() {
    for code in VerdictCode::ALL {
        for detail in details().into_iter().map(Some).chain([None]) {
            let verdict = Verdict::new(code, detail);
            let characters = verdict.plain_text.chars().count();
            assert!((1..=PLAIN_TEXT_CHARACTERS).contains(&characters), "{code}: {}", verdict.plain_text);
        }
    }
}

#[test]
fn v20_only_a_valid_answer_without_a_warning_is_normal() {
    for code in VerdictCode::ALL {
        let verdict = Verdict::new(code, None);
        let normal = matches!(code, VerdictCode::Valid | VerdictCode::ValidOffline);
        assert_eq!(verdict.display == Display::Normal, normal, "{code}");
        assert_eq!(serde_json::json!(verdict.display), verdict.display.as_str());
    }
}
