//! Where the time of single transactions goes: processor time of every node, and what of it the
//! parts that can be measured alone explain.

use std::fs;
use std::time::Duration;

use fengni_core::book::{Line, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::operation::Operation;
use fengni_core::transaction::TransactionId;
use fengni_core::{BookNumber, Digest};
use fengni_state::Known;

use super::register::Register;
use super::table::{Row, micros};
use crate::actors::random;
use crate::network::Network;

/// Transactions that the parts are measured with: enough for the counter, which moves by milliseconds.
const COUNT: u32 = 2000;

/// Processor time that processes have used since they were started.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    user: Duration,
    kernel: Duration,
}

impl Spent {
    /// Reads it of every node's process.
    ///
    /// # Panics
    /// When a node does not run.
    pub fn by(network: &Network) -> Self {
        let mut spent = Self { user: Duration::ZERO, kernel: Duration::ZERO };
        for node in network.nodes() {
            let Self { user, kernel } = Self::of(network.pid(&node.name));
            spent.user += user;
            spent.kernel += kernel;
        }
        spent
    }

    /// Reads it of a process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
        // The name in brackets may hold spaces; user and kernel time are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        // Linux counts a hundredth of a second in whatever a program sees (USER_HZ).
        let time = |field: usize| Duration::from_millis(10 * fields[field].parse::<u64>().expect("a count"));
        Self { user: time(11), kernel: time(12) }
    }

    /// All that was used between this moment and a later one.
    pub fn until(self, later: Self) -> Duration {
        (later.user + later.kernel).saturating_sub(self.user + self.kernel)
    }
}

/// The profile of `count` transactions made since `before`.
pub(super) fn rows(network: &Network, before: Spent, count: usize) -> Vec<Row> {
    let after = Spent::by(network);
    let nodes = u32::try_from(network.nodes().len()).expect("a handful");
    let each = |time: Duration| time / u32::try_from(count).expect("a few thousand");
    let (user, kernel) = (each(after.user - before.user), each(after.kernel - before.kernel));
    let parts = Parts::measure();
    let (door, rules) = (parts.door * nodes, parts.rules * nodes);
    let rest = (user + kernel).saturating_sub(kernel + door + rules);
    let share = |part: Duration| format!("{:.0} %", 100.0 * part.as_secs_f64() / (user + kernel).as_secs_f64());
    let row = |what: &str, part: Duration, how: &str| {
        Row::new(format!("  {what}"), micros(part), "", format!("{} of it: {how}", share(part)))
    };
    vec![
        Row::new(
            "processor time of a single transaction",
            micros(user + kernel),
            "",
            format!("of all {nodes} nodes together, under the load above"),
        ),
        row("door", door, "decoding and both signatures, once on each node; measured alone"),
        row("rules", rules, "decoding again, execution, lists and digests, once on each node; measured alone"),
        row("kernel", kernel, "sockets, fsync, page cache"),
        row("rest", rest, "the remainder: consensus, spreading, HTTP, RocksDB, allocation"),
    ]
}

/// Time this thread has had a processor, whatever else the machine does.
fn on_processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("nanoseconds first"))
}

/// What one node must compute for one transaction, whatever it is connected to.
struct Parts {
    door: Duration,
    rules: Duration,
}

/// Every signature was checked at the door.
pub(super) struct AtTheDoor;

impl Known for AtTheDoor {
    fn is_verified(&self, _: &TransactionId, _: &[u8]) -> bool {
        true
    }
}

impl Parts {
    fn measure() -> Self {
        let mut register = Register::founded();
        let line = || Line { tag: Tag(random()), commitment: Digest(random()) };
        let seal = || Operation::Seal { book: BookNumber(0), lines: vec![line()] };
        let transactions: Vec<Bytes> = (0..COUNT).map(|_| register.sign(seal(), random())).collect();
        let begun = on_processor();
        for transaction in &transactions {
            register.admit(transaction);
        }
        let checked = on_processor();
        register.block(&AtTheDoor, transactions);
        let done = on_processor();
        Self { door: (checked - begun) / COUNT, rules: (done - checked) / COUNT }
    }
}
