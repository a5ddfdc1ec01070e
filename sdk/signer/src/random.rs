//! Randomness: the one place of this crate that asks the system for it.

use thiserror::Error;
use zeroize::Zeroizing;

/// The system has no randomness to give: nothing secret can be made on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the system gives no randomness")]
pub struct RandomError;

/// `N` fresh random bytes.
///
/// # Errors
/// [`RandomError`].
pub fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(bytes)
}

/// 32 random bytes that are wiped when dropped, for a secret key.
///
/// # Errors
/// [`RandomError`].
pub fn secret() -> Result<Zeroizing<[u8; 32]>, RandomError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| RandomError)?;
    Ok(bytes)
}
