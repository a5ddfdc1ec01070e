//! A ledger for tests, on which J6's grant stands: core's tiny register, asked as nodes are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fengni_core::book::Line;
use fengni_core::proof::{Place, ProofError};
use fengni_core::standing::{Act, ActKind, Standing, State};
use fengni_core::{Digest, Height, LinePlace, Millis, ReasonCode};

use crate::register::{Looked, RegisterTrouble, Source};
use crate::scene::{self, NOW, Scene, YHR};
use crate::world::World;

/// What is on the ledger, and how its nodes are.
pub(crate) struct Nodes {
    pub(crate) world: World,
    /// They do not answer.
    pub(crate) are_away: bool,
    /// What they were asked for, question by question.
    pub(crate) asked: Vec<Vec<Place>>,
}

/// A ledger that several hold.
#[derive(Clone)]
pub(crate) struct Double(Arc<Mutex<Nodes>>);

impl Double {
    /// Everything that a scene's access rests on.
    pub(crate) fn of(scene: &Scene) -> Self {
        let (mut world, _) = scene::register();
        world.members[YHR.0 as usize] = scene::member(YHR);
        let (request, resource, item) = scene.request.clone().expect("the scene has a request");
        world.codes = vec![scene::naming()];
        world.resources = vec![resource; request.terms.resource.0 as usize + 1];
        world.items = vec![item; request.terms.item.0 as usize + 1];
        world.requests = vec![request; scene.access.request.0 as usize + 1];
        if let Some(grant) = scene.line {
            world.seal(scene::GRANTS, grant.line);
        }
        Self(Arc::new(Mutex::new(Nodes { world, are_away: false, asked: Vec::new() })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Nodes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line to a book.
    pub(crate) fn seal(&self, line: LinePlace, of: Line) {
        assert_eq!(self.lock().world.seal(line.book, of), line);
    }

    /// The holder withdraws a grant.
    pub(crate) fn withdraw(&self, place: LinePlace) {
        let world = &mut self.lock().world;
        world.state(place, State::Withdrawn);
        let act = Act {
            line: place.line,
            kind: ActKind::Withdraw,
            from: Standing::ACTIVE,
            to: Standing::ACTIVE.with(State::Withdrawn),
            reason: ReasonCode(0),
            decision: Digest::default(),
            height: Height(1300),
            by: YHR,
            keys: vec![],
            hold: None,
            until: None,
            target: None,
            successor: None,
            previous: None,
        };
        world.books[place.book.0 as usize].acts.push(act);
    }
}

impl Source for Double {
    fn look(&mut self, places: &[Place]) -> Result<Looked, RegisterTrouble> {
        let mut nodes = self.lock();
        nodes.asked.push(places.to_vec());
        if nodes.are_away {
            return Err(RegisterTrouble::Ledger("nobody is there".to_owned()));
        }
        let lines: Vec<LinePlace> = places
            .iter()
            .filter_map(|place| match *place {
                Place::Line(book, line) => Some(LinePlace { book, line }),
                _ => None,
            })
            .collect();
        let proof = nodes.world.prove(&lines);
        let proven = proof.verify(&nodes.world.domain, &nodes.world.validators())?;
        match places.iter().find(|place| !proven.places().any(|found| found == *place)) {
            Some(missing) => Err(ProofError::Missing(*missing).into()),
            None => Ok((proof.shelves, proven)),
        }
    }
}

/// A clock that a test moves.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW.0)))
    }

    pub(crate) fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn put_back(&self, millis: u64) {
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }

    pub(crate) fn read(&self) -> Arc<dyn Fn() -> Millis + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("it is never so: {what}");
}

/// Changes the department's database beside the gateway.
pub(crate) async fn change(folder: &std::path::Path, statements: &'static str) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("hrs.db")).create_if_missing(true);
    let mut connection = options.connect().await.expect("its own file");
    sqlx::raw_sql(statements).execute(&mut connection).await.expect("a healthy disk");
}

/// The department's database: months, place and standing of the insured.
pub(crate) async fn database(folder: &std::path::Path) -> crate::data::Data {
    let rows = "
        CREATE TABLE insured (id_number TEXT PRIMARY KEY, months INTEGER, place TEXT, state TEXT);
        INSERT INTO insured VALUES ('319901199003070029', 41, '示例市', NULL), ('319901198501010010', 7, '示例市', NULL);
    ";
    change(folder, rows).await;
    let path = folder.join("hrs.db");
    let table = toml::from_str(
        "table = 'insured'\nsubject = 'id_number'\n\
         fields = [{ column = 'months', kind = 'number' }, { column = 'place' }, { column = 'state' }]",
    );
    let table = crate::data::Table::new(&table.expect("well formed")).expect("names");
    let config = toml::from_str(&format!("sqlite = '{}'", path.display())).expect("well formed");
    crate::data::Data::open(&config, [(scene::MONTHS, table)].into()).expect("an address")
}
