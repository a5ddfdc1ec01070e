//! Counters by day: how often the listeners were asked, kept across restarts (SVC-06). Rule N-32.
//!
//! ```text
//! listeners --count--> days in memory --now and then, and at the end--> data/counters.json
//! ```
//!
//! A stop in order loses nothing; a kill loses at most what came since the file was last written.
//! Nothing says who asked, or for what.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fengni_core::{Day, Millis};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinHandle, spawn_blocking};
use utoipa::ToSchema;

use crate::disk::write_anew;

/// The file's name in the node's data folder.
const FILE: &str = "counters.json";
/// Version of the file's form.
const VERSION: u16 = 1;
/// Days that are kept: a year, and a month to read it in.
const DAYS: usize = 400;
/// Bytes of the file, at most: far above what so many days take.
const FILE_BYTES: u64 = 16 * 1024 * 1024;
/// How often the file is written: what a kill may lose.
const INTERVAL: Duration = Duration::from_secs(60);

/// What is counted, by names that are for life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// A page was opened.
    Visit,
    /// A query was answered: its kind.
    Query(&'static str),
    /// A transaction was handed in: the answer.
    Submission(&'static str),
    /// A request was answered with a problem: its name.
    Problem(&'static str),
}

/// What was counted on one day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DayCounts {
    /// The day in China.
    #[serde(with = "written")]
    #[schema(value_type = String, example = "2026-11-23")]
    pub day: Day,
    /// Pages opened.
    #[serde(default)]
    pub visits: u64,
    /// Queries answered, by kind.
    #[serde(default)]
    pub queries: BTreeMap<String, u64>,
    /// Transactions handed in, by answer.
    #[serde(default)]
    pub submissions: BTreeMap<String, u64>,
    /// Requests answered with a problem, by its name.
    #[serde(default)]
    pub problems: BTreeMap<String, u64>,
}

impl DayCounts {
    fn of(day: Day) -> Self {
        let [queries, submissions, problems] = Default::default();
        Self { day, visits: 0, queries, submissions, problems }
    }

    fn count(&mut self, what: Count) {
        let (counts, name) = match what {
            Count::Visit => return self.visits = self.visits.saturating_add(1),
            Count::Query(kind) => (&mut self.queries, kind),
            Count::Submission(answer) => (&mut self.submissions, answer),
            Count::Problem(name) => (&mut self.problems, name),
        };
        match counts.get_mut(name) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(counts.insert(name.to_owned(), 1)),
        }
    }
}

/// Days as people write them.
mod written {
    use fengni_core::Day;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = String::deserialize(deserializer)?;
        Day::parse(&text).ok_or_else(|| de::Error::custom(format!("{text} is no day")))
    }
}

/// What was counted, day by day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// Version of this form.
    pub version: u16,
    /// When counting began, in milliseconds since 1970: nothing is known of before.
    #[schema(value_type = u64)]
    pub since: Millis,
    /// Days on which anything was counted, rising, the newest 400.
    pub days: Vec<DayCounts>,
}

impl Counted {
    fn begin(now: Millis) -> Self {
        Self { version: VERSION, since: now, days: Vec::new() }
    }

    fn on(&mut self, day: Day) -> &mut DayCounts {
        let place = self.days.binary_search_by_key(&day, |counts| counts.day).unwrap_or_else(|_| {
            if self.days.len() >= DAYS {
                self.days.remove(0);
            }
            let place = self.days.partition_point(|counts| counts.day < day);
            self.days.insert(place, DayCounts::of(day));
            place
        });
        &mut self.days[place]
    }

    /// Reads what [`Counters::save`] wrote.
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let counted: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if counted.version != VERSION {
            return Err(format!("it is of version {}", counted.version));
        }
        let rising = counted.days.windows(2).all(|pair| pair[0].day < pair[1].day);
        if rising { Ok(counted) } else { Err("its days do not rise".to_owned()) }
    }
}

/// The counters of a running node.
#[derive(Debug)]
pub struct Counters {
    counting: Mutex<Counting>,
    /// Where they are kept; `None` in memory alone.
    file: Option<PathBuf>,
    /// Held by whoever writes the file.
    writing: Mutex<()>,
}

#[derive(Debug)]
struct Counting {
    counted: Counted,
    /// Whether the file does not say this yet.
    changed: bool,
}

impl Default for Counters {
    fn default() -> Self {
        Self::new(Counted::begin(Millis::default()), None)
    }
}

impl Counters {
    fn new(counted: Counted, file: Option<PathBuf>) -> Self {
        Self { counting: Mutex::new(Counting { counted, changed: false }), file, writing: Mutex::new(()) }
    }

    /// Goes on from the file in a node's data folder. One that cannot be read is set aside and named in
    /// the log, and counting begins anew: no node stops for its statistics.
    pub fn open(data: &Path, now: Millis) -> Self {
        let path = data.join(FILE);
        let counted = match load(&path) {
            Ok(Some(counted)) => counted,
            Ok(None) => Counted::begin(now),
            Err(says) => {
                let aside = path.with_extension("aside");
                let moved = std::fs::rename(&path, &aside).map_err(|error| error.to_string());
                tracing::warn!(
                    file = %path.display(),
                    aside = %aside.display(),
                    moved = ?moved,
                    "the counters cannot be read, counting begins anew: {says}"
                );
                Counted::begin(now)
            }
        };
        Self::new(counted, Some(path))
    }

    /// Counts one more.
    pub fn count(&self, now: Millis, what: Count) {
        let mut counting = self.counting();
        counting.counted.on(Day::of(now)).count(what);
        counting.changed = true;
    }

    /// What was counted from the first to the last day, both included.
    pub fn counted(&self, from: Day, to: Day) -> Counted {
        let counting = self.counting();
        let Counted { version, since, days } = &counting.counted;
        let days = days.iter().filter(|counts| (from..=to).contains(&counts.day)).cloned();
        Counted { version: *version, since: *since, days: days.collect() }
    }

    /// Writes the file, if it does not say what was counted. A disk that fails is named in the log.
    pub fn save(&self) {
        let Some(path) = &self.file else { return };
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = {
            let mut counting = self.counting();
            if !std::mem::take(&mut counting.changed) {
                return;
            }
            serde_json::to_vec(&counting.counted)
        };
        if let Err(error) = bytes.map_err(io::Error::from).and_then(|bytes| write_anew(path, &bytes)) {
            self.counting().changed = true;
            tracing::warn!(file = %path.display(), %error, "the counters cannot be written; next: look at the disk");
        }
    }

    fn counting(&self) -> MutexGuard<'_, Counting> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the file now and then, until the task is ended.
pub fn keep(counters: Arc<Counters>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let counters = Arc::clone(&counters);
            if spawn_blocking(move || counters.save()).await.is_err() {
                return;
            }
        }
    })
}

/// What a file says; `None` where there is none.
fn load(path: &Path) -> Result<Option<Counted>, String> {
    let says = |error: io::Error| error.to_string();
    match std::fs::metadata(path) {
        Ok(found) if found.len() > FILE_BYTES => Err(format!("it has {} bytes", found.len())),
        Ok(_) => Counted::read(&std::fs::read(path).map_err(says)?).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(says(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T23:59:59+08:00.
    const EVENING: Millis = Millis(1_795_449_599_000);

    fn all(counters: &Counters) -> Counted {
        counters.counted(Day(0), Day(u32::MAX))
    }

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a real day")
    }

    #[test]
    fn n32_a_day_ends_at_midnight_in_china() {
        let counters = Counters::default();
        for what in [Count::Visit, Count::Query("line"), Count::Query("line"), Count::Submission("accepted")] {
            counters.count(EVENING, what);
        }
        counters.count(Millis(EVENING.0 + 1000), Count::Problem("overloaded"));
        let days = all(&counters).days;
        assert_eq!(days.iter().map(|counts| counts.day.to_string()).collect::<Vec<_>>(), ["2026-11-23", "2026-11-24"]);
        assert_eq!((days[0].visits, days[0].queries["line"], days[0].submissions["accepted"]), (1, 2, 1));
        assert!(days[0].problems.is_empty());
        assert_eq!(days[1].problems["overloaded"], 1);
        assert_eq!(counters.counted(day("2026-11-24"), day("2026-11-30")).days, days[1..]);
    }

    #[test]
    fn n32_counters_survive_a_restart_and_old_days_go() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let counters = Counters::open(folder.path(), EVENING);
        for past in (0..DAYS as u64 + 5).rev() {
            counters.count(Millis(EVENING.0 - past * 86_400_000), Count::Query("reference-code"));
        }
        counters.save();
        let again = Counters::open(folder.path(), Millis(EVENING.0 + 5));
        assert_eq!(all(&again), all(&counters));
        assert_eq!((all(&again).days.len(), all(&again).since), (DAYS, EVENING));
        assert_eq!(all(&again).days.last().map(|counts| counts.day), Some(day("2026-11-23")));
        // What did not change is not written again.
        std::fs::remove_file(folder.path().join(FILE)).expect("it was written");
        again.save();
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn n32_a_file_that_cannot_be_read_is_set_aside_and_counting_goes_on() {
        let later = r#"{"version":2,"since":0,"days":[]}"#;
        let twice = r#"{"version":1,"since":0,"days":[{"day":"2026-11-23"},{"day":"2026-11-23"}]}"#;
        let unreal = r#"{"version":1,"since":0,"days":[{"day":"2026-02-30"}]}"#;
        for bad in ["", "{", later, twice, unreal] {
            let folder = tempfile::tempdir().expect("a folder for the test");
            std::fs::write(folder.path().join(FILE), bad).expect("writable");
            let counters = Counters::open(folder.path(), EVENING);
            assert_eq!(all(&counters), Counted::begin(EVENING), "{bad}");
            assert_eq!(std::fs::read_to_string(folder.path().join("counters.aside")).expect("it is there"), bad);
            counters.count(EVENING, Count::Visit);
            counters.save();
            assert_eq!(all(&Counters::open(folder.path(), EVENING)).days[0].visits, 1, "{bad}");
        }
    }
}
