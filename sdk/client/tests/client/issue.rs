//! Issuing: nothing twice, nothing lost, whatever is interrupted (CRT-01, CRT-02; journey J2).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use fengni_client::issue::{
    Archive, ArchiveError, Bundle, Format, IssueError, IssueOptions, IssueReport, Issuer, Rows, Target, deliver,
};
use fengni_client::submit::{Signers, Unsettled};
use fengni_client::wallet::{Show, Wallet};
use fengni_core::BookNumber;
use fengni_core::limits::PAGE_LINES;
use fengni_genesis::sample;

use crate::ledger::{Mood, NOW, Network, held_keys, two_persons};
use crate::rows::rules;

/// A file of fictitious licences.
fn licences(range: std::ops::Range<u64>) -> String {
    let mut text = sample::licence(0).header().join(",") + "\n";
    for index in range {
        text += &(sample::licence(index).row().join(",") + "\n");
    }
    text
}

struct Desk {
    network: Network,
    folder: tempfile::TempDir,
    signers: Signers,
    options: IssueOptions,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Self { network: Network::new(), folder, signers: two_persons(), options: IssueOptions::default() }
    }

    fn archive(&self) -> Archive {
        let domain = self.network.chain().domain;
        Archive::open(self.folder.path(), &domain, BookNumber(0)).expect("its own archive")
    }

    fn run(&self, text: &str) -> Result<IssueReport, IssueError> {
        let rules = rules(&self.network);
        let rows = Rows::read(text.as_bytes(), Format::Csv, &rules);
        let submitter = self.network.submitter();
        let issuer = Issuer { submitter: &submitter, signers: &self.signers, rules: &rules, options: self.options };
        issuer.issue(&mut self.network.ledger(0), &mut self.archive(), rows, &mut ())
    }

    /// new, resumed, already, waiting.
    fn counts(&self, text: &str) -> [u64; 4] {
        let report = self.run(text).expect("the run goes through");
        assert_eq!(report.refused, []);
        [report.new, report.resumed, report.already, report.waiting]
    }
}

#[test]
fn a_second_run_of_the_same_file_adds_nothing() {
    let desk = Desk::new();
    let file = licences(0..2_500);
    let report = desk.run(&file).expect("an honest ledger");
    assert_eq!((report.new, report.seals.len()), (2_500, 3));
    assert_eq!(desk.counts(&file), [0, 0, 2_500, 0]);
    assert_eq!(desk.counts(&licences(2_400..2_600)), [100, 0, 100, 0]);
    assert_eq!(desk.network.chain().lines(), 2_600);
}

#[test]
fn one_person_alone_seals_no_more_than_the_network_lets_one_person() {
    let desk = Desk { signers: Signers::new(&held_keys()[..1]).expect("one key"), ..Desk::new() };
    let report = desk.run(&licences(0..1_500)).expect("an honest ledger");
    let counts: Vec<u32> = report.seals.iter().map(|seal| seal.count).collect();
    assert_eq!(counts, [1_000, 500]);
}

#[test]
fn a_run_whose_answers_are_lost_is_finished_by_the_next() {
    let desk = Desk::new();
    desk.network.set_all(Mood::LosesAnswers);
    let file = licences(0..1_100);
    // The ledger took both seals, and nobody heard of it.
    assert_eq!(desk.counts(&file), [0, 0, 0, 1_100]);
    assert_eq!(desk.network.chain().lines(), 1_100);
    desk.network.set_all(Mood::Honest);
    assert_eq!(desk.counts(&file), [0, 1_100, 0, 0]);
    assert_eq!(desk.counts(&file), [0, 0, 1_100, 0]);
    assert_eq!(desk.network.chain().lines(), 1_100);
}

#[test]
fn seals_that_no_block_took_in_time_are_signed_again_with_the_same_salts() {
    let desk = Desk::new();
    let file = licences(0..40);
    desk.network.chain().stalled = true;
    assert_eq!(desk.counts(&file), [0, 0, 0, 40]);
    desk.network.chain().stalled = false;
    desk.network.chain().let_the_window_pass();
    assert_eq!(desk.counts(&file), [40, 0, 0, 0]);
    assert_eq!(desk.archive().len(), 40, "no new salts were drawn");
    assert_eq!(desk.network.chain().lines(), 40);
}

#[test]
fn a_seal_that_a_relay_finds_wrong_is_signed_again_by_the_next_run() {
    let mut wrong = held_keys();
    wrong[0].number = fengni_core::KeyNumber(0);
    let desk = Desk { signers: Signers::new(&wrong).expect("two keys"), ..Desk::new() };
    let file = licences(0..40);
    let report = desk.run(&file).expect("undecided is no error");
    assert_eq!((report.new, report.waiting), (0, 40));
    assert!(matches!(&report.unsettled[..], [Unsettled::Declined(_)]), "{:?}", report.unsettled);
    let desk = Desk { signers: two_persons(), ..desk };
    assert_eq!(desk.counts(&file), [40, 0, 0, 0]);
    assert_eq!(desk.archive().len(), 40, "no new salts were drawn");
}

#[test]
fn a_certificate_that_is_on_the_ledger_without_its_salts_is_refused_and_the_rest_goes_on() {
    let desk = Desk { options: IssueOptions { partial: true, ..IssueOptions::default() }, ..Desk::new() };
    let serial = sample::licence(3).serial;
    let taken = sample::certificates()[0].id();
    let taken = fengni_core::id::CertificateId::new(
        taken.type_code(),
        taken.issuer(),
        serial.parse().expect("a serial"),
        taken.version(),
    );
    desk.network.chain().seal_for_another(&taken);
    let report = desk.run(&licences(0..10)).expect("partial");
    assert_eq!((report.new, report.waiting), (9, 0));
    let [problem] = &report.refused[..] else { panic!("{:?}", report.refused) };
    assert_eq!(problem.to_string(), "line 5: is on the ledger already at book 0 line 0, but not in this archive");
}

#[test]
fn strict_runs_issue_all_or_nothing_and_partial_ones_what_holds() {
    let file = licences(0..10).replacen("2026-03-02,2026-03-02", "2026-03-32,2026-03-02", 1);
    let desk = Desk::new();
    let Err(IssueError::Rows(problems)) = desk.run(&file) else { panic!("a strict run stops") };
    assert_eq!(problems[0].to_string(), "line 2, issued: is not a date of the form 2026-03-02");
    assert_eq!(desk.network.chain().lines(), 0);
    let desk = Desk { options: IssueOptions { partial: true, ..IssueOptions::default() }, ..desk };
    let report = desk.run(&file).expect("partial");
    assert_eq!((report.new, report.refused.len()), (9, 1));
}

#[test]
fn a_row_that_changed_after_it_was_issued_is_refused() {
    let desk = Desk::new();
    let file = licences(0..5);
    assert_eq!(desk.counts(&file), [5, 0, 0, 0]);
    let changed = file.replacen("(虚构)", "(虚构)甲", 1);
    let Err(IssueError::Rows(problems)) = desk.run(&changed) else { panic!("a strict run stops") };
    assert_eq!(problems[0].to_string(), "line 2: was issued before with other content: supersede it instead");
}

#[test]
fn files_carry_paths_that_lead_to_the_page_and_keys_that_fit() {
    let desk = Desk::new();
    let report = desk.run(&licences(0..1_030)).expect("an honest ledger");
    assert_eq!(report.new, 1_030);
    let archive = desk.archive();
    let sealed = archive.sealed().expect("its own archive");
    let bundle = desk.folder.path().join("bundle.jsonl");
    let mut ledger = desk.network.ledger(0);
    let done = deliver(&mut ledger, &archive, &sealed, &Target::Bundle(bundle.clone()), &mut ()).expect("deliverable");
    assert_eq!((done.files, done.waiting), (1_030, 0));
    let domain = desk.network.chain().domain;
    for entry in Bundle::read(&bundle, &domain).expect("its own bundle") {
        let file = entry.file;
        let full = file.place.line.0 < PAGE_LINES;
        assert_eq!((file.path.is_final(), file.path.lines), (full, if full { 1_024 } else { 6 }));
        let (page, _) = ledger.page(file.place.book, file.place.line.page()).expect("a page").value;
        assert_eq!(file.path.root(&domain, file.place.line, &file.line(&domain)), Ok(page.root));
        assert_eq!(entry.key.expect("made here").public(), file.certificate.header().facts.holder);
    }
    let folder = desk.folder.path().join("files");
    deliver(&mut ledger, &archive, &sealed[..2], &Target::Folder(folder.clone()), &mut ()).expect("deliverable");
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 4);
    let mut wallet = Wallet::new(domain);
    let single = folder.join(format!("{}.certificate", sealed[0]));
    assert_eq!(wallet.import_file(&single).expect("a delivered file"), sealed[0]);
    wallet.refresh(&mut ledger).expect("an honest ledger");
    let show = Show::everyday(sample::purpose("交通执法").expect("a sample purpose"), NOW).expect("randomness");
    assert!(wallet.show(&sealed[0], &show).is_ok(), "the key came along");
}

#[test]
fn what_a_crash_cut_off_is_dropped_and_damage_elsewhere_is_named() {
    let desk = Desk::new();
    assert_eq!(desk.counts(&licences(0..3)), [3, 0, 0, 0]);
    let path = desk.folder.path().join("book-0.archive");
    let whole = std::fs::read(&path).expect("the archive");
    let append = |bytes: &[u8]| {
        std::fs::write(&path, &whole).expect("the test's own file");
        let mut file = OpenOptions::new().append(true).open(&path).expect("the archive");
        file.write_all(bytes).expect("a writable folder");
    };
    for torn in [&[9u8, 0][..], &[200, 0, 0, 0, 1, 2, 3, 4, 5, 6], &[0; 64], &[2, 0, 0, 0, 9, 9, 9, 9, 1, 2]] {
        append(torn);
        assert_eq!(desk.archive().len(), 3, "{torn:?}");
        assert_eq!(std::fs::read(&path).expect("the archive"), whole);
    }
    let mut damaged = whole.clone();
    damaged[200] ^= 1;
    std::fs::write(&path, damaged).expect("the test's own file");
    let domain = desk.network.chain().domain;
    assert!(matches!(Archive::open(desk.folder.path(), &domain, BookNumber(0)), Err(ArchiveError::Damaged { .. })));
}

#[test]
fn an_archive_is_used_by_one_program_at_a_time_and_for_one_book() {
    let desk = Desk::new();
    let domain = desk.network.chain().domain;
    let open = |folder: &Path, book| Archive::open(folder, &domain, BookNumber(book));
    let first = desk.archive();
    assert!(matches!(open(desk.folder.path(), 0), Err(ArchiveError::InUse { .. })));
    drop(first);
    std::fs::rename(desk.folder.path().join("book-0.archive"), desk.folder.path().join("book-1.archive"))
        .expect("a rename");
    assert!(matches!(open(desk.folder.path(), 1), Err(ArchiveError::OtherBook { .. })));
}
