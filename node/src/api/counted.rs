//! Counters by day, for the operator and for statistics. Rule N-32.

use axum::extract::State;
use fengni_core::Day;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::Admin;
use super::answer::Answer;
use super::openapi::Problems;
use super::params::Asked;
use super::problem::ApiError;
use crate::counters::Counted;

/// The route of counters.
pub(crate) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::default().routes(routes!(counters))
}

/// Of which days.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Days {
    /// First day, such as `2026-11-01`; the oldest that is kept when left out.
    from: Option<String>,
    /// Last day; the newest when left out.
    to: Option<String>,
}

fn day(text: Option<&str>, otherwise: Day) -> Result<Day, ApiError> {
    let wrong = || ApiError::Parameter { reason: "a day is written as 2026-11-23".to_owned() };
    text.map_or(Ok(otherwise), |text| Day::parse(text).ok_or_else(wrong))
}

/// How often this node was asked, by day in China: visits, queries by kind, submissions by answer, problems
/// by name.
#[utoipa::path(get, path = "/v1/counters", tag = "operation", params(Days), responses(
    (status = 200, body = Counted),
    Problems,
))]
async fn counters(State(admin): State<Admin>, Asked(days): Asked<Days>) -> Result<Answer, ApiError> {
    let (from, to) = (day(days.from.as_deref(), Day(0))?, day(days.to.as_deref(), Day(u32::MAX))?);
    Ok(Answer::json(&admin.metrics.counted(from, to)))
}
