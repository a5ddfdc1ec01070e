//! A network founded by another document than the sample's.

use crate::command::run;
use crate::network::Network;

impl Network {
    /// As [`Network::on`], founded by what is made of the sample's document, as people write it.
    ///
    /// # Panics
    /// When it founds no network.
    pub fn founded_on(day: &str, change: impl FnOnce(String) -> String) -> Self {
        let network = Self::made_on(day);
        let [document, founding, map] =
            ["genesis.toml", "genesis.bin", "network.json"].map(|name| network.home().join(name));
        let read = |path| std::fs::read_to_string(path).expect("sample wrote it");
        let write = |path, text: String| std::fs::write(path, text).expect("the folder is writable");
        let before = network.genesis().network().to_string();
        write(&document, change(read(&document)));
        std::fs::remove_file(&founding).expect("the folder is writable");
        let [from, to] = [&document, &founding].map(|path| path.display().to_string());
        let _ = run(network.clock(), "fengni", &["genesis", "make", &from, "--out", &to], b"").expect(0);
        let after = network.genesis().network().to_string();
        write(&map, read(&map).replace(&before, &after));
        network.start_all();
        network
    }
}
