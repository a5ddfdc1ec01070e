//! Killed between the answer and the receipt on the ledger, at each step of the way.

use fengni_core::sharing::ResultCode;
use fengni_tests::{Deadline, free_ports, until};
use serde_json::Value;

use super::{Desk, batch_of, result};

/// The gateway's status, once it suits.
fn status(desk: &Desk, what: &str, suits: impl Fn(&Value) -> bool) -> Value {
    until(what, Deadline::default(), || Some(desk.provider.status()).filter(&suits))
}

#[test]
fn i20_i22_a_gateway_killed_at_each_step_counts_and_anchors_each_use_once() {
    // Right after the answer, before there is a batch: it waits long enough for a kill on a busy machine.
    let mut desk = Desk::open(&[9], "[receipts]\nbatch_secs = 8\n");
    let first = desk.ask(0);
    assert_eq!(result(&first.1), (ResultCode::Yes, 1));
    desk.provider.kill();
    assert_eq!(desk.provider.status()["batches"], 0);
    desk.provider.configure(|config| config.replace("batch_secs = 8", "batch_secs = 2"));
    desk.provider.run();
    desk.answers_again(&first);
    let _ = batch_of(&desk.anchored(), &desk.stage, &first.1.receipts[0]);

    // After the batch was written down, before it is sent: there is nobody to send it to.
    let before = desk.lines();
    let relay = desk.network.node("hrs").relay.clone().expect("a validator");
    let nowhere = format!("http://127.0.0.1:{}", free_ports());
    desk.provider.kill();
    desk.provider.configure(|config| config.replace(&relay, &nowhere));
    desk.provider.run();
    let second = desk.ask(0);
    assert_eq!(result(&second.1), (ResultCode::Yes, 2));
    status(&desk, "a batch waits to be sent", |it| it["batches"] == before + 1 && !it["running"]["waits"].is_null());
    desk.provider.kill();
    assert_eq!(desk.lines(), before, "it was not sent");
    desk.provider.configure(|config| config.replace(&nowhere, &relay));
    desk.provider.run();
    desk.answers_again(&second);
    let _ = batch_of(&desk.anchored(), &desk.stage, &second.1.receipts[0]);
    assert_eq!(desk.lines(), before + 1);

    // While its transaction is in flight: without two validators no block takes it until the gateway is gone.
    for name in ["amr", "psb"] {
        desk.network.kill(name);
    }
    let third = desk.ask(0);
    assert_eq!(result(&third.1), (ResultCode::Yes, 3));
    until("the transaction waits for a block", Deadline::default(), || {
        desk.network.status("hrs").filter(|node| node.pool_transactions > 0).map(drop)
    });
    desk.provider.kill();
    assert_eq!(desk.lines(), before + 1);
    for name in ["amr", "psb"] {
        desk.network.run(name);
        desk.network.wait_ready(name);
    }
    until("the batch is on the ledger", Deadline::default(), || (desk.lines() == before + 2).then_some(()));
    assert_eq!(desk.provider.status()["waiting"], 1, "the gateway does not know it yet");
    desk.provider.run();
    desk.answers_again(&third);
    let batches = desk.anchored();
    assert_eq!(batches.len() as u64, before + 2, "it is there once");
    for answered in [&first, &second, &third] {
        let _ = batch_of(&batches, &desk.stage, &answered.1.receipts[0]);
    }
    assert_eq!(result(&desk.ask(0).1), (ResultCode::Yes, 4), "asking again counted nothing");
}
