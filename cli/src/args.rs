//! Arguments: every command with its help and examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::agreement::AgreementCommand;
use crate::assurance::AssureArgs;
use crate::audit::AuditCommand;
use crate::authority::AuthorityCommand;
use crate::bulk::BulkArgs;
use crate::case::CaseCommand;
use crate::challenge::ChallengeCommand;
use crate::connect::ConnectArgs;
use crate::documents::DocumentsArgs;
use crate::export::ExportCommand;
use crate::figures::report::ReportArgs;
use crate::figures::stats::StatsArgs;
use crate::founding::GenesisCommand;
use crate::gov::GovCommand;
use crate::history::{CheckArgs, HistoryArgs};
use crate::issue::IssueArgs;
use crate::key::KeyCommand;
use crate::local::doors::DoorArgs;
use crate::local::wait::WaitArgs;
use crate::member::MemberCommand;
use crate::offence::OffenceCommand;
use crate::order::OrderCommand;
use crate::package::EvidenceCommand;
use crate::receipt::ReceiptCommand;
use crate::recovery::RecoveryCommand;
use crate::replace::{RekeyArgs, SupersedeArgs, TransferInArgs};
use crate::serve::ServeArgs;
use crate::sharing::access::AccessCommand;
use crate::sharing::book::BookCommand;
use crate::sharing::grant::GrantCommand;
use crate::sharing::item::ItemCommand;
use crate::sharing::mine::MineArgs;
use crate::sharing::needs::NeedsArgs;
use crate::sharing::objection::ObjectionCommand;
use crate::sharing::request::RequestCommand;
use crate::sharing::resource::ResourceCommand;
use crate::standing::{ConsumeArgs, StandingCommand};
use crate::trust::TrustCommand;
use crate::verify::VerifyArgs;
use crate::views::{CodesArgs, NetworkArgs};
use crate::wallet::{ShowArgs, WalletCommand};
use crate::watch::WatchArgs;

/// Fengni 封泥: a register that departments keep together and anybody can check.
///
/// Answers go to stdout, progress to stderr. Exit codes: 0 holds or done, 1 refused, 2 undecided,
/// 3 could not run.
#[derive(Parser, Debug)]
#[command(name = "fengni", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Answer as one line of JSON, with a schema version
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a complete local network: founding document, keys, nodes, rows to issue
    Sample(SampleArgs),
    /// Start the nodes of a local network and wait until blocks follow one another
    Up(UpArgs),
    /// Stop the nodes of a local network
    Down(DownArgs),
    /// Show the nodes of a local network side by side
    Status(StatusArgs),
    /// Have running nodes examine themselves, and compare them: clock, disk, peers, keys, versions, ports
    Doctor(DoctorArgs),
    /// Wait until nodes are ready and level with each other, or have a height
    Wait(WaitArgs),
    /// The founding document: check it, and make the bytes that nodes read
    #[command(subcommand)]
    Genesis(GenesisCommand),
    /// Codes of people, bodies, places and certificates
    #[command(subcommand)]
    Id(IdCommand),
    /// Issue the certificates of a file of rows
    Issue(IssueArgs),
    /// Change where a certificate stands, or show it
    #[command(subcommand)]
    Standing(StandingCommand),
    /// Replace a certificate by its renewal, change or correction, in one act
    Supersede(SupersedeArgs),
    /// Give a certificate a new holder key after a phone was lost
    Rekey(RekeyArgs),
    /// Take over a certificate that another issuer gave up
    TransferIn(TransferInArgs),
    /// Use up a one-time document
    Consume(ConsumeArgs),
    /// Cases: opening them, recording steps, and seeing how far one is
    #[command(subcommand)]
    Case(CaseCommand),
    /// Shared data: which resources there are, and on which terms
    #[command(subcommand)]
    Resource(ResourceCommand),
    /// Service items and what they need
    #[command(subcommand)]
    Item(ItemCommand),
    /// Requests for another department's data, and what is overdue
    #[command(subcommand)]
    Request(RequestCommand),
    /// Books of grants and of receipts
    #[command(subcommand)]
    Book(BookCommand),
    /// Grants: a department asks, a holder signs and withdraws
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Use another department's data, and hold the receipts against the ledger
    #[command(subcommand)]
    Access(AccessCommand),
    /// My grants, and who used what of mine
    Mine(MineArgs),
    /// What a service item needs, and what of it a holder has
    Needs(NeedsArgs),
    /// Objections to certificates, which flag them until they are answered
    #[command(subcommand)]
    Objection(ObjectionCommand),
    /// Recognition agreements between members
    #[command(subcommand)]
    Agreement(AgreementCommand),
    /// Issuing authorities: who may issue what, and withholding one
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// Keys of members: rotating them, and revoking one in an emergency
    #[command(subcommand)]
    Key(KeyCommand),
    /// Applications of departments that want to become members
    #[command(subcommand)]
    Member(MemberCommand),
    /// Proposals and votes: members change the network together
    #[command(subcommand)]
    Gov(Box<GovCommand>),
    /// Suspend many certificates by one act, and give them back by one
    #[command(subcommand)]
    Order(OrderCommand),
    /// Validators that signed twice: what nodes keep as proof, and what is on record
    #[command(subcommand)]
    Offence(OffenceCommand),
    /// Ask a holder for an answer that is of use to nobody else
    #[command(subcommand)]
    Challenge(ChallengeCommand),
    /// Vouch for the key on a person's phone, as an identity service
    Assure(AssureArgs),
    /// Show a certificate as a code that holds for two minutes
    Show(ShowArgs),
    /// Keep certificates and their keys in one file
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Verify many codes or certificate files at once, by a trust store
    Bulk(BulkArgs),
    /// What a device takes along to verify where there is no network
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Verify a code, a certificate file or a typed identifier
    Verify(VerifyArgs),
    /// Show everything that happened to a certificate, with proof
    History(HistoryArgs),
    /// Show one's own documents and cases: where each stands, and how it came there
    Documents(DocumentsArgs),
    /// Follow what the ledger does, every event proven
    Watch(WatchArgs),
    /// Evidence packages: a certificate's past on one page that proves itself for good
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// A keeper's signed word on a line, for programs that speak COSE
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Check a file of a history without any network
    Check(CheckArgs),
    /// Serve issue, standing, verify and history as JSON on this host
    Serve(ServeArgs),
    /// Going on after validators were lost for good
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// For auditors
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Write blocks or events for other programs
    #[command(subcommand)]
    Export(ExportCommand),
    /// Count what the ledger did in a time, and what nodes were asked
    Stats(StatsArgs),
    /// Report to a regulator: overdue issuance, refusals, repeats, frequent users
    Report(ReportArgs),
    /// Show the network as a quorum proves it
    Network(NetworkArgs),
    /// List the members
    Members(ViewArgs),
    /// List the certificate types
    Types(ViewArgs),
    /// List the books
    Books(ViewArgs),
    /// List reference codes
    Codes(CodesArgs),
}

/// A view of the whole network.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni members --network net
  fengni members --gateway http://127.0.0.1:27002 --genesis genesis.bin --json")]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni sample --home net
  fengni sample --home net --validators 7 --observer YHD --observer YGOV
  fengni sample --home net --base-port 27000 --force")]
pub(crate) struct SampleArgs {
    /// Folder for the network; must be new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// How many members vote, 1 to 8; 4 outlast one that fails
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) validators: u8,
    /// Member that runs an observer; may be given several times
    #[arg(long = "observer", value_name = "MEMBER", default_value = "YHD")]
    pub(crate) observers: Vec<String>,
    /// No observer at all
    #[arg(long, conflicts_with = "observers")]
    pub(crate) no_observer: bool,
    /// First port; without it the system names free ones
    #[arg(long, value_name = "PORT")]
    pub(crate) base_port: Option<u16>,
    /// Version of the protocol to begin with, to rehearse an upgrade; else the latest
    #[arg(long, value_name = "VERSION")]
    pub(crate) protocol: Option<u16>,
    /// Folder of the verifier's pages, which every gateway serves under /web/: see make web
    #[arg(long, value_name = "DIR")]
    pub(crate) pages: Option<PathBuf>,
    /// Seconds before a recovery handover holds, at least; a real network wants days
    #[arg(long, default_value_t = 10, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..=7_776_000))]
    pub(crate) recovery_delay: u64,
    /// Replace the network that is in the folder
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni up --home net
  fengni up --home net --node psb
  FENGNI_NODE=/usr/bin/fengni-node fengni up --home net")]
pub(crate) struct UpArgs {
    /// Folder of the network
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// Only this node
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,
    /// The node's program; else FENGNI_NODE, else fengni-node beside this one
    #[arg(long, value_name = "FILE")]
    pub(crate) node_binary: Option<PathBuf>,
    /// Seconds until every node must be ready
    #[arg(long, default_value_t = 60, value_name = "SECS")]
    pub(crate) timeout_secs: u64,
    /// Do not wait until the nodes are ready
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni down --home net
  fengni down --home net --node psb --kill")]
pub(crate) struct DownArgs {
    /// Folder of the network
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// Only this node
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,
    /// Kill instead of asking, as a power cut would
    #[arg(long)]
    pub(crate) kill: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 every node is ready and state roots are equal, 1 they differ,
2 some node is not ready.

Examples:
  fengni status --home net
  fengni status --home net --json")]
pub(crate) struct StatusArgs {
    /// Folder of the network
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 nothing fails, 1 something does, 3 could not run.
A node that does not run is examined on its host: fengni-node doctor --home DIR.

Examples:
  fengni doctor --home net
  fengni doctor --home net --node psb --json
  fengni doctor --admin http://127.0.0.1:27004")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
}

/// Codes.
#[derive(Subcommand, Debug)]
pub(crate) enum IdCommand {
    /// Tell which kind of code a text is, and whether it is valid
    #[command(after_help = "Examples:
  fengni id check 11319900XN0100021G
  fengni id check 1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.001.N")]
    Check {
        /// The code
        code: String,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
