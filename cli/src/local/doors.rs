//! Doors: the operator's listeners that a command asks, by URL or by a network's map.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use super::map::NetworkMap;

/// Which nodes to ask.
#[derive(Args, Debug)]
pub(crate) struct DoorArgs {
    /// Folder of the network
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Only this node
    #[arg(long, value_name = "NAME", requires = "home")]
    node: Option<String>,
    /// URL of a node's operator's listener
    #[arg(long, value_name = "URL", conflicts_with = "home")]
    admin: Option<String>,
}

impl DoorArgs {
    /// Names and operator's listeners of the nodes to ask; none for a node that has none.
    ///
    /// # Errors
    /// Where no node is named, or the map has none of that name.
    pub(super) fn doors(&self) -> Result<Vec<(String, Option<String>)>> {
        if let Some(url) = &self.admin {
            return Ok(vec![(url.clone(), Some(url.clone()))]);
        }
        let Some(home) = &self.home else {
            bail!("no node is named; next: give --admin URL, or --home DIR with a network's map");
        };
        let map = NetworkMap::load(home)?;
        let nodes = map.chosen(self.node.as_deref())?;
        Ok(nodes.into_iter().map(|node| (node.name.clone(), node.admin.clone())).collect())
    }
}
