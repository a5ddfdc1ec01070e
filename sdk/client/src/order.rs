//! Orders (批量暂扣令): many lines suspended by one act, and given back by one.

use fengni_core::OrderNumber;
use fengni_core::operation::{Ground, Operation};
use fengni_core::record::Scope;

/// Suspends the lines that a scope has now.
pub fn suspend(scope: Scope, ground: Ground) -> Operation {
    Operation::Order { scope, ground }
}

/// Lifts an order: its lines are as if it had not been given.
pub fn lift(order: OrderNumber, ground: Ground) -> Operation {
    Operation::LiftOrder { order, ground }
}
