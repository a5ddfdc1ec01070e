//! Measures: what a vote does to the registries. Rules and O-20.
//!
//! A measure is enacted on a copy of the registries, which share what does not change: so a node
//! decides, and a person simulates, by the same function.

use std::sync::Arc;

use fengni_core::book::Book;
use fengni_core::id::CreditCode;
use fengni_core::limits::{FORMER_KEEPERS, KEPT_BOOKS, NAME_BYTES, RECORD_ENTRIES, SUPERIORS};
use fengni_core::outcome::Refusal;
use fengni_core::record::{
    Applicant, Application, ApplicationStatus, Authority, CertificateType, CodeSet, KeyPurpose, Measure, Member,
    MemberKey, MemberStatus, NewKey, Parameters, Role, Roles,
};
use fengni_core::shelf::Shelf;
use fengni_core::{
    ApplicationNumber, AuthorityNumber, BookNumber, Day, Domain, Height, KeyNumber, MemberNumber, TypeNumber,
    ValidatorSet,
};

use crate::codes::{code_fault, is_set_name};
use crate::parameters::{parameter_faults, recovery_faults};
use crate::registries::{Registries, Shelved};
use crate::types::{TypeSetting, is_fresh_type, type_faults};

impl Registries {
    /// The validators of a height as these registries have them; `None` where they are no set.
    pub fn validators(&self, height: Height) -> Option<ValidatorSet> {
        let validators = self.numbered_members().filter_map(|(number, member)| member.validator_at(number, height));
        ValidatorSet::new(validators.collect()).ok()
    }

    /// Who votes on a measure, rising: every voter but the one it is about.
    pub fn voters(&self, measure: &Measure) -> Vec<MemberNumber> {
        let voters =
            self.numbered_members().filter(|(number, member)| member.is_voter() && measure.subject() != Some(*number));
        voters.map(|(number, _)| number).collect()
    }

    /// The member with a credit code, if there ever was one: a body that left comes back under its old
    /// number (O-21).
    pub fn member_with(&self, code: &CreditCode) -> Option<MemberNumber> {
        self.numbered_members().find(|(_, member)| member.code == *code).map(|(number, _)| number)
    }

    fn numbered_members(&self) -> impl Iterator<Item = (MemberNumber, &Arc<Member>)> {
        (0..).map(MemberNumber).zip(self.members.iter())
    }

    /// Whether `member` may add lines to such a book on `day`: of certificates, by its own list of
    /// authorities; of cases, in its own region.
    pub(crate) fn is_authorised(&self, member: MemberNumber, book: &Book, day: Day) -> bool {
        let Some(record) = self.members.get(member.0) else { return false };
        let Some(kind) = book.certificate_type() else { return record.division.covers(&book.division) };
        record
            .authorities
            .iter()
            .filter_map(|number| self.authorities.get(number.0))
            .any(|authority| authority.covers(member, kind, &book.division, day))
    }

    /// Whether any member has, or had, this key.
    pub(crate) fn is_known_key(&self, key: &fengni_core::PublicKey) -> bool {
        self.members.iter().any(|member| member.keys.iter().any(|known| known.key == *key))
    }

    /// Whether a set of reference codes has a code.
    pub(crate) fn knows_code(&self, set: &str, code: &str) -> bool {
        self.codes.iter().any(|known| known.name == set && known.name_of(code).is_some())
    }
}

/// What a measure changed: shelves and numbers of records, and the book that has another keeper.
#[derive(Clone, Default, Debug)]
pub struct Touched {
    /// Records of the registries.
    pub records: Vec<(Shelf, u32)>,
    /// The book and who keeps it now.
    pub keeper: Option<(BookNumber, MemberNumber)>,
}

/// When a measure is enacted.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The first height that sees the registries changed.
    pub next: Height,
    /// The first height that the measure rules; keys begin and end there, but a new member's node may
    /// connect from `next` on.
    pub effective: Height,
    /// The day of the block that enacts it.
    pub today: Day,
}

/// Enacts a measure, or leaves the registries as they are.
///
/// - `books`: every book, by number. The caller gives one that has another keeper to that.
///
/// # Errors
/// The lowest refusal among the rules that the measure breaks.
pub fn enact(
    registries: &mut Registries,
    books: &[&Book],
    domain: &Domain,
    moment: Moment,
    measure: &Measure,
) -> Result<Touched, Refusal> {
    let Moment { next, effective, today } = moment;
    let touched = Touched::default();
    let mut enacting = Enacting { after: registries.clone(), domain, next, effective, today, touched };
    match measure {
        Measure::Admit { application, power } => enacting.admit(*application, *power)?,
        Measure::Remove { member } => enacting.remove(*member)?,
        Measure::ChangeMember { member, superior, roles, power, status } => {
            enacting.change_member(*member, (*superior, *roles, *power, *status))?;
        }
        Measure::ReplaceKeys { member, ends, keys } => enacting.replace_keys(*member, ends, keys)?,
        Measure::SetParameters { parameters } => enacting.set_parameters(parameters)?,
        Measure::SetAuthority { number, authority } => enacting.set_authority(*number, authority)?,
        Measure::EnableType { certificate_type, enabled } => enacting.enable_type(*certificate_type, *enabled)?,
        Measure::SetCodes { codes } => enacting.set_codes(codes)?,
        Measure::Upgrade { protocol } => enacting.upgrade(*protocol)?,
        Measure::RegisterType { certificate_type } => enacting.register_type(certificate_type)?,
        Measure::ChangeKeeper { book, keeper } => enacting.change_keeper(books, *book, *keeper)?,
    }
    enough_validators(registries, &enacting.after, effective)?;
    *registries = enacting.after;
    Ok(enacting.touched)
}

/// Refuses what would leave no set of validators, or fewer than the network may run with.
fn enough_validators(before: &Registries, after: &Registries, height: Height) -> Result<(), Refusal> {
    let count = |registries: &Registries| registries.validators(height).map_or(0, |set| set.len());
    let (had, has) = (count(before), count(after));
    let min = usize::try_from(after.parameters().validators_min).unwrap_or(usize::MAX);
    let raised = after.parameters().validators_min > before.parameters().validators_min;
    if has == 0 || has < min && (has < had || raised) { Err(Refusal::TooFewValidators) } else { Ok(()) }
}

/// Whether an applicant's entry is whole: what it names exists, and its roles have their keys.
pub(crate) fn is_whole(registries: &Registries, applicant: &Applicant) -> bool {
    let Applicant { code: _, name, division, superior, roles, keys, contact: _ } = applicant;
    let mut distinct: Vec<_> = keys.iter().map(|key| key.key).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let purposes: Vec<KeyPurpose> = keys.iter().map(|key| key.purpose).collect();
    (1..=NAME_BYTES).contains(&name.len())
        && (1..=RECORD_ENTRIES).contains(&keys.len())
        && distinct.len() == keys.len()
        && purposes.iter().filter(|purpose| **purpose == KeyPurpose::Consensus).count() <= 1
        && registries.knows_code("divisions", division.as_str())
        && superior.is_none_or(|superior| registries.members.get(superior.0).is_some())
        && is_equipped(*roles, &purposes)
}

/// Whether keys for these purposes are enough for these roles, and the roles are known ones.
fn is_equipped(roles: Roles, purposes: &[KeyPurpose]) -> bool {
    let needs = [
        (Role::Validator, KeyPurpose::Consensus),
        (Role::Validator, KeyPurpose::Peer),
        (Role::Observer, KeyPurpose::Peer),
        (Role::Issuer, KeyPurpose::Issuing),
        (Role::Identity, KeyPurpose::Application),
    ];
    roles != Roles::default()
        && roles == Roles::of(&Role::ALL.into_iter().filter(|role| roles.has(*role)).collect::<Vec<_>>())
        && purposes.contains(&KeyPurpose::Admin)
        && (roles.has(Role::Validator) || !purposes.contains(&KeyPurpose::Consensus))
        && needs.iter().all(|(role, purpose)| !roles.has(*role) || purposes.contains(purpose))
}

struct Enacting<'a> {
    after: Registries,
    domain: &'a Domain,
    next: Height,
    effective: Height,
    today: Day,
    touched: Touched,
}

impl Enacting<'_> {
    fn put<T: Shelved>(&mut self, number: u32, record: T) {
        T::of(&mut self.after).replace(number, record);
        self.touched.records.push((T::SHELF, number));
    }

    fn append<T: Shelved>(&mut self, record: T) -> u32 {
        let number = T::of(&mut self.after).append(record);
        self.touched.records.push((T::SHELF, number));
        number
    }

    /// A member that has not left.
    fn member(&self, number: MemberNumber) -> Result<Member, Refusal> {
        let member = self.after.members.get(number.0).ok_or(Refusal::UnknownMember)?.as_ref().clone();
        if member.status == MemberStatus::Removed { Err(Refusal::BadMeasure) } else { Ok(member) }
    }

    fn admit(&mut self, number: ApplicationNumber, power: u64) -> Result<(), Refusal> {
        let application = self.after.applications.get(number.0).ok_or(Refusal::UnknownApplication)?.as_ref().clone();
        let applicant = &application.applicant;
        let known = self.after.member_with(&applicant.code);
        let before = known.and_then(|number| self.after.members.get(number.0)).cloned();
        let taken = applicant.keys.iter().any(|key| self.after.is_known_key(&key.key));
        let is_member = before.as_ref().is_some_and(|member| member.status != MemberStatus::Removed);
        let count = before.as_ref().map_or(0, |member| member.keys.len()) + applicant.keys.len();
        let broken = [
            (count > RECORD_ENTRIES).then_some(Refusal::RecordFull),
            taken.then_some(Refusal::KeyInUse),
            (!is_whole(&self.after, applicant)).then_some(Refusal::BadApplicant),
            is_member.then_some(Refusal::MemberExists),
            (!matches!(application.status, ApplicationStatus::Confirmed { .. })).then_some(Refusal::ApplicationState),
            (applicant.roles.has(Role::Validator) != (power > 0)).then_some(Refusal::BadMeasure),
        ];
        if let Some(refusal) = broken.into_iter().flatten().min() {
            return Err(refusal);
        }
        let (next, effective) = (self.next, self.effective);
        let begun = applicant.keys.iter().map(|key| MemberKey {
            purpose: key.purpose,
            key: key.key,
            from: if key.purpose == KeyPurpose::Peer { next } else { effective },
            until: None,
        });
        let fresh = || Member {
            version: 0,
            code: applicant.code,
            name: String::new(),
            division: applicant.division,
            superior: None,
            roles: Roles::default(),
            power: 0,
            status: MemberStatus::Active,
            keys: Vec::new(),
            authorities: Vec::new(),
            agreements: Vec::new(),
            terminal_acts: (Day::default(), 0),
        };
        let before = before.map_or_else(fresh, |member| member.as_ref().clone());
        let member = Member {
            version: before.version + 1,
            name: applicant.name.clone(),
            division: applicant.division,
            superior: applicant.superior,
            roles: applicant.roles,
            power,
            status: MemberStatus::Active,
            keys: before.keys.iter().cloned().chain(begun).collect(),
            ..before
        };
        let member = match known {
            Some(known) => {
                self.put(known.0, member);
                known
            }
            None => MemberNumber(self.append(member)),
        };
        // A member that comes back may stand below one that meanwhile stands below it.
        if !climbs(&self.after) {
            return Err(Refusal::BadApplicant);
        }
        let status = ApplicationStatus::Admitted { member, height: next };
        self.put(number.0, Application { version: application.version + 1, status, ..application });
        Ok(())
    }

    fn remove(&mut self, number: MemberNumber) -> Result<(), Refusal> {
        let mut member = self.member(number)?;
        for key in &mut member.keys {
            end(key, self.effective);
        }
        let version = member.version + 1;
        self.put(number.0, Member { version, status: MemberStatus::Removed, power: 0, ..member });
        Ok(())
    }

    fn change_member(
        &mut self,
        number: MemberNumber,
        (superior, roles, power, status): (Option<MemberNumber>, Roles, u64, MemberStatus),
    ) -> Result<(), Refusal> {
        let member = self.member(number)?;
        if superior.is_some_and(|superior| self.after.members.get(superior.0).is_none()) {
            return Err(Refusal::UnknownMember);
        }
        let valid = member.keys.iter().filter(|key| key.is_valid_at(self.effective));
        // A consensus key of a member that is no validator any more rests: it may be one again.
        let purposes: Vec<KeyPurpose> = valid
            .map(|key| key.purpose)
            .filter(|purpose| *purpose != KeyPurpose::Consensus || roles.has(Role::Validator))
            .collect();
        let fits = status != MemberStatus::Removed
            && roles.has(Role::Validator) == (power > 0)
            && is_equipped(roles, &purposes);
        if !fits {
            return Err(Refusal::BadMeasure);
        }
        let version = member.version + 1;
        self.put(number.0, Member { version, superior, roles, power, status, ..member });
        if climbs(&self.after) { Ok(()) } else { Err(Refusal::BadMeasure) }
    }

    fn replace_keys(&mut self, number: MemberNumber, ends: &[KeyNumber], keys: &[NewKey]) -> Result<(), Refusal> {
        let mut member = self.member(number)?;
        if ends.iter().any(|key| member.key(*key).is_none()) {
            return Err(Refusal::UnknownKey);
        }
        for ended in ends {
            end(&mut member.keys[usize::from(ended.0)], self.effective);
        }
        let rises = ends.windows(2).all(|pair| pair[0] < pair[1]);
        for key in keys {
            let refused = new_key(&self.after, self.domain, &member, key);
            refused.map_or(Ok(()), Err)?;
            let (purpose, key, from) = (key.purpose, key.key, self.effective);
            member.keys.push(MemberKey { purpose, key, from, until: None });
        }
        let acts = member.key_for(KeyPurpose::Admin, self.effective).is_some();
        if !acts {
            return Err(Refusal::LastKey);
        }
        if !rises || ends.is_empty() && keys.is_empty() {
            return Err(Refusal::BadMeasure);
        }
        member.version += 1;
        self.put(number.0, member);
        Ok(())
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), Refusal> {
        let before = self.after.parameters();
        let used = || self.after.members.iter().flat_map(|member| member.keys.iter().map(|key| key.key));
        let fits = parameter_faults(parameters).is_empty()
            && recovery_faults(parameters, used()).is_empty()
            && parameters.version == before.version + 1
            && parameters.protocol == before.protocol
            // Replays are remembered for the window of their time, never for a shorter one.
            && parameters.window >= before.window;
        if !fits {
            return Err(Refusal::BadMeasure);
        }
        self.put(0, parameters.clone());
        Ok(())
    }

    fn upgrade(&mut self, protocol: u16) -> Result<(), Refusal> {
        let before = self.after.parameters().clone();
        if before.protocol.checked_add(1) != Some(protocol) {
            return Err(Refusal::BadMeasure);
        }
        self.put(0, Parameters { version: before.version + 1, protocol, ..before });
        Ok(())
    }

    fn set_authority(&mut self, number: Option<AuthorityNumber>, authority: &Authority) -> Result<(), Refusal> {
        let before = match number {
            Some(number) => Some(self.after.authorities.get(number.0).cloned().ok_or(Refusal::UnknownAuthority)?),
            None => None,
        };
        let mut member = self.after.members.get(authority.member.0).ok_or(Refusal::UnknownMember)?.as_ref().clone();
        self.after.types.get(authority.certificate_type.0).ok_or(Refusal::UnknownType)?;
        if !self.after.knows_code("divisions", authority.division.as_str()) {
            return Err(Refusal::UnknownCode);
        }
        if number.is_none() && member.authorities.len() == RECORD_ENTRIES {
            return Err(Refusal::RecordFull);
        }
        let follows = match &before {
            Some(before) => {
                before.member == authority.member
                    && before.certificate_type == authority.certificate_type
                    && before.suspended == authority.suspended
                    && authority.version == before.version + 1
            }
            None => authority.suspended.is_none() && authority.version == 1,
        };
        let formed = authority.from <= authority.until && (1..=NAME_BYTES).contains(&authority.basis.len());
        if !follows || !formed || member.status == MemberStatus::Removed {
            return Err(Refusal::BadMeasure);
        }
        match number {
            Some(number) => self.put(number.0, authority.clone()),
            None => {
                let number = AuthorityNumber(self.append(authority.clone()));
                member.authorities.push(number);
                member.version += 1;
                self.put(authority.member.0, member);
            }
        }
        Ok(())
    }

    fn enable_type(&mut self, number: TypeNumber, enabled: bool) -> Result<(), Refusal> {
        let mut kind = self.after.types.get(number.0).ok_or(Refusal::UnknownType)?.as_ref().clone();
        if kind.enabled == enabled {
            return Err(Refusal::BadMeasure);
        }
        kind.version += 1;
        kind.enabled = enabled;
        self.put(number.0, kind);
        Ok(())
    }

    fn register_type(&mut self, kind: &CertificateType) -> Result<(), Refusal> {
        let acting = [
            (&kind.suspenders, &[KeyPurpose::Enforcement][..]),
            (&kind.revokers, &[KeyPurpose::Enforcement]),
            (&kind.consumers, &[KeyPurpose::Enforcement, KeyPurpose::Application]),
        ];
        let mut equipped = true;
        for (members, purposes) in acting {
            for number in members {
                let member = self.after.members.get(number.0).ok_or(Refusal::UnknownMember)?;
                let acts = |purpose: &KeyPurpose| member.key_for(*purpose, self.effective).is_some();
                equipped &= member.status != MemberStatus::Removed && purposes.iter().any(acts);
            }
        }
        let setting = TypeSetting {
            trusting_period_secs: self.after.parameters().trusting_period_secs,
            members: self.after.members.len(),
            purposes: self.after.codes.iter().find(|set| set.name == "purposes").map(AsRef::as_ref),
        };
        let fresh = is_fresh_type(kind) && self.after.types.iter().all(|known| known.code != kind.code);
        if !equipped || !fresh || !type_faults(kind, &setting).is_empty() {
            return Err(Refusal::BadMeasure);
        }
        self.append(kind.clone());
        Ok(())
    }

    fn change_keeper(&mut self, books: &[&Book], number: BookNumber, keeper: MemberNumber) -> Result<(), Refusal> {
        let book = usize::try_from(number.0).ok().and_then(|place| books.get(place)).ok_or(Refusal::UnknownBook)?;
        let member = self.after.members.get(keeper.0).ok_or(Refusal::UnknownMember)?;
        let is_able = member.status == MemberStatus::Active
            && member.roles.has(Role::Issuer)
            && member.key_for(KeyPurpose::Issuing, self.effective).is_some();
        let kept = books.iter().filter(|book| book.was_kept_by(keeper)).count();
        let broken = [
            (!self.after.is_authorised(keeper, book, self.today)).then_some(Refusal::IssuerNotAuthorised),
            (book.former.len() >= FORMER_KEEPERS || kept >= KEPT_BOOKS).then_some(Refusal::RecordFull),
            (!is_able || book.keeper == keeper).then_some(Refusal::BadMeasure),
        ];
        if let Some(refusal) = broken.into_iter().flatten().min() {
            return Err(refusal);
        }
        self.touched.keeper = Some((number, keeper));
        Ok(())
    }

    fn set_codes(&mut self, codes: &CodeSet) -> Result<(), Refusal> {
        let before = (0..).zip(self.after.codes.iter()).find(|(_, set)| set.name == codes.name);
        let rises = codes.codes.windows(2).all(|pair| pair[0].code < pair[1].code);
        let formed = codes.codes.iter().all(|entry| {
            (1..=NAME_BYTES).contains(&entry.name.len()) && code_fault(&codes.name, &entry.code, &entry.name).is_none()
        });
        match before {
            _ if !rises || !formed => return Err(Refusal::BadMeasure),
            Some((number, set)) if codes.version == set.version + 1 => self.put(number, codes.clone()),
            None if self.after.parameters().protocol >= 3 && codes.version == 1 && is_set_name(&codes.name) => {
                self.append(codes.clone());
            }
            _ => return Err(Refusal::BadMeasure),
        }
        Ok(())
    }
}

/// What refuses a key that a member is to have besides those it has. Rule R-10.
pub(crate) fn new_key(registries: &Registries, domain: &Domain, member: &Member, key: &NewKey) -> Option<Refusal> {
    let taken = registries.is_known_key(&key.key) || member.keys.iter().any(|known| known.key == key.key);
    if member.keys.len() >= RECORD_ENTRIES {
        Some(Refusal::RecordFull)
    } else if !key.is_proven(domain, &member.code) {
        Some(Refusal::BadProof)
    } else if taken {
        Some(Refusal::KeyInUse)
    } else {
        None
    }
}

/// Lets a key end before a height, unless it ends sooner.
fn end(key: &mut MemberKey, before: Height) {
    let last = Height(before.0.saturating_sub(1));
    key.until = Some(key.until.map_or(last, |until| until.min(last)));
}

/// Whether whoever climbs from any member arrives at the top, after at most 8 links: another
/// superior lengthens the chains of all below. Rule G-7.
fn climbs(registries: &Registries) -> bool {
    let superior = |member: MemberNumber| registries.members.get(member.0).and_then(|member| member.superior);
    registries.members.iter().all(|member| {
        let mut above = member.superior;
        for _ in 0..SUPERIORS {
            above = above.and_then(superior);
        }
        above.is_none()
    })
}
