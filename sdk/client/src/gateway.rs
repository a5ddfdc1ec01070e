//! A gateway: several nodes that can be asked the same, one after the other.
//!
//! No node is trusted, so that any will do. The one that answered last is asked first; a node
//! that is silent, refuses or gives what does not hold is passed over, and its trouble noted.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::node::Node;
use crate::problem::Problem;
use crate::transport::{Http, HttpOptions, Transport, UrlError};

/// Troubles that are remembered.
const TROUBLES: usize = 64;

/// Nodes of one network.
pub struct Gateway {
    nodes: Vec<Node>,
    first: AtomicUsize,
    /// What nodes gave that was of no use, each thing once: whoever reads an answer may want to know
    /// who did not give it.
    noted: Mutex<Vec<NodeTrouble>>,
}

/// Why one node gave nothing of use.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Trouble {
    /// No answer.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It answered that it does not give this.
    #[error("refused: {0}")]
    Refused(Problem),
    /// Its answer cannot be read.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// Its answer proves nothing: the node is broken or lies.
    #[error("an answer that does not hold: {0}")]
    Lied(String),
    /// Its answer is of an older state than another node has shown, or than will do.
    #[error("behind: {0}")]
    Behind(String),
    /// This client knows too little to judge the answer: no fault of the node.
    #[error("cannot be judged: {0}")]
    Unjudged(String),
}

/// A node and its trouble.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeTrouble {
    /// The node's name.
    pub node: String,
    /// Its trouble.
    pub trouble: Trouble,
}

impl fmt::Display for NodeTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.trouble)
    }
}

/// An answer that held, who gave it, and who had failed before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The node that gave it.
    pub node: String,
    /// The troubles of the nodes asked before.
    pub troubles: Vec<NodeTrouble>,
}

impl<T> Answer<T> {
    /// The answer with another value.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: with(self.value), node: self.node, troubles: self.troubles }
    }
}

/// No node gave an answer that holds.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct GatewayError {
    /// The trouble of each node asked.
    pub troubles: Vec<NodeTrouble>,
}

impl GatewayError {
    /// Whether no node answered at all.
    pub fn is_unreachable(&self) -> bool {
        self.troubles.iter().all(|found| matches!(found.trouble, Trouble::Unreachable(_)))
    }

    /// Whether every node that answered says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        let mut answered = self.troubles.iter().filter(|found| !matches!(found.trouble, Trouble::Unreachable(_)));
        answered.clone().next().is_some()
            && answered.all(|found| matches!(&found.trouble, Trouble::Refused(problem) if problem.is_not_found()))
    }

    /// The first refusal in words.
    pub fn problem(&self) -> Option<&Problem> {
        self.troubles.iter().find_map(|found| match &found.trouble {
            Trouble::Refused(problem) => Some(problem),
            _ => None,
        })
    }

    /// Nodes whose answer does not hold.
    pub fn liars(&self) -> impl Iterator<Item = &NodeTrouble> {
        self.troubles.iter().filter(|found| matches!(found.trouble, Trouble::Lied(_)))
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.troubles.iter().map(NodeTrouble::to_string).collect();
        if all.is_empty() { f.write_str("there is no node to ask") } else { f.write_str(&all.join("; ")) }
    }
}

impl Gateway {
    /// A gateway to the nodes behind these transports, in order of preference.
    pub fn new(transports: Vec<Arc<dyn Transport>>) -> Self {
        Self::of(transports.into_iter().map(Node::new).collect())
    }

    /// A gateway over HTTP to these URLs, in order of preference.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn http<S: AsRef<str>>(urls: &[S], options: &HttpOptions) -> Result<Self, UrlError> {
        let open = |url: &S| Ok(Arc::new(Http::new(url.as_ref(), options)?) as Arc<dyn Transport>);
        Ok(Self::new(urls.iter().map(open).collect::<Result<_, UrlError>>()?))
    }

    /// The nodes, in order of preference.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A gateway for each node, which asks it alone: to find out who gives what.
    pub fn each(&self) -> impl Iterator<Item = Self> + '_ {
        self.nodes.iter().map(|node| Self::of(vec![node.clone()]))
    }

    fn of(nodes: Vec<Node>) -> Self {
        Self { nodes, first: AtomicUsize::new(0), noted: Mutex::default() }
    }

    /// What nodes gave so far that was of no use, each thing once.
    pub fn troubles(&self) -> Vec<NodeTrouble> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note(&self, trouble: &NodeTrouble) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < TROUBLES && !noted.contains(trouble) {
            noted.push(trouble.clone());
        }
    }

    /// Asks one node after the other until an answer holds.
    ///
    /// # Errors
    /// [`GatewayError`] with the trouble of each.
    pub fn ask<T>(&self, mut question: impl FnMut(&Node) -> Result<T, Trouble>) -> Result<Answer<T>, GatewayError> {
        let mut troubles = Vec::new();
        let first = self.first.load(Ordering::Relaxed);
        for turn in 0..self.nodes.len() {
            let place = (first + turn) % self.nodes.len();
            let node = &self.nodes[place];
            match question(node) {
                Ok(value) => {
                    self.first.store(place, Ordering::Relaxed);
                    return Ok(Answer { value, node: node.name().to_owned(), troubles });
                }
                Err(trouble) => {
                    let trouble = NodeTrouble { node: node.name().to_owned(), trouble };
                    self.note(&trouble);
                    troubles.push(trouble);
                }
            }
        }
        Err(GatewayError { troubles })
    }
}
